r"""Converts the owner of a workbench to the user id that a license server knows.

One person appears as `CORP\ann`, `ann`, `ann@corp.example` and `ANN`. Two spellings must never take two seats. Folding
changes ASCII letters only, because Unicode folding turns the Kelvin sign into `k`, and so one user's name into another's. A
name that a license server cannot take is refused with a reason. It is never changed, because a changed name is another
user's.
"""

import re
from collections.abc import Mapping
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits

from seatpool.domain.errors import SeatpoolError
from seatpool.domain.globs import can_match, matcher

_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}", re.ASCII)
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_LONGEST = 128
PLACEHOLDER = "seatpool-placeholder"
"""The entry that stands for an empty list, by default. It is no user."""
_SHOWN = 80


class InvalidUser(SeatpoolError):
    """The user id cannot be put on a list."""


_NO_USERS: Mapping[str, str] = {}


def normalise(
    owner: str,
    *,
    strip_domain: bool,
    fold_case: bool,
    mapping: Mapping[str, str],
    mapped_users: Mapping[str, str] = _NO_USERS,
) -> str:
    """Returns the user id of an owner. `check_user` may still refuse it.

    `mapped_users` are `users_of(mapping)`: an owner that is spelt like one of them is that user.
    """
    user = owner
    if strip_domain:
        user = user.rpartition("\\")[2].partition("@")[0]
    if fold_case:
        user = user.translate(_LOWER)
    found = mapping.get(user)
    if found is not None:
        return found
    return mapped_users.get(owner.translate(_LOWER) if fold_case else owner, user) if mapped_users else user


def users_of(mapping: Mapping[str, str], *, fold_case: bool) -> dict[str, str]:
    """Returns the users of a mapping, by their spelling in lower case if case is folded.

    Those that differ by case only are left out: nothing says which of them an owner means.
    """
    spelt: dict[str, set[str]] = {}
    for user in mapping.values():
        spelt.setdefault(user.translate(_LOWER) if fold_case else user, set()).add(user)
    return {key: users.pop() for key, users in spelt.items() if len(users) == 1}


def is_placeholder(user: str, placeholder: str = PLACEHOLDER) -> bool:
    """Tells whether a user id is the placeholder in any spelling. License servers may compare without regard to case."""
    return user.translate(_LOWER) == placeholder.translate(_LOWER)


def check_user(user: str) -> None:
    """Raises InvalidUser if a license server could not take the user id as it is, or if it can be no user's."""
    if is_placeholder(user):
        raise InvalidUser(
            f"user id {user} is no user: it stands for an empty list on a license server; correct the owner"
        )
    if _USER.fullmatch(user) is None:
        shown = ascii(user[:_SHOWN])[:_SHOWN]
        raise InvalidUser(
            f"user id {shown} cannot be put on a list: it must be 1 to 128 of the letters A-Z a-z, digits and "
            ". _ @ + - and begin with a letter or digit; correct the owner, or map it in the identity settings"
        )


def normalise_pattern(pattern: str, *, strip_domain: bool, fold_case: bool, mapping: Mapping[str, str]) -> str:
    """Returns the glob that matches user ids by the rules of `normalise`. Raises InvalidUser if it can match none.

    A domain in it is not stripped: `*@corp` would become `*`, which is everybody. Users of the mapping are not folded. So a
    pattern that matches one of them stays as it is.
    """
    folded = pattern.translate(_LOWER) if fold_case else pattern
    if folded != pattern and any(map(matcher([pattern]), mapping.values())):
        return pattern
    letters = ascii_lowercase if fold_case else ascii_letters
    rest = letters + digits + "._+-" + ("" if strip_domain else "@")
    if can_match(folded, first=letters + digits, rest=rest, longest=_LONGEST):
        return folded
    if any(map(matcher([folded]), mapping.values())):
        return folded
    why = "it must be able to match 1 to 128 letters, digits and . _ @ + - that begin with a letter or digit"
    if strip_domain and "@" in pattern:
        why = "user ids have no domain, because identity.strip_domain is set; write it without @ and what follows"
    raise InvalidUser(f"userPattern {pattern[:_SHOWN]!a} can match no user id: {why}")


def domain_of(owner: str) -> tuple[str, str]:
    """Returns the domain before and the domain after the user id that `normalise` strips, in lower case."""
    before, _, rest = owner.rpartition("\\")
    return before.translate(_LOWER), rest.partition("@")[2].translate(_LOWER)
