"""Divides a list into pages. A cursor names the last item of a page, so a page stays right when objects come and go."""

import base64
import binascii
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from seatpool.web.problems import ProblemId, Refusal

T = TypeVar("T")
USUAL_PAGE = 100
LARGEST_PAGE = 500
LONGEST_CURSOR = 512
_MARK = "1:"
"""Version of the form of a cursor."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list."""

    items: tuple[T, ...]
    next_cursor: str | None


def page_of(keys: Sequence[str], *, cursor: str | None, limit: int) -> Page[str]:
    """Returns a page of sorted keys. Raises Refusal if the cursor is none."""
    begin = 0 if cursor is None else bisect_right(keys, _read(cursor))
    found = tuple(keys[begin : begin + limit])
    more = begin + limit < len(keys)
    return Page(found, _write(found[-1]) if more and found else None)


def _write(key: str) -> str:
    return base64.urlsafe_b64encode(f"{_MARK}{key}".encode()).decode().rstrip("=")


def _read(cursor: str) -> str:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Refusal(ProblemId.BAD_CURSOR) from error
    if not text.startswith(_MARK):
        raise Refusal(ProblemId.BAD_CURSOR)
    return text.removeprefix(_MARK)
