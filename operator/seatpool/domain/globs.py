"""Compiles shell globs once, because every event and every allocation matches against them."""

import re
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase, translate

_IS_GLOB = re.compile(r"[*?\[]")
_PART = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)
"""A character of a glob, or a set of characters. A bracket without its end is a character."""


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Returns a test that is True if a text matches any of the globs, as in `fnmatch.fnmatchcase`."""
    every = tuple(patterns)
    literal = frozenset(pattern for pattern in every if not _IS_GLOB.search(pattern))
    compiled = [re.compile(translate(pattern)).match for pattern in every if pattern not in literal]
    if not compiled:
        return literal.__contains__
    return lambda text: text in literal or any(match(text) is not None for match in compiled)


def can_match(pattern: str, *, first: str, rest: str, longest: int) -> bool:
    """Whether a glob matches any word of 1 to `longest` characters that begins with one of `first` and goes on in `rest`.

    `rest` has all characters of `first`.
    """
    parts = [part for part in _PART.findall(pattern) if part != "*"]
    begins_free = pattern.startswith("*")
    allowed = [any(fnmatchcase(one, part) for one in rest) for part in parts]
    if not parts:
        return begins_free
    can_begin = any(fnmatchcase(one, parts[0]) for one in first)
    if not all(allowed) or len(parts) > longest:
        return False
    return can_begin or (begins_free and len(parts) < longest)
