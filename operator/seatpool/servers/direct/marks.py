"""Writes and reads the mark of a list where a server keeps it as a text: `seatpool:OWNER:REVISION`. Pure."""

import re
from collections.abc import Iterable

from seatpool.servers.commands import MAX_FENCE, OWNER_PATTERN
from seatpool.servers.direct.target import Mark

BEGINNING = "seatpool:"
_MARK = re.compile(rf"{BEGINNING}({OWNER_PATTERN}):(0|[1-9][0-9]{{0,14}})", re.ASCII)


def mark_text(mark: Mark) -> str:
    """Returns a mark as a text."""
    return f"{BEGINNING}{mark.owner}:{mark.revision}"


def parse_mark(text: str) -> Mark | None:
    """Returns the mark that a text is. None: the text is not the operator's."""
    found = _MARK.fullmatch(text)
    if found is None or int(found[2]) > MAX_FENCE:
        return None
    return Mark(owner=found[1], revision=int(found[2]))


def marks_of(values: Iterable[str]) -> tuple[tuple[str, Mark], ...]:
    """Returns the texts that are marks, the newest first. Other texts belong to others."""
    found = [(value, mark) for value in values if (mark := parse_mark(value)) is not None]
    return tuple(sorted(found, key=lambda one: (-one[1].revision, one[1].owner)))
