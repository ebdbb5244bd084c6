r"""Converts the owner of a workbench to the user id that a license server knows.

One person appears as `CORP\ann`, `ann`, `ann@corp.example` and `ANN`. Two spellings must never take two seats. Folding
changes ASCII letters only, because Unicode folding turns the Kelvin sign into `k`, and so one user's name into another's. A
name that a license server cannot take is refused with a reason. It is never changed, because a changed name is another
user's.
"""

import re
from collections.abc import Mapping
from string import ascii_lowercase, ascii_uppercase

from seatpool.domain.errors import SeatpoolError

_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}", re.ASCII)
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_SHOWN = 80


class InvalidUser(SeatpoolError):
    """The user id cannot be put on a list."""


def normalise(owner: str, *, strip_domain: bool, fold_case: bool, mapping: Mapping[str, str]) -> str:
    """Returns the user id of an owner. `check_user` may still refuse it."""
    user = owner
    if strip_domain:
        user = user.rpartition("\\")[2].partition("@")[0]
    if fold_case:
        user = user.translate(_LOWER)
    return mapping.get(user, user)


def check_user(user: str) -> None:
    """Raises InvalidUser if a license server could not take the user id as it is."""
    if _USER.fullmatch(user) is None:
        shown = ascii(user[:_SHOWN])[:_SHOWN]
        raise InvalidUser(
            f"user id {shown} cannot be put on a list: it must be 1 to 128 of the letters A-Z a-z, digits and "
            ". _ @ + - and begin with a letter or digit; correct the owner, or map it in the identity settings"
        )
