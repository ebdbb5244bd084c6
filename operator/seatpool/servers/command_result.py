"""The result of a command, product by product."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from seatpool.domain.errors import SeatpoolError


class BadOutput(SeatpoolError):
    """The output is not that of the script. The state of every list is unknown."""


class ScriptRefused(SeatpoolError):
    """The script did not begin and said why. No list was touched."""


class Result(StrEnum):
    """Results for one product."""

    APPLIED = "applied"
    """The vendor's client accepted the new list. `users` is the list that was read back."""
    STALE = "stale"
    """The server has a newer revision, which is in `fence`."""
    OWNER = "owner"
    """The list belongs to another installation, which is in `owner`."""
    PARTIAL = "partial"
    """A part of the change is made, and the rest is not begun. `users` is the list as it is now, `detail` says how far."""
    CHANGED = "changed"
    """Nothing was written, because the file with the list changed after it was read. `users` is the list as it is now. The
    next command reads the file anew."""
    FAILED = "failed"
    """The reason is in `detail`."""
    LISTED = "listed"
    """The list was only read."""


class Late(StrEnum):
    """How the time limit of a command ended the work for one product."""

    NO = ""
    """It did not."""
    STOPPED = "stopped"
    """The vendor's client took longer than its part of the time and was stopped."""
    UNBEGUN = "unbegun"
    """The products before it had used up the time. Nothing was done for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductResult:
    """The state of one product's list after a command."""

    result: Result
    fence: int = 0
    owner: str = ""
    exit_code: int = 0
    detail: str = ""
    late: Late = Late.NO
    users: tuple[str, ...] | None = None
    """The list as the client printed it, sorted, without duplicates. None: it could not be read, or not yet."""
    odd: tuple[str, ...] = ()
    """Entries of the list that are no user ids, escaped."""
    passed_over: tuple[str, ...] = ()
    """Lines of a list in which no entry was found at all, escaped."""
    surplus: tuple[str, ...] = ()
    """Entries that give nobody a license: further copies of an entry, and those that refer to nothing. Also what is missing
    for the list to count at all, in a sentence. The next write of the list mends this."""
    notes: tuple[str, ...] = ()
    """What outside of the list undoes it, each in a sentence without its end. Only an admin can change it."""
    still_in_use: tuple[str, ...] | None = None
    """Users who are not on the list and still have a license checked out, as the license server names them. None: not asked."""
    unlistable: Mapping[str, str] = field(default_factory=dict)
    """Users whom the list cannot have, each with the reason. The others were written."""
    placeholder: bool | None = False
    """True: the list held only the placeholder, so `users` is empty. None: the server has no other empty list."""
    unread: int | None = None
    """Offset from which the rest of the list must be fetched. None: nothing is left to fetch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """The result of one command."""

    revision: int
    products: Mapping[str, ProductResult]

    @property
    def unread(self) -> Mapping[str, int]:
        """Products whose list is incomplete, with the offset to fetch from."""
        return MappingProxyType(
            {product: result.unread for product, result in self.products.items() if result.unread is not None}
        )
