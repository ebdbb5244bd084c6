"""Defines the rules of a pool as the domain computes with them.

The globs in reservations and priorities are compiled, and the result for each user is cached, because every allocation asks
for all holders. Rules are values: a changed pool has new rules, and so a new cache.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import cached_property, lru_cache

from seatpool.domain.errors import SeatpoolError
from seatpool.domain.globs import matcher

_ZERO = timedelta(0)
_REMEMBERED = 1 << 15


class InvalidRules(SeatpoolError):
    """The rules contradict themselves. The API server refuses such a pool before it comes here."""


class Order(StrEnum):
    """The order of the waiting line."""

    FIRST_COME = "FirstCome"
    PRIORITY = "Priority"


@dataclass(frozen=True, slots=True)
class Reservation:
    """Seats that are kept free for the named users, or for users whose id matches the glob."""

    name: str
    users: frozenset[str]
    pattern: str | None
    seats: int


@dataclass(frozen=True, slots=True)
class Priority:
    """Weight in line of the users whose id matches the glob. Higher goes first."""

    pattern: str
    weight: int


@dataclass(frozen=True, slots=True)
class ReassignmentBudget:
    """At most `count` seats pass from one user to another in any window of this length."""

    count: int
    window: timedelta


@dataclass(frozen=True)
class PoolRules:
    """Seats, order, and the vendor's five re-assignment rules of one pool."""

    seats: int
    order: Order = Order.FIRST_COME
    reservations: tuple[Reservation, ...] = ()
    priorities: tuple[Priority, ...] = ()
    protected: tuple[str, ...] = ()
    denied: frozenset[str] = field(default_factory=frozenset)
    unlistable: frozenset[str] = field(default_factory=frozenset)
    """Users whom the license server's list cannot have. It is no rule of the pool, and changes with the server's accounts."""
    minimum_hold: timedelta = _ZERO
    linger: timedelta = _ZERO
    seat_cool_down: timedelta = _ZERO
    readmit_after: timedelta = _ZERO
    max_reassignments: ReassignmentBudget | None = None

    def __post_init__(self) -> None:
        budget = self.max_reassignments
        counts = {"seats": self.seats}
        counts |= {f"seats of reservation {item.name}": item.seats for item in self.reservations}
        durations = {
            name: getattr(self, name) for name in ("minimum_hold", "linger", "seat_cool_down", "readmit_after")
        }
        if budget is not None:
            counts["max_reassignments.count"] = budget.count
            durations["max_reassignments.window"] = budget.window
        negative: dict[str, int | timedelta] = {name: count for name, count in counts.items() if count < 0}
        negative |= {name: duration for name, duration in durations.items() if duration < _ZERO}
        for name, amount in negative.items():
            raise InvalidRules(f"pool rules: {name} is {amount}; it must not be negative")

    @property
    def remembers_seats(self) -> bool:
        """Tells whether a freed seat differs from a seat that was never used."""
        return self.seat_cool_down > _ZERO or self.max_reassignments is not None

    @cached_property
    def barred(self) -> frozenset[str]:
        """The users who get no seat: denied ones, and those whom the list cannot have."""
        return self.denied | self.unlistable

    @cached_property
    def always(self) -> frozenset[str]:
        """The protected users, without those who are also barred: that is stronger."""
        return frozenset(self.protected) - self.barred

    @cached_property
    def reservation_of(self) -> Callable[[str], int | None]:
        """Returns the index of the first reservation that names or matches a user."""
        tests = [(item.users, matcher([item.pattern] if item.pattern else [])) for item in self.reservations]

        def first(user: str) -> int | None:
            return next((index for index, (users, matches) in enumerate(tests) if user in users or matches(user)), None)

        return lru_cache(maxsize=_REMEMBERED)(first) if tests else lambda _user: None

    @cached_property
    def weight_of(self) -> Callable[[str], int]:
        """Returns the weight of a user in line: that of the first pattern that matches, else 0."""
        tests = [(matcher([item.pattern]), item.weight) for item in self.priorities]

        def first(user: str) -> int:
            return next((weight for matches, weight in tests if matches(user)), 0)

        return lru_cache(maxsize=_REMEMBERED)(first) if tests and self.order is Order.PRIORITY else lambda _user: 0
