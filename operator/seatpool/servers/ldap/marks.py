"""The value by which a group says who wrote it: `seatpool:OWNER:REVISION`. Pure."""

import re
from collections.abc import Iterable

from seatpool.servers.commands import MAX_FENCE, OWNER_PATTERN
from seatpool.servers.direct.target import Mark

BEGINNING = "seatpool:"
_MARK = re.compile(rf"{BEGINNING}(?P<owner>{OWNER_PATTERN}):(?P<revision>0|[1-9][0-9]{{0,14}})")


def mark_text(mark: Mark) -> str:
    """Returns the value of a mark."""
    return f"{BEGINNING}{mark.owner}:{mark.revision}"


def marks_of(values: Iterable[str]) -> tuple[tuple[str, Mark], ...]:
    """Returns the values that are marks, the newest first. Other values belong to others."""
    found = [
        (value, Mark(owner=match["owner"], revision=int(match["revision"])))
        for value in values
        if (match := _MARK.fullmatch(value)) is not None and int(match["revision"]) <= MAX_FENCE
    ]
    return tuple(sorted(found, key=lambda one: (-one[1].revision, one[1].owner)))
