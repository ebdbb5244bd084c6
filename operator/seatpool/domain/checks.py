"""The rules that refuse a seat, in the order in which they are asked; the first that fails decides.

Each check is a question about one person and the situation of the pool, and says nothing when it has no objection. What
it says is both the decision and its explanation.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from seatpool.domain.reasons import Reason
from seatpool.domain.reserved_seats import Kept
from seatpool.domain.supply import Supply


@dataclass(frozen=True, slots=True)
class Situation:
    """All that the checks look at."""

    readmit: Mapping[str, datetime]
    supply: Supply
    kept: Kept


Check = Callable[[str, Situation], Reason | None]


def left_too_lately(user: str, situation: Situation) -> Reason | None:
    """`readmitAfter` is not over for this person."""
    return Reason.READMISSION_BLOCKED if user in situation.readmit else None


def every_seat_is_taken(_user: str, situation: Situation) -> Reason | None:
    """There is no free seat of any kind."""
    return Reason.POOL_FULL if situation.supply.free <= 0 else None


def free_seats_are_cooling_down(user: str, situation: Situation) -> Reason | None:
    """All free seats were vacated by others lately."""
    supply = situation.supply
    if supply.was_left_by(user) or supply.usable > 0 or supply.cooled > 0:
        return None
    return Reason.SEATS_COOLING_DOWN


def budget_is_spent(user: str, situation: Situation) -> Reason | None:
    """Free seats have cooled down, but none may pass to another person in this window."""
    supply = situation.supply
    return None if supply.was_left_by(user) or supply.usable > 0 else Reason.REASSIGNMENT_BUDGET_SPENT


def free_seats_are_kept(user: str, situation: Situation) -> Reason | None:
    """Others have a stronger claim to what is free."""
    left = situation.supply.left_for_others(user)
    return Reason.SEATS_RESERVED if left < situation.kept.beyond(user) else None


CHAIN: tuple[Check, ...] = (
    left_too_lately,
    every_seat_is_taken,
    free_seats_are_cooling_down,
    budget_is_spent,
    free_seats_are_kept,
)


def refusal(user: str, situation: Situation) -> Reason | None:
    """Why this person cannot have a seat now, None when nothing is against it."""
    for check in CHAIN:
        reason = check(user, situation)
        if reason is not None:
            return reason
    return None
