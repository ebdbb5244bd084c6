"""Checks whether a user may have a seat. The first check that fails decides.

Each check looks at one user and the situation of the pool. It returns a reason, or None if it has no objection. The reason
is both the decision and its explanation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from seatpool.domain.reasons import Reason
from seatpool.domain.reserved_seats import ReservedSeats


class FreeSeats(Protocol):
    """What the checks ask about the free seats. `domain.supply` says what each answer means."""

    @property
    def free(self) -> int: ...

    @property
    def at_hand(self) -> int: ...

    @property
    def usable(self) -> int: ...

    def was_left_by(self, user: str) -> bool: ...

    def returns_to_cooling(self, user: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class Situation:
    """The input of the checks."""

    readmit: Mapping[str, datetime]
    supply: FreeSeats
    reserved: ReservedSeats


Check = Callable[[str, Situation], Reason | None]


def may_not_return_yet(user: str, situation: Situation) -> Reason | None:
    """`readmitAfter` is not over for this user."""
    return Reason.READMISSION_BLOCKED if user in situation.readmit else None


def every_seat_is_taken(_user: str, situation: Situation) -> Reason | None:
    """There is no free seat of any kind."""
    return Reason.POOL_FULL if situation.supply.free <= 0 else None


def free_seats_are_reserved(user: str, situation: Situation) -> Reason | None:
    """Other users have a stronger claim to the free seats."""
    left = situation.supply.free - 1
    return Reason.SEATS_RESERVED if left < situation.reserved.needed_for_others(user) else None


def free_seats_are_cooling_down(user: str, situation: Situation) -> Reason | None:
    """Every free seat that is not kept for others is still in the cool-down of another user."""
    supply = situation.supply
    if supply.returns_to_cooling(user) or supply.at_hand > situation.reserved.needed_for_others(user):
        return None
    return Reason.SEATS_COOLING_DOWN


def budget_is_spent(user: str, situation: Situation) -> Reason | None:
    """Free seats have cooled down, but no seat may pass to another user in this window."""
    supply = situation.supply
    return None if supply.was_left_by(user) or supply.usable > 0 else Reason.REASSIGNMENT_BUDGET_SPENT


CHAIN: tuple[Check, ...] = (
    may_not_return_yet,
    every_seat_is_taken,
    free_seats_are_reserved,
    free_seats_are_cooling_down,
    budget_is_spent,
)


def refusal(user: str, situation: Situation) -> Reason | None:
    """Returns why this user cannot have a seat now. None: no check objects."""
    for check in CHAIN:
        reason = check(user, situation)
        if reason is not None:
            return reason
    return None
