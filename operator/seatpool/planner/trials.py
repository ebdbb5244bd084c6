"""Tries numbers of seats on the past, in several processes if that is faster."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import active_children, get_context
from typing import Any

from seatpool.domain.rules import PoolRules
from seatpool.planner.past_demand import PastDemand
from seatpool.planner.replay import replay
from seatpool.planner.waits import Waits, collect_waits

WORTH_A_PROCESS = 400_000
"""From so many changes on, of some microseconds each, a process costs less than it saves."""

Told = Callable[[str], None]
"""Is told what is being done, in a few words, whenever it changes."""


class Trials:
    """Results of one pool's past, or several draws of it, with one set of rules and any number of seats."""

    def __init__(
        self, draws: Sequence[PastDemand], rules: PoolRules, *, processes: int, told: Told = lambda _words: None
    ) -> None:
        self._draws = draws
        self._rules = rules
        self._processes = processes
        self._tried: dict[int, Waits] = {}
        self._told = told

    @property
    def draws(self) -> Sequence[PastDemand]:
        return self._draws

    @property
    def at_once(self) -> int:
        """Returns how many numbers are best tried at once."""
        return max(1, 4 * self._processes if self.changes * 4 * self._processes >= WORTH_A_PROCESS else 1)

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
        for waits in self._replayed(missing):
            self._tried[waits.seats] = waits
            self._told(f"{self._draws[0].name}: numbers of seats replayed: {len(self._tried)}")
        return [self._tried[seats] for seats in wanted]

    def _replayed(self, numbers: Sequence[int]) -> Iterator[Waits]:
        batches = min(self._processes, len(numbers), len(numbers) * self.changes // WORTH_A_PROCESS)
        if batches <= 1:
            for seats in numbers:
                yield replay_seats(self._draws, self._rules, [seats])[0]
            return
        with process_pool(batches, _Worker.start, self._draws, self._rules) as pool:
            for job in as_completed([pool.submit(_Worker.replay, seats) for seats in numbers]):
                yield job.result()


class _Worker:
    """What a process of its own knows: it gets the past once, and then numbers of seats."""

    draws: Sequence[PastDemand]
    rules: PoolRules

    @classmethod
    def start(cls, draws: Sequence[PastDemand], rules: PoolRules) -> None:
        cls.draws, cls.rules = draws, rules

    @classmethod
    def replay(cls, seats: int) -> Waits:
        return replay_seats(cls.draws, cls.rules, [seats])[0]


def replay_seats(draws: Sequence[PastDemand], rules: PoolRules, numbers: Sequence[int]) -> list[Waits]:
    """Returns the waits for each of the numbers, one after the other."""
    return [
        collect_waits(seats, [(draw, replay(draw, replace(rules, seats=seats))) for draw in draws]) for seats in numbers
    ]


@contextmanager
def process_pool(count: int, start: Callable[..., None] | None = None, *known: Any) -> Iterator[ProcessPoolExecutor]:
    """Gives a pool of `count` processes. They are spawned, because a fork of a process with threads may hang.

    An interruption is for this process. It ends the others, which would each print where they were.
    """
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=start, initargs=known)
    try:
        with _interruptions_held():  # the processes inherit this, and are all started by the first job
            pool.submit(int)
        yield pool
    except BaseException:
        for process in active_children():
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interruptions_held() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def cpu_count() -> int:
    """Returns how many processes can run at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
