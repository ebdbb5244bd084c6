"""Measures one call of `allocate` for a pool with so many users: first, again, and after one of them changed."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from seatpool.domain.allocate import allocate
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules, Reservation

SIZES = (100, 1_000, 5_000)
REPEATS = 15
NOW = datetime(2026, 1, 5, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Answer:
    """Microseconds a user. `one_more` is milliseconds for the whole call."""

    users: int
    first: float
    again: float
    one_more_ms: float


def measure() -> list[Answer]:
    return [_answer(users) for users in SIZES]


def _answer(users: int) -> Answer:
    """Measures with seats for nine of ten users, reservations, a linger time and a minimum hold."""
    rules = PoolRules(
        seats=users * 9 // 10,
        reservations=(Reservation(name="night", users=frozenset(), pattern="night-*", seats=users // 20),),
        linger=timedelta(minutes=15),
        minimum_hold=timedelta(hours=1),
    )
    needs = {f"user{n}": Need(f"user{n}", NOW - timedelta(seconds=n)) for n in range(users)}
    gone = {user: need for user, need in needs.items() if user != "user0"}
    first, again, one_more = [], [], []
    for _ in range(REPEATS):
        before = allocate(rules, gone, PoolMemory.empty(), NOW)
        first.append(_seconds(lambda: allocate(rules, needs, PoolMemory.empty(), NOW)))
        again.append(_seconds(lambda: allocate(rules, gone, before.memory, NOW)))
        one_more.append(_seconds(lambda: allocate(rules, needs, before.memory, NOW)))
    return Answer(users, median(first) / users * 1e6, median(again) / users * 1e6, median(one_more) * 1e3)


def _seconds(call: object) -> float:
    assert callable(call)
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
