"""Estimates when a waiting user gets a seat, from how long the last seats were held.

No one knows when a user stops working. Known are the start of every seat, the end of lingering seats, and the durations of
earlier seats of the pool. From these the pool's next hours are drawn many times. The random numbers are always the same, so
the same input gives the same estimate.

Durations tell when a seat comes free. The rules decide whether it then goes to the next user in line. So an estimate is
made only under two conditions: nothing but full seats keeps the user waiting, and no rule may keep the freed seat.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.domain.allocation import InLine
from seatpool.domain.reasons import Reason
from seatpool.domain.seat_durations import SeatDurations
from seatpool.explain.messages import Message, MessageId, message
from seatpool.explain.rule_text import field_of
from seatpool.explain.simulation import Simulation
from seatpool.text import TimeFormat

MIN_SEATS = 20
"""Ended seats that an estimate needs."""
MAX_DRAWS = 400
MAX_RANDOM_NUMBERS = 100_000
"""Random numbers of one estimate. A large pool needs fewer draws for the same certainty."""
EARLY, LATE = 0.1, 0.9
"""The range leaves out one case in ten on either side."""


@dataclass(frozen=True, slots=True)
class WaitEstimate:
    """A range in which the seat comes, eight times of ten."""

    begin: datetime
    end: datetime
    seats: int
    """Ended seats that the estimate is made from."""


@dataclass(frozen=True, slots=True)
class Holder:
    """A user whose seat may come free."""

    since: datetime
    not_before: datetime
    """When the seat comes free if the holder stops now."""
    works: bool
    """False: the holder has stopped, and `not_before` is certain."""


def describe_wait(
    simulation: Simulation, place: InLine, *, expected: datetime | None, times: TimeFormat
) -> tuple[WaitEstimate | None, tuple[Message, ...]]:
    """Returns the estimate and its message, or the message that says why there is none.

    `expected` is when the seat comes if no workbench starts or stops before.
    """
    pool, now = simulation.pool, simulation.now
    if not simulation.may_release:
        return None, ()  # the problem that holds releases is shown instead
    field = _other_rule(simulation, place)
    if field is not None:
        text = message(MessageId.RULES_DECIDE_TOO, field=f"spec.{field}", pool=pool.key)
        return None, () if expected is not None else (text,)
    known = pool.status.seat_lengths
    if known is None or known.seats < MIN_SEATS:
        count = 0 if known is None else known.seats
        return None, (message(MessageId.TOO_FEW_SEATS, fewest=str(MIN_SEATS), pool=pool.key, count=str(count)),)
    found = estimate_wait(
        _holders(simulation), position=place.position, durations=SeatDurations(known.seats, known.seconds),
        blocked=pool.spec.seat_cool_down, now=now,
    )  # fmt: skip
    if found is None:
        return None, (message(MessageId.LONGER_THAN_BEFORE, seats=str(known.seats)),)
    if expected is not None:
        found = WaitEstimate(begin=min(found.begin, expected), end=min(found.end, expected), seats=found.seats)
        if found.begin == found.end:
            return None, ()
    begin, end = times.format_time(found.begin), times.format_time(found.end)
    return found, (message(MessageId.LIKELY_RANGE, begin=begin, end=end, seats=str(found.seats)),)


def estimate_wait(
    holders: Sequence[Holder], *, position: int, durations: SeatDurations, blocked: timedelta, now: datetime
) -> WaitEstimate | None:
    """Returns when the seat for this position in line comes. None: earlier seats do not tell.

    `blocked` is how long a freed seat is kept from other users.
    """
    if not 0 < position <= len(holders):
        return None
    numbers = random.Random(0)  # noqa: S311
    count = max(50, min(MAX_DRAWS, MAX_RANDOM_NUMBERS // len(holders)))
    draws = sorted(
        sorted(_end(holder, durations, share=numbers.random(), now=now) for holder in holders)[position - 1]
        for _ in range(count)
    )
    begin, end = draws[int(count * EARLY)], draws[int(count * LATE)]
    if end == float("inf"):
        return None
    return WaitEstimate(
        begin=now + timedelta(seconds=begin) + blocked,
        end=now + timedelta(seconds=end) + blocked,
        seats=durations.seats,
    )


def _end(holder: Holder, durations: SeatDurations, *, share: float, now: datetime) -> float:
    """Returns in how many seconds the seat comes free. Infinity: no earlier seat was held for so long."""
    soonest = max(0.0, (holder.not_before - now).total_seconds())
    if not holder.works:
        return soonest
    rest = durations.rest((now - holder.since).total_seconds(), share=share)
    return float("inf") if rest is None else max(soonest, rest)


def _other_rule(simulation: Simulation, place: InLine) -> str | None:
    """Returns the field of a rule that may keep a freed seat from the line."""
    spec = simulation.pool.spec
    if place.reason is not Reason.POOL_FULL:
        return field_of(place.reason)
    if spec.reservations:
        return "reservations"
    budget = spec.max_reassignments
    if budget is not None and simulation.answer.reassignments_used + place.position > budget.count:
        return "maxReassignments"
    return None


def _holders(simulation: Simulation) -> list[Holder]:
    """Returns the holders, without the protected users, who keep their seats for ever."""
    answer, always = simulation.answer, simulation.rules.always
    return [
        Holder(since=grant.since, not_before=simulation.end_if_stopped(grant), works=user in simulation.needs)
        for user, grant in answer.memory.assigned.items()
        if user not in always
    ]
