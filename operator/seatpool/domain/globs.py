"""Shell globs, compiled once: every event and every answer matches against them."""

import re
from collections.abc import Callable, Iterable
from fnmatch import translate


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """A test whether a text matches any of the globs as `fnmatch.fnmatchcase` does; no globs match nothing."""
    compiled = [re.compile(translate(pattern)).match for pattern in patterns]
    return lambda text: any(match(text) is not None for match in compiled)
