"""Tries numbers of seats on the past, in several processes if that is faster."""

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

from seatpool.domain.rules import PoolRules
from seatpool.planner.past_demand import PastDemand
from seatpool.planner.replay import replay
from seatpool.planner.waits import Waits, collect_waits

WORTH_A_PROCESS = 400_000
"""From so many changes on, of some microseconds each, a process costs less than it saves."""


class Trials:
    """Results of one pool's past, or several draws of it, with one set of rules and any number of seats."""

    def __init__(self, draws: Sequence[PastDemand], rules: PoolRules, *, processes: int) -> None:
        self._draws = draws
        self._rules = rules
        self._processes = processes
        self._tried: dict[int, Waits] = {}

    @property
    def changes(self) -> int:
        """Returns how many changes one trial replays."""
        return 2 * sum(len(draw.needs) for draw in self._draws)

    @property
    def tried(self) -> list[Waits]:
        """Returns all results, by number of seats."""
        return [self._tried[seats] for seats in sorted(self._tried)]

    def waits(self, seats: int) -> Waits:
        return self.run([seats])[0]

    def run(self, numbers: Iterable[int]) -> list[Waits]:
        """Returns the waits for each of the numbers. Each number is replayed once."""
        wanted = list(numbers)
        missing = sorted(set(wanted) - self._tried.keys())
        batches = min(self._processes, len(missing), len(missing) * self.changes // WORTH_A_PROCESS)
        if batches <= 1:
            found = [replay_seats(self._draws, self._rules, missing)]
        else:
            with process_pool(batches) as pool:
                shares = [missing[start::batches] for start in range(batches)]
                found = list(pool.map(replay_seats, [self._draws] * batches, [self._rules] * batches, shares))
        self._tried |= {waits.seats: waits for batch in found for waits in batch}
        return [self._tried[seats] for seats in wanted]


def replay_seats(draws: Sequence[PastDemand], rules: PoolRules, numbers: Sequence[int]) -> list[Waits]:
    """Returns the waits for each of the numbers, one after the other."""
    return [
        collect_waits(seats, [(draw, replay(draw, replace(rules, seats=seats))) for draw in draws]) for seats in numbers
    ]


def process_pool(count: int) -> ProcessPoolExecutor:
    """Returns a pool of `count` processes. They are spawned, because a fork of a process with threads may hang."""
    return ProcessPoolExecutor(count, mp_context=get_context("spawn"))


def cpu_count() -> int:
    """Returns how many processes can run at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
