"""Defines the result of an allocation: the list, the waiting users and why they wait, the changes, and the next change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.domain.memory import PoolMemory
from seatpool.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat on the list. `until` is its end if nothing changes. None: it does not end by itself."""

    user: str
    since: datetime
    reason: Reason
    until: datetime | None


@dataclass(frozen=True, slots=True)
class InLine:
    """A place in the waiting line. The first position is 1.

    `earliest` is a time before which the rules alone cannot give the seat. It is a bound, not a promise. None: a user has to
    stop a workbench first.
    """

    user: str
    position: int
    since: datetime
    reason: Reason
    earliest: datetime | None


@dataclass(frozen=True, slots=True)
class Granted:
    """A user who got a seat in this allocation, and the time that the user waited.

    A user who gets a seat in the first allocation with the need was never in line and waited for nothing, however late the
    event was.
    """

    user: str
    reason: Reason
    waited: timedelta


@dataclass(frozen=True, slots=True)
class Released:
    """A user who lost a seat in this allocation, and the time that the user held it."""

    user: str
    reason: Reason
    held: timedelta


@dataclass(frozen=True, slots=True)
class Allocation:
    """The whole result. Every user with a need is in exactly one of `seats`, `waiting` and `denied`."""

    memory: PoolMemory
    """The memory to store before the result is acted on."""
    users: tuple[str, ...]
    """The users on the list, sorted."""
    seats: Mapping[str, Seat]
    waiting: tuple[InLine, ...]
    newly_waiting: tuple[InLine, ...]
    """Those of `waiting` who were not in line by the memory before, which a new process loads too."""
    denied: tuple[str, ...]
    granted: tuple[Granted, ...]
    released: tuple[Released, ...]
    next_change: datetime | None
    """When to allocate again even if nothing happens. None: never."""
    reassignments_used: int
    """Re-assignments in the window that ends now."""
    unlistable: frozenset[str] = frozenset()
    """Those of `denied` whom the license server's list cannot have."""

    def denial(self, user: str) -> Reason:
        """Returns why a user of `denied` gets no seat."""
        return Reason.NOT_LISTABLE if user in self.unlistable else Reason.DENIED
