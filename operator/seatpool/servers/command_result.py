"""What a license server answered, product by product."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from seatpool.domain.errors import SeatpoolError


class BadOutput(SeatpoolError):
    """The output is not what the script prints; nothing can be said about any list."""


class ScriptRefused(SeatpoolError):
    """The script said why it did not begin; no list was touched."""


class Result(StrEnum):
    """How one product fared."""

    APPLIED = "applied"
    """The client took the new list. Whether it has it is in `users`."""
    STALE = "stale"
    """The server has a newer revision; `fence` is it."""
    OWNER = "owner"
    """The list belongs to another installation; `owner` is it."""
    FAILED = "failed"
    """`detail` says why."""
    LISTED = "listed"
    """The list was only read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductResult:
    """What is known of one product's list after a command."""

    result: Result
    fence: int = 0
    owner: str = ""
    exit_code: int = 0
    detail: str = ""
    users: tuple[str, ...] | None = None
    """The list as the client printed it, sorted, each user once. None when it could not be read (yet)."""
    odd: tuple[str, ...] = ()
    """Entries of it that are no user ids, shortened."""
    placeholder: bool = False
    """Whether the list held nothing but the placeholder; `users` is empty then."""
    unread: int | None = None
    """From where the rest of the list must be fetched before `users` is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """The answer to one command."""

    revision: int
    products: Mapping[str, ProductResult]

    @property
    def unread(self) -> Mapping[str, int]:
        """Products whose list is not whole yet, and from where to fetch the rest."""
        return MappingProxyType(
            {product: report.unread for product, report in self.products.items() if report.unread is not None}
        )
