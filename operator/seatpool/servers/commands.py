"""Commands for a license server. A back end carries them out.

A command checks itself when it is made. The checks of the script on the server are a second line.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from seatpool.api.licensepool import MAX_SEATS, USER_PATTERN
from seatpool.domain.errors import SeatpoolError

PRODUCT_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}"
OWNER_PATTERN = r"[A-Za-z0-9-]{1,64}"
MAX_REVISION = 10**15 - 1
MAX_FENCE = 10**14
"""Highest revision that is believed of a server. The next ones must still be commands, and one a second takes 3 million
years to come here."""
_USER = re.compile(USER_PATTERN.removeprefix("^").removesuffix("$"))


class BadCommand(SeatpoolError):
    """A command must not be sent. The message names the field and its value."""


class Action(StrEnum):
    """Actions of the script on each product."""

    APPLY = "apply"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListChange:
    """The whole new list of one product."""

    product: str
    users: tuple[str, ...]
    seats: int | None = None
    """Longest list that the server accepts. None: no limit."""
    keep_placeholder: bool = False
    """True: an empty list is written as the placeholder user."""

    def __post_init__(self) -> None:
        _check_product(self.product)
        for user in self.users:
            if not is_user(user):
                raise BadCommand(f"product {self.product}: user {user!r} has characters that a list cannot carry")
        if len(set(self.users)) != len(self.users):
            raise BadCommand(f"product {self.product}: a user is on the list twice; give each user once")
        if len(self.users) > MAX_SEATS:
            raise BadCommand(
                f"product {self.product}: {len(self.users)} users, but a list has at most {MAX_SEATS}; use two products"
            )
        if self.seats is not None and len(self.users) > self.seats:
            raise BadCommand(f"product {self.product}: {len(self.users)} users for {self.seats} seats")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListCommand:
    """Writes new lists for some products, or reads the lists of some."""

    revision: int
    owner: str
    """Id of this installation. The fence on the server stores it."""
    takeover: str | None = None
    """The installation whose lists may be taken over. None: no other installation."""
    changes: tuple[ListChange, ...] = ()
    products: tuple[str, ...] = field(default=())
    """Products whose lists are only read."""

    def __post_init__(self) -> None:
        if not 0 <= self.revision <= MAX_REVISION:
            raise BadCommand(f"revision {self.revision} is not between 0 and {MAX_REVISION}")
        for name, owner in (("owner", self.owner), ("takeover", self.takeover)):
            if owner is not None and not re.fullmatch(OWNER_PATTERN, owner):
                raise BadCommand(f"{name} {owner!r} is not 1 to 64 letters, digits and hyphens")
        if bool(self.changes) == bool(self.products):
            raise BadCommand("a command has either changes or products to read back, not both and not neither")
        for product in self.products:
            _check_product(product)
        names = self.names
        if len(set(names)) != len(names):
            raise BadCommand(f"a product is in the command twice: {', '.join(sorted(names))}")

    @property
    def action(self) -> Action:
        """Apply if there are changes, otherwise List."""
        return Action.APPLY if self.changes else Action.LIST

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the products, in order."""
        return self.products or tuple(change.product for change in self.changes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentCommand:
    """A command that a license server, or the service before it, has accepted.

    Both fields are stored, so that another process can ask for the result if the back end keeps results.
    """

    command_id: str
    """SSM's id of the command. Of a back end that keeps no results: an id that is in its log lines only."""
    instance_id: str
    """What answered: the id of the node, or the host of the server."""


def is_user(text: str) -> bool:
    """Tells whether a list can carry this user id."""
    return _USER.fullmatch(text) is not None


def _check_product(product: str) -> None:
    if not re.fullmatch(PRODUCT_PATTERN, product):
        raise BadCommand(
            f"product {product!r} is not 1 to 63 letters, digits and . _ + -, beginning with a letter or digit"
        )
