"""How sure the numbers are: the past could have been another one.

Its days are drawn anew, with replacement, as many as there were (a bootstrap by days), and everything is worked out again
from the waits of the days that were drawn. The middle nine tenths of what comes out is the error bar. All numbers of
seats see the same draws, so that one draw is one past.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from seatpool.planner.target import Target
from seatpool.planner.waits import Day, Waits

CONFIDENCE = 0.9
FEWEST_DAYS = 5
"""With fewer days there is too little to draw from."""


@dataclass(frozen=True, slots=True)
class Band:
    """The middle nine tenths."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ErrorBars:
    """Of the curve and of the answer."""

    p50: Mapping[int, Band]
    """By the number of seats."""
    p95: Mapping[int, Band]
    seats: tuple[int, int | None] | None
    """How many seats the target needs; None above when some pasts need more than were tried."""


def error_bars(curve: Sequence[Waits], target: Target | None, *, resamples: int, seed: int) -> ErrorBars | None:
    """The error bars, None when there are too few days."""
    drawn = _draws(curve, resamples=resamples, seed=seed)
    if not drawn:
        return None
    return ErrorBars(
        p50={waits.seats: _band([waits.percentile_if(times, 50) for times in drawn]) for waits in curve},
        p95={waits.seats: _band([waits.percentile_if(times, 95) for times in drawn]) for waits in curve},
        seats=None if target is None else _seats_band(curve, target, drawn),
    )


def _draws(curve: Sequence[Waits], *, resamples: int, seed: int) -> list[Counter[Day]]:
    """How often each day was drawn, for each past."""
    days = sorted({day for waits in curve for day in waits.needs_of_day})
    draws_of_the_past = len({draw for draw, _ in days}) or 1
    count = round(len(days) / draws_of_the_past)
    if count < FEWEST_DAYS:
        return []
    random = Random(seed)  # noqa: S311
    return [Counter(random.choices(days, k=count)) for _ in range(resamples)]


def _seats_band(curve: Sequence[Waits], target: Target, drawn: Sequence[Counter[Day]]) -> tuple[int, int | None]:
    needed: list[float] = []
    for times in drawn:
        enough = (waits.seats for waits in curve if target.is_met_by(waits.of_if(times, target)))
        needed.append(next(enough, float("inf")))
    band = _band(needed)
    return int(min(band.low, curve[-1].seats)), None if band.high == float("inf") else int(band.high)


def _band(values: Sequence[float]) -> Band:
    ordered = sorted(values)
    outside = int(len(ordered) * (1 - CONFIDENCE) / 2)
    return Band(ordered[outside], ordered[-1 - outside])
