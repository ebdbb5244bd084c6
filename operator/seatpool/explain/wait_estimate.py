"""When a seat is likely to come free, from how long the last ones were held.

Nobody knows when a person stops working. What is known is since when everybody has a seat, when lingering seats end, and how
long seats of the pool lasted before; from these the pool's next hours are drawn many times, always with the same random
numbers, so that the same question has the same answer.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.domain.seat_durations import SeatDurations

FEWEST = 20
"""From fewer seats nothing is concluded."""
MOST_DRAWS = 400
NUMBERS = 100_000
"""Random numbers for one answer, at most; a large pool needs fewer draws for the same certainty."""
EARLY, LATE = 0.1, 0.9
"""The range leaves out one case in ten on either side."""


@dataclass(frozen=True, slots=True)
class Likely:
    """Eight times of ten a seat comes in this range."""

    begin: datetime
    end: datetime
    seats: int
    """From how many earlier seats this is concluded."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody whose seat may come free."""

    since: datetime
    not_before: datetime
    """When it would come free if the holder stopped now."""
    works: bool
    """Else the holder has stopped, and `not_before` is certain."""


def likely(
    holders: Sequence[Holder], *, position: int, lengths: SeatDurations, blocked: timedelta, now: datetime
) -> Likely | None:
    """When the seat for the one at this position comes; None when what was seen before does not tell.

    `blocked` is for how long a freed seat is kept from others.
    """
    if not 0 < position <= len(holders):
        return None
    numbers = random.Random(0)  # noqa: S311
    count = max(50, min(MOST_DRAWS, NUMBERS // len(holders)))
    draws = sorted(
        sorted(_end(holder, lengths, share=numbers.random(), now=now) for holder in holders)[position - 1]
        for _ in range(count)
    )
    begin, end = draws[int(count * EARLY)], draws[int(count * LATE)]
    if end == float("inf"):
        return None
    return Likely(
        begin=now + timedelta(seconds=begin) + blocked, end=now + timedelta(seconds=end) + blocked, seats=lengths.seats
    )


def _end(holder: Holder, lengths: SeatDurations, *, share: float, now: datetime) -> float:
    """In how many seconds the seat comes free; never, as far as anybody knows, when none was held for so long before."""
    soonest = max(0.0, (holder.not_before - now).total_seconds())
    if not holder.works:
        return soonest
    rest = lengths.rest((now - holder.since).total_seconds(), share=share)
    return float("inf") if rest is None else max(soonest, rest)
