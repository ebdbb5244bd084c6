r"""From the name that a workbench carries to the user id that a license server knows.

One person appears as `CORP\ann`, `ann`, `ann@corp.example` and `ANN`; two spellings must never take two seats.
Folding touches ASCII letters only: Unicode's own folding turns the Kelvin sign into `k`, and so a stranger's name into
somebody's. What a target cannot express is refused with a reason, never mended: a mended name is somebody else's.
"""

import re
from collections.abc import Mapping
from string import ascii_lowercase, ascii_uppercase

from seatpool.domain.errors import SeatpoolError

_USER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}", re.ASCII)
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_SHOWN = 80


class InvalidUser(SeatpoolError):
    """A user id that cannot stand on a list."""


def normalise(owner: str, *, strip_domain: bool, fold_case: bool, mapping: Mapping[str, str]) -> str:
    """The user id of an owner; it may still be one that `check_user` refuses."""
    user = owner
    if strip_domain:
        user = user.rpartition("\\")[2].partition("@")[0]
    if fold_case:
        user = user.translate(_LOWER)
    return mapping.get(user, user)


def check_user(user: str) -> None:
    """Raise InvalidUser unless every license server can take the user id as it is."""
    if _USER.fullmatch(user) is None:
        shown = ascii(user[:_SHOWN])[:_SHOWN]
        raise InvalidUser(
            f"user id {shown} cannot be put on a list: it must be 1 to 128 of the letters A-Z a-z, digits and "
            ". _ @ + - and begin with a letter or digit; correct the owner, or map it in the identity settings"
        )
