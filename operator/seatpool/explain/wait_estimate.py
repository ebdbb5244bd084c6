"""Estimates when a waiting user gets a seat, from how long the last seats were held.

No one knows when a user stops working. Known are the start of every seat, the end of lingering seats, and the durations of
earlier seats of the pool. From these the pool's next hours are drawn many times: the first seat that ends goes to the first in
line, who holds it for a duration of its own. The random numbers are always the same, so the same input gives the same
estimate.

Durations tell when a seat comes free. The rules decide whether it then goes to the next user in line. So an estimate is
made only under two conditions: nothing but full seats keeps the user waiting, and no rule may keep the freed seat or let
another user pass.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heapreplace

from seatpool.domain.allocation import InLine
from seatpool.domain.instants import NEVER, after
from seatpool.domain.reasons import Reason
from seatpool.domain.residual import Residual
from seatpool.domain.rules import Order
from seatpool.domain.seat_durations import SeatDurations
from seatpool.explain.messages import Message, MessageId, message
from seatpool.explain.rule_text import field_of
from seatpool.explain.simulation import Simulation
from seatpool.text import TimeFormat

MIN_SEATS = 20
"""Ended seats that an estimate needs."""
MAX_DRAWS = 400
MIN_DRAWS = 50
MAX_RANDOM_NUMBERS = 100_000
"""Random numbers of one estimate. A large pool needs fewer draws for the same certainty."""
LEFT_OUT = 0.09
"""Share of the draws that the range leaves out on either side. It is less than a tenth, because the summary is coarse."""
FEW_SEATS = 15
"""A range from few seats is wider, because they may be unusual: from so many, it leaves out half of that."""


@dataclass(frozen=True, slots=True)
class WaitEstimate:
    """A range in which the seat comes in about eight of ten cases."""

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


Estimates = Sequence[WaitEstimate | None]
"""The estimate of each place in line. None: earlier seats do not tell."""
Remembered = Callable[[Callable[[], Estimates]], Estimates]
"""Returns the estimates of the whole line: those that it remembers, or those that its argument computes."""


def describe_wait(
    simulation: Simulation,
    place: InLine,
    *,
    expected: datetime | None,
    times: TimeFormat,
    remembered: Remembered | None = None,
) -> tuple[WaitEstimate | None, tuple[Message, ...]]:
    """Returns the estimate and its message, or the message that says why there is none.

    `expected` is when the seat comes if no workbench starts or stops before. `remembered`: None computes the estimate alone.
    """
    if not simulation.may_release:
        return None, ()  # the problem that holds releases is shown instead
    reason = _obstacle(simulation, place)
    if reason is not None:
        is_rule = reason.id == MessageId.RULES_DECIDE_TOO
        return None, () if is_rule and expected is not None else (reason,)
    found = _estimates(simulation, place.position, remembered)[-1]
    if found is None:
        return None, (_no_estimate(simulation),)
    if expected is not None:
        found = WaitEstimate(begin=min(found.begin, expected), end=min(found.end, expected), seats=found.seats)
        if found.begin == found.end:
            return None, ()
    begin, end = times.format_time(found.begin), times.format_time(found.end)
    about = MessageId.LIKELY_TIME if begin == end else MessageId.LIKELY_RANGE
    return found, (message(about, begin=begin, end=end, seats=str(found.seats)),)


def estimate_line(
    simulation: Simulation, *, remembered: Remembered | None = None
) -> tuple[tuple[WaitEstimate | None, ...], Message | None]:
    """Returns the estimate of each place in line, and why the first has none."""
    waiting = simulation.answer.waiting
    if not waiting or not simulation.may_release:
        return (), None
    obstacles = [_obstacle(simulation, place) for place in waiting]
    count = next((index for index, one in enumerate(obstacles) if one is not None), len(waiting))
    if count == 0:
        return (), obstacles[0]
    found = tuple(_estimates(simulation, count, remembered))
    return found, None if found[0] is not None else _no_estimate(simulation)


def _obstacle(simulation: Simulation, place: InLine) -> Message | None:
    """Returns why no estimate can be made for a place. None: nothing is in the way."""
    pool = simulation.pool
    field = _other_rule(simulation, place)
    if field is not None:
        return message(MessageId.RULES_DECIDE_TOO, field=f"spec.{field}", pool=pool.key)
    known = pool.status.seat_lengths
    count = 0 if known is None else known.seats
    if count < MIN_SEATS:
        return message(MessageId.TOO_FEW_SEATS, fewest=str(MIN_SEATS), pool=pool.key, count=str(count))
    return None


def _no_estimate(simulation: Simulation) -> Message:
    known = simulation.pool.status.seat_lengths
    return message(MessageId.LONGER_THAN_BEFORE, seats=str(0 if known is None else known.seats))


def _estimates(simulation: Simulation, positions: int, remembered: Remembered | None) -> Estimates:
    if remembered is not None:
        return remembered(lambda: _estimates(simulation, len(simulation.answer.waiting), None))[:positions]
    known, pool = simulation.pool.status.seat_lengths, simulation.pool
    assert known is not None  # noqa: S101
    return estimate_waits(
        holders(simulation), positions=positions, durations=SeatDurations(known.seats, known.seconds),
        blocked=pool.spec.seat_cool_down, now=simulation.now,
    )  # fmt: skip


def estimate_waits(
    holders: Sequence[Holder], *, positions: int, durations: SeatDurations, blocked: timedelta, now: datetime
) -> list[WaitEstimate | None]:
    """Returns when the seat for each of the first so many positions in line comes. None: earlier seats do not tell.

    `blocked` is how long a freed seat is kept from other users.
    """
    if not holders:
        return [None] * positions
    numbers = random.Random(0)  # noqa: S311
    count = max(MIN_DRAWS, min(MAX_DRAWS, MAX_RANDOM_NUMBERS // (len(holders) + positions)))
    draws: list[list[float]] = [[] for _ in range(positions)]
    pause = blocked.total_seconds()
    for _ in range(count):
        drawn = Residual(durations, numbers)
        ends = [_end(holder, drawn, now=now) for holder in holders]
        heapify(ends)
        for position in draws:
            comes = ends[0] + pause
            position.append(comes)
            heapreplace(ends, comes + drawn.whole())
    left_out = LEFT_OUT / (1 + FEW_SEATS / durations.seats)
    return [_range(position, left_out, durations.seats, now=now) for position in draws]


def _range(draws: list[float], left_out: float, seats: int, *, now: datetime) -> WaitEstimate | None:
    draws.sort()
    begin, end = draws[int(len(draws) * left_out)], draws[int(len(draws) * (1 - left_out))]
    if end == math.inf or (last := _later(now, end)) == NEVER:
        return None
    return WaitEstimate(begin=_later(now, begin), end=last, seats=seats)


def _later(now: datetime, seconds: float) -> datetime:
    try:
        return after(now, timedelta(seconds=seconds))
    except OverflowError:
        return NEVER


def _end(holder: Holder, drawn: Residual, *, now: datetime) -> float:
    """Returns in how many seconds the seat comes free. Infinity: no earlier seat was held for so long."""
    soonest = max(0.0, (holder.not_before - now).total_seconds())
    return max(soonest, drawn.rest((now - holder.since).total_seconds())) if holder.works else soonest


def _other_rule(simulation: Simulation, place: InLine) -> str | None:
    """Returns the field of a rule that may keep a freed seat from the line."""
    spec = simulation.pool.spec
    if place.reason is not Reason.POOL_FULL:
        return field_of(place.reason)
    if spec.reservations:
        return "reservations"
    ahead = simulation.answer.waiting[: place.position]
    if (other := next((one.reason for one in ahead if one.reason is not Reason.POOL_FULL), None)) is not None:
        return field_of(other)
    rules = simulation.rules
    highest = max((one.weight for one in rules.priorities), default=0) if rules.order is Order.PRIORITY else 0
    if rules.weight_of(place.user) < max(0, highest):
        return "priorities"  # who comes later may be served first
    budget = spec.max_reassignments
    if budget is not None and simulation.answer.reassignments_used + place.position > budget.count:
        return "maxReassignments"
    return None


def holders(simulation: Simulation) -> list[Holder]:
    """Returns the holders, without the protected users, who keep their seats for ever."""
    answer, always = simulation.answer, simulation.rules.always
    return [
        Holder(since=grant.since, not_before=simulation.end_if_stopped(grant), works=user in simulation.needs)
        for user, grant in answer.memory.assigned.items()
        if user not in always
    ]
