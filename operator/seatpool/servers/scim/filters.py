"""Writes filters of RFC 7644, section 3.4.2.2. Pure."""

import json
from collections.abc import Iterator, Sequence
from urllib.parse import quote

LONGEST_FILTER = 1900
"""Characters of a filter in a URL. Some servers refuse a query of more than 2,048."""


def equals(attribute: str, value: str) -> str:
    """Returns the filter for resources whose attribute has this value. A value is written as in JSON."""
    return f"{attribute} eq {json.dumps(value)}"


def any_of(attribute: str, values: Sequence[str]) -> str:
    """Returns the filter for resources whose attribute has one of these values."""
    return " or ".join(equals(attribute, value) for value in values)


def batches(attribute: str, values: Sequence[str], *, longest: int = LONGEST_FILTER) -> Iterator[tuple[str, ...]]:
    """Yields the values in parts whose filters are at most so long in a URL. A part has one value at least."""
    part: list[str] = []
    length = 0
    for value in values:
        added = len(quote(f" or {equals(attribute, value)}", safe=""))
        if part and length + added > longest:
            yield tuple(part)
            part, length = [], 0
        part.append(value)
        length += added
    if part:
        yield tuple(part)
