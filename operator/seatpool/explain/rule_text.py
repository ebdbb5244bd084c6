"""Makes the message of the rule that decides, with the pool's own numbers."""

from collections.abc import Callable, Sequence
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


def field_of(reason: str) -> str:
    """Returns the field of a pool's or server's spec that decides. `reason`: of a seat or of a condition."""
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
    named: Callable[[str], str] = str,
) -> Message:
    """Returns the message of the rule that decides about a user. `until` is the end of the seat or of the wait.

    `named` returns what the reader may see of a user's id.
    """
    budget = rules.max_reassignments
    reserved = _reserved(rules, answer, user, named)
    ends = _cooled_at(rules, answer, times.now) if reason is Reason.SEATS_COOLING_DOWN else until
    return message(
        reason,
        user=user,
        pool=pool.key,
        workbenches=format_names(key.partition("/")[2] for key in keys),
        seats=str(rules.seats),
        free=str(rules.seats - len(answer.users)),
        kept=format_names(reserved),
        others=f" or they are kept for others ({format_names(reserved)})" if reserved else "",
        used=str(answer.reassignments_used),
        count=str(budget.count if budget is not None else 0),
        window=format_duration(budget.window) if budget is not None else "",
        duration=_duration_of(reason, rules),
        until=times.format_time(ends),
        server=pool.spec.server_ref.name,
        problem=next((one.problem for one in pool.status.unlistable if one.user == user), "it has no such user"),
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


def _reserved(rules: PoolRules, answer: Allocation, user: str, named: Callable[[str], str]) -> list[str]:
    """Returns for whom free seats are kept from this user, each with the number of seats."""
    holders = answer.memory.assigned
    missing = sorted(rules.always - holders.keys() - {user})
    open_seats = [reservation.seats for reservation in rules.reservations]
    for holder in holders:
        index = rules.reservation_of(holder)
        if index is not None:
            open_seats[index] -= 1
    own = rules.reservation_of(user)
    if own is not None and open_seats[own] > 0:
        return [_protected(missing, named)] if missing else []
    inside = [[name for name in missing if rules.reservation_of(name) == index] for index in range(len(open_seats))]
    reserved = [
        f"{most} for reservation {reservation.name}"
        for reservation, left, within in zip(rules.reservations, open_seats, inside, strict=True)
        if (most := max(left, len(within))) > 0
    ]
    others = [name for name in missing if rules.reservation_of(name) is None]
    return reserved + ([_protected(others, named)] if others else [])


def _protected(users: Sequence[str], named: Callable[[str], str]) -> str:
    """Returns for whom seats are kept. Users whom the reader may not see make one name together."""
    return f"{len(users)} for protectedUsers {format_names(dict.fromkeys(map(named, users)))}"
