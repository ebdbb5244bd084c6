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
from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heapreplace

from seatpool.api import rule_fields
from seatpool.api.licensepool import LicensePool
from seatpool.domain.allocation import Allocation, InLine
from seatpool.domain.instants import NEVER, after
from seatpool.domain.memory import Grant
from seatpool.domain.reasons import Reason
from seatpool.domain.residual import Residual
from seatpool.domain.rules import Order, PoolRules
from seatpool.domain.seat_durations import SeatDurations
from seatpool.domain.tenure import tenure_of, with_idle_since

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The waiting line of a pool, and the holders whose seats it waits for."""

    pool: LicensePool
    rules: PoolRules
    answer: Allocation
    """The allocation of this moment."""
    working: Container[str]
    """Users with an active workbench."""
    now: datetime

    @property
    def known_seats(self) -> int:
        """Number of ended seats that are known."""
        known = self.pool.status.seat_lengths
        return 0 if known is None else known.seats

    def rule_in_the_way(self, place: InLine) -> Reason | str | None:
        """Returns the reason, or the field of a rule, that may keep a freed seat from a place in line. None: no rule may."""
        spec = self.pool.spec
        if place.reason is not Reason.POOL_FULL:
            return place.reason
        if spec.reservations:
            return "reservations"
        ahead = self.answer.waiting[: place.position]
        if (other := next((one.reason for one in ahead if one.reason is not Reason.POOL_FULL), None)) is not None:
            return other
        rules = self.rules
        highest = max((one.weight for one in rules.priorities), default=0) if rules.order is Order.PRIORITY else 0
        if rules.weight_of(place.user) < max(0, highest):
            return "priorities"  # who comes later may be served first
        budget = spec.max_reassignments
        if budget is not None and self.answer.reassignments_used + place.position > budget.count:
            return rule_fields.MAX_REASSIGNMENTS.spec
        return None

    def estimates(self, positions: int, *, most_numbers: int = MAX_RANDOM_NUMBERS) -> "list[WaitEstimate | None]":
        """Returns the estimate of each of the first so many positions. None: earlier seats do not tell, or are too few."""
        known = self.pool.status.seat_lengths
        if known is None or known.seats < MIN_SEATS:
            return [None] * positions
        return estimate_waits(
            self._holders(), positions=positions, durations=SeatDurations(known.seats, known.seconds),
            blocked=self.pool.spec.seat_cool_down, now=self.now, most_numbers=most_numbers,
        )  # fmt: skip

    def _holders(self) -> list[Holder]:
        """Returns the holders, without the protected users, who keep their seats for ever."""
        return [
            Holder(
                since=grant.since,
                not_before=end_if_stopped(grant, rules=self.rules, now=self.now),
                works=user in self.working,
            )
            for user, grant in self.answer.memory.assigned.items()
            if user not in self.rules.always
        ]


def end_if_stopped(grant: Grant, *, rules: PoolRules, now: datetime) -> datetime:
    """Returns when the seat comes free if its holder stops now, or has stopped already."""
    return tenure_of(with_idle_since(grant, needed=False, now=now), rules=rules).until or now


def estimate_waits(
    holders: Sequence[Holder],
    *,
    positions: int,
    durations: SeatDurations,
    blocked: timedelta,
    now: datetime,
    most_numbers: int = MAX_RANDOM_NUMBERS,
) -> list[WaitEstimate | None]:
    """Returns when the seat for each of the first so many positions in line comes. None: earlier seats do not tell.

    `blocked` is how long a freed seat is kept from other users. `most_numbers` bounds the work: if it is less than the
    default and too little for the pool, there is no estimate.
    """
    if not holders or (most_numbers < MAX_RANDOM_NUMBERS and MIN_DRAWS * (len(holders) + positions) > most_numbers):
        return [None] * positions
    numbers = random.Random(0)  # noqa: S311
    count = max(MIN_DRAWS, min(MAX_DRAWS, most_numbers // (len(holders) + positions)))
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
