"""Computes error bars: how much the numbers would differ in another, equally likely past.

The days of the past are drawn anew, with replacement, as many as there were (a bootstrap by days). Everything is
computed again from the waits of the drawn days. The error bar is the middle 90 % of the results. All numbers of seats
use the same draws.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from seatpool.planner.target import Target
from seatpool.planner.waits import Day, Waits

CONFIDENCE = 0.9
P95 = Target.read("p95 wait < 0s")
FEWEST_DAYS = 5
"""With fewer days there are no error bars."""


@dataclass(frozen=True, slots=True)
class Band:
    """The middle 90 % of some values."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ErrorBars:
    """Error bars of the curve and of the number of seats."""

    p95: Mapping[int, Band]
    """Band of the 95th percentile of waits, by number of seats."""
    seats: tuple[int, int | None] | None
    """Band of the number of seats that the target needs. None above: some pasts need more than were tried."""


def error_bars(curve: Sequence[Waits], target: Target | None, *, resamples: int, seed: int) -> ErrorBars | None:
    """Returns the error bars. None: there are too few days."""
    pasts = _draws(curve, resamples=resamples, seed=seed)
    if not pasts:
        return None
    p95 = {waits.seats: [waits.resampled_value(times, P95) for times in pasts] for waits in curve}
    bounded = p95
    if target is not None and (target.statistic, target.percent) != (P95.statistic, P95.percent):
        bounded = {waits.seats: [waits.resampled_value(times, target) for times in pasts] for waits in curve}
    return ErrorBars(
        p95={seats: _band(values) for seats, values in p95.items()},
        seats=None if target is None else _seats_band(bounded, target, len(pasts)),
    )


def _draws(curve: Sequence[Waits], *, resamples: int, seed: int) -> list[Counter[Day]]:
    """Returns for each resampled past how often each day was drawn."""
    days = sorted({day for waits in curve for day in waits.needs_of_day})
    draws_of_the_past = len({draw for draw, _ in days}) or 1
    count = round(len(days) / draws_of_the_past)
    if count < FEWEST_DAYS:
        return []
    random = Random(seed)  # noqa: S311
    return [Counter(random.choices(days, k=count)) for _ in range(resamples)]


def _seats_band(bounded: Mapping[int, Sequence[float]], target: Target, pasts: int) -> tuple[int, int | None]:
    numbers = sorted(bounded)
    needed: list[float] = []
    for past in range(pasts):
        enough = (seats for seats in numbers if target.is_met_by(bounded[seats][past]))
        needed.append(next(enough, math.inf))
    band = _band(needed)
    return int(min(band.low, numbers[-1])), None if band.high == math.inf else int(band.high)


def _band(values: Sequence[float]) -> Band:
    ordered = sorted(values)
    outside = int(len(ordered) * (1 - CONFIDENCE) / 2)
    return Band(ordered[outside], ordered[-1 - outside])
