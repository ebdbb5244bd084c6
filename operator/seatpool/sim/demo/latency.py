"""Measures the time from an event's arrival in the queue to the change of the license server's own list.

Only events that change a list by themselves are measured. A user who waits gets the seat when another one leaves, and
that is a wait. An event that its opposite supersedes before anything was written changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf

from seatpool.sim.demo.expected_needs import ExpectedNeeds, NeedInterval
from seatpool.sim.demo.record import ListRecord, Records

__all__ = ["Percentiles", "latencies", "latency_of", "percentiles"]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles in milliseconds. None: nothing was measured."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


def latencies(expected: ExpectedNeeds, records: Records, *, lingers: bool) -> list[float]:
    """Returns all latencies in seconds. While seats linger, releases are late on purpose and are not measured."""
    found: list[float] = []
    for product, pool in expected.pools.items():
        for user, intervals in expected.intervals(product).items():
            found += _of_person(user, intervals, records[product], seats=pool.seats, lingers=lingers)
    return found


def latency_of(expected: ExpectedNeeds, product: str, user: str, *, on: bool, at: float) -> float | None:
    """Returns the latency of a change that was seen at `at`, as far as it is known while the demo runs."""
    turns = [turn for turn in _turns(expected.intervals(product).get(user, ())) if turn.on == on and turn.at <= at]
    if not turns or (on and turns[-1].crowded):
        return None
    return at - turns[-1].at


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """Returns nearest-rank percentiles."""
    ordered = sorted(seconds)

    def rank(share: float) -> float | None:
        return round(ordered[max(0, ceil(share * len(ordered)) - 1)] * 1000, 1) if ordered else None

    return Percentiles(p50=rank(0.5), p95=rank(0.95), p99=rank(0.99), max=rank(1))


@dataclass(frozen=True, slots=True)
class _Turn:
    at: float
    on: bool
    crowded: bool


def _turns(intervals: Sequence[NeedInterval]) -> list[_Turn]:
    turns = []
    for interval in intervals:
        turns.append(_Turn(interval.began, True, interval.crowded))
        if interval.ended is not None:
            turns.append(_Turn(interval.ended, False, False))
    return turns


def _of_person(
    user: str, intervals: Sequence[NeedInterval], record: ListRecord, *, seats: int, lingers: bool
) -> Iterator[float]:
    turns = _turns(intervals)
    for index, turn in enumerate(turns):
        if turn.crowded or (lingers and not turn.on) or record.was_on(user, turn.at) == turn.on:
            continue
        done = record.next_turn(user, turn.at, on=turn.on)
        following = turns[index + 2].at if index + 2 < len(turns) else inf
        if done is None or done >= following:
            continue
        if turn.on and record.was_full_without(user, seats=seats, after=turn.at, before=done):
            continue
        yield done - turn.at
