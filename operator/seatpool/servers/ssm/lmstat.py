"""Reads who has checked out a feature from what `lmutil lmstat` prints."""

import re
from collections.abc import Iterator

_FEATURE = re.compile(r"Users of (.+?):\s*\(.*")
_CHECK_OUT = re.compile(r"\s+(\S.*?)\s+\(v[^()]*\)\s*\([^()]*\).*?,\s*start\s.*")
"""A check-out: user, host and display, the version, where the handle is, and since when. A reservation has no start."""


def users_of(text: str, feature: str) -> tuple[str, ...]:
    """Returns the users who have the feature checked out, sorted, each once. Other features are passed over.

    `feature`: as an INCLUDE line names it; its qualifiers are left out.
    """
    name = re.split(r"[ ]|:(?=[A-Za-z_]+=)", feature, maxsplit=1)[0].casefold()
    return tuple(sorted(set(_users(text, name))))


def _users(text: str, name: str) -> Iterator[str]:
    is_ours = False
    for line in text.splitlines():
        if (found := _FEATURE.fullmatch(line.strip())) is not None:
            is_ours = found[1].strip().casefold() == name
        elif is_ours and (found := _CHECK_OUT.fullmatch(line)) is not None:
            yield _user(found[1].split())


def _user(words: list[str]) -> str:
    """Returns the user of user, host and display. A user with blanks is told from them where host and display are one word."""
    if len(words) > 3 and words[-1] == words[-2]:
        return " ".join(words[:-2])
    return words[0]
