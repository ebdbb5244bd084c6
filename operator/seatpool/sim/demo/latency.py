"""How long it took from an event's arrival in the queue to the change on the license server's own list.

Only events that by themselves change a list are measured. Somebody who has to wait gets the seat when another leaves:
that is a wait, no latency. An event that is superseded by its opposite before anything was written changes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, inf

from seatpool.sim.demo.known import Known, Spell
from seatpool.sim.demo.record import ListRecord, Records

__all__ = ["Percentiles", "latencies", "latency_of", "percentiles"]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """In milliseconds; None where nothing was measured."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None


def latencies(known: Known, records: Records, *, lingers: bool) -> list[float]:
    """All of them in seconds. While seats linger, a release is late on purpose and is not measured."""
    found: list[float] = []
    for product, pool in known.pools.items():
        for user, spells in known.spells(product).items():
            found += _of_person(user, spells, records[product], seats=pool.seats, lingers=lingers)
    return found


def latency_of(known: Known, product: str, user: str, *, on: bool, at: float) -> float | None:
    """From the event behind a change that was seen at `at`, as far as it can be told while things go on."""
    turns = [turn for turn in _turns(known.spells(product).get(user, ())) if turn.on == on and turn.at <= at]
    if not turns or (on and turns[-1].crowded):
        return None
    return at - turns[-1].at


def percentiles(seconds: Sequence[float]) -> Percentiles:
    """By the nearest rank."""
    ordered = sorted(seconds)

    def rank(share: float) -> float | None:
        return round(ordered[max(0, ceil(share * len(ordered)) - 1)] * 1000, 1) if ordered else None

    return Percentiles(p50=rank(0.5), p95=rank(0.95), p99=rank(0.99), max=rank(1))


@dataclass(frozen=True, slots=True)
class _Turn:
    at: float
    on: bool
    crowded: bool


def _turns(spells: Sequence[Spell]) -> list[_Turn]:
    turns = []
    for spell in spells:
        turns.append(_Turn(spell.began, True, spell.crowded))
        if spell.ended is not None:
            turns.append(_Turn(spell.ended, False, False))
    return turns


def _of_person(user: str, spells: Sequence[Spell], record: ListRecord, *, seats: int, lingers: bool) -> Iterator[float]:
    turns = _turns(spells)
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
