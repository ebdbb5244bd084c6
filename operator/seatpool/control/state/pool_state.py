"""How each pool stands: what was decided, what the license server confirmed, and what is wrong.

One reconciler writes the standing of its pools; statuses, probes and metrics only read it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from seatpool.api.reasons import ConditionReason
from seatpool.control.state.seat_durations import RecentDurations
from seatpool.domain.allocation import Allocation, Granted, Released
from seatpool.domain.memory import PoolMemory


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedList:
    """A product's list as it was last read from the license server."""

    users: tuple[str, ...]
    revision: int
    """What the fence held: the revision that wrote the list, 0 when nobody ever did."""
    owner: str
    """The installation that the fence names, empty when nobody ever wrote."""
    odd: tuple[str, ...] = ()
    """Entries that are no user ids."""
    placeholder: bool = False
    """The list held nothing but the placeholder; `users` is empty then."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a list is not as it should be."""

    reason: ConditionReason
    message: str


@dataclass(slots=True)
class PoolState:
    """One pool."""

    memory: PoolMemory | None = None
    answer: Allocation | None = None
    known: ObservedList | None = None
    trouble: Failure | None = None
    keep_placeholder: bool = False
    """An empty list is written as the placeholder."""
    clearing: bool = False
    """The pool is being deleted and its list emptied."""
    granted: list[Granted] = field(default_factory=list)
    """Given, and not yet confirmed by the license server."""
    released: list[Released] = field(default_factory=list)
    lengths: RecentDurations = field(default_factory=RecentDurations)
    changed_at: datetime | None = None
    """Since when an answer waits to be applied."""

    @property
    def wanted(self) -> tuple[str, ...] | None:
        """The list as it should be; None while nobody knows."""
        if self.clearing:
            return ()
        return None if self.answer is None else self.answer.users

    @property
    def in_sync(self) -> bool:
        """Whether the license server was seen to have the list as it should be."""
        return self.wanted is not None and self.shows(self.wanted)

    def shows(self, users: tuple[str, ...]) -> bool:
        """Whether the license server was seen to have this list, in the form that the pool wants."""
        known = self.known
        if known is None or known.odd or known.users != users:
            return False
        return bool(users) or known.placeholder == self.keep_placeholder

    def confirmed(self, user: str) -> bool:
        """Whether the license server was seen to have the person on the list."""
        return self.known is not None and user in self.known.users


def spoken(users: Iterable[str], *, most: int = 5) -> str:
    """A few names and how many more: `ann, bob and 3 more`."""
    names = list(users)
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
