"""The range of an estimate holds in about eight of ten simulated queues, at every position in line.

Each queue is served first come, first served, and always has a line. The estimate sees what `why` sees: since when each seat is
held, and the summary of the last seats that ended.
"""

import math
import random
from collections.abc import Callable
from datetime import timedelta
from heapq import heapify, heappop, heappush, heapreplace
from statistics import mean

import pytest
from tests.unit.explain.cluster import NOW

from seatpool.domain.seat_durations import SeatDurations
from seatpool.policy.wait_estimate import Holder, WaitEstimate, estimate_waits

SEATS, POSITIONS, ENDED, QUEUES = 6, 20, 120, 60
HOUR = 3600.0
Draw = Callable[[random.Random], float]


def two_kinds(numbers: random.Random) -> float:
    """Ten minutes or nine hours."""
    return numbers.gauss(600, 120) if numbers.random() < 0.5 else numbers.gauss(9 * HOUR, HOUR / 2)


DURATIONS: dict[str, Draw] = {
    "exponential": lambda numbers: numbers.expovariate(1 / (2 * HOUR)),
    "lognormal": lambda numbers: numbers.lognormvariate(math.log(1.5 * HOUR), 1),
    "bimodal": two_kinds,
}


def queue(draw: Draw, seed: int) -> tuple[list[WaitEstimate | None], list[float]]:
    """Runs a queue to a random time. Returns the estimates then, and in how many seconds each position got its seat."""
    numbers = random.Random(seed)
    held = [(max(1.0, draw(numbers)), 0.0) for _ in range(SEATS)]
    heapify(held)
    ended: list[float] = []
    while len(ended) < 3 * SEATS + ENDED:
        end, begin = heappop(held)
        ended.append(end - begin)
        heappush(held, (end + max(1.0, draw(numbers)), end))
    now = held[0][0] - (held[0][0] - max(begin for _, begin in held)) * numbers.random()
    summary = SeatDurations.of(ended[-ENDED:])
    holders = [Holder(since=NOW - timedelta(seconds=now - begin), not_before=NOW, works=True) for _, begin in held]
    found = estimate_waits(holders, positions=POSITIONS, durations=summary, blocked=timedelta(0), now=NOW)
    ends, truth = sorted(end for end, _ in held), []
    for _ in range(POSITIONS):
        truth.append(ends[0] - now)
        heapreplace(ends, ends[0] + max(1.0, draw(numbers)))
    return found, truth


@pytest.mark.parametrize("name", DURATIONS)
def test_the_range_holds_in_about_eight_of_ten_cases_at_every_position(name: str) -> None:
    queues = [queue(DURATIONS[name], seed) for seed in range(QUEUES)]
    shares = []
    for position in range(POSITIONS):
        held = 0
        for found, truth in queues:
            estimate = found[position]
            assert estimate is not None
            held += estimate.begin <= NOW + timedelta(seconds=truth[position]) <= estimate.end
        shares.append(held / QUEUES)
    assert 0.75 <= mean(shares) <= 0.9, shares
    assert min(shares) >= 0.67  # 60 queues tell a share to within a tenth
    assert max(shares) <= 0.97
