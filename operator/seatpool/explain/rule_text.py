"""Makes the message of the rule that decides, with the pool's own numbers."""

from collections.abc import Sequence
from datetime import datetime

from seatpool.api.base import format_duration
from seatpool.api.licensepool import LicensePool
from seatpool.api.rule_fields import duration_of
from seatpool.domain.allocation import Allocation
from seatpool.domain.instants import after
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules
from seatpool.explain.messages import MESSAGES, Message, message
from seatpool.text import TimeFormat, format_names


def field_of(reason: Reason) -> str:
    """Returns the field of a pool's spec that decides."""
    return MESSAGES[reason].field


def rule_message(
    reason: Reason,
    *,
    pool: LicensePool,
    rules: PoolRules,
    answer: Allocation,
    user: str,
    keys: Sequence[str],
    until: datetime | None,
    times: TimeFormat,
) -> Message:
    """Returns the message of the rule that decides about a user. `until` is the end of the seat or of the wait."""
    budget = rules.max_reassignments
    reserved = _reserved(rules, answer)
    ends = _cooled_at(rules, answer, times.now) if reason is Reason.SEATS_COOLING_DOWN else until
    return message(
        reason,
        user=user,
        pool=pool.key,
        workbenches=format_names(key.partition("/")[2] for key in keys) or "none that is known",
        seats=str(rules.seats),
        free=str(rules.seats - len(answer.users)),
        kept=format_names(reserved),
        others=f" or they are kept for others ({format_names(reserved)})" if reserved else "",
        used=str(answer.reassignments_used),
        count=str(budget.count if budget is not None else 0),
        window=format_duration(budget.window) if budget is not None else "",
        duration=_duration_of(reason, rules),
        until=times.format_time(ends),
    )


def _duration_of(reason: Reason, rules: PoolRules) -> str:
    duration = duration_of(rules, field_of(reason))
    return "" if duration is None else format_duration(duration)


def _cooled_at(rules: PoolRules, answer: Allocation, now: datetime) -> datetime | None:
    """Returns when the next of the free seats has cooled down. The last vacated seats are those that exist."""
    free = max(0, rules.seats - len(answer.users))
    vacated = answer.memory.vacated[max(0, len(answer.memory.vacated) - free) :]
    ends = (after(seat.at, rules.seat_cool_down) for seat in vacated)
    return min((end for end in ends if end > now), default=None)


def _reserved(rules: PoolRules, answer: Allocation) -> list[str]:
    """Returns the groups that free seats are reserved for, each with its number of seats."""
    holders = answer.memory.assigned
    open_seats = [reservation.seats for reservation in rules.reservations]
    for user in holders:
        index = rules.reservation_of(user)
        if index is not None:
            open_seats[index] -= 1
    reserved = [
        f"{left} for reservation {reservation.name}"
        for reservation, left in zip(rules.reservations, open_seats, strict=True)
        if left > 0
    ]
    missing = sorted(rules.always - holders.keys())
    return reserved + ([f"{len(missing)} for protectedUsers {format_names(missing)}"] if missing else [])
