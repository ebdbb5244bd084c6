"""Writes and reads the mark of a list: `seatpool:OWNER:REVISION` in the externalId of its group. Pure."""

import re

from seatpool.servers.commands import MAX_FENCE, OWNER_PATTERN
from seatpool.servers.direct.target import Mark

_MARK = re.compile(rf"seatpool:({OWNER_PATTERN}):(0|[1-9][0-9]{{0,14}})", re.ASCII)


def mark_text(mark: Mark) -> str:
    """Returns a mark as an externalId."""
    return f"seatpool:{mark.owner}:{mark.revision}"


def parse_mark(text: str) -> Mark | None:
    """Returns the mark in an externalId. None: it is not the operator's."""
    found = _MARK.fullmatch(text)
    if found is None or int(found[2]) > MAX_FENCE:
        return None
    return Mark(owner=found[1], revision=int(found[2]))
