"""Compiles shell globs once, because every event and every allocation matches against them."""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate

_IS_GLOB = re.compile(r"[*?\[]")


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Returns a test that is True if a text matches any of the globs, as in `fnmatch.fnmatchcase`."""
    every = tuple(patterns)
    literal = frozenset(pattern for pattern in every if not _IS_GLOB.search(pattern))
    compiled = [re.compile(translate(pattern)).match for pattern in every if pattern not in literal]
    if not compiled:
        return literal.__contains__
    return lambda text: text in literal or any(match(text) is not None for match in compiled)
