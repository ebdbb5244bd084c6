"""Computes error bars: how much the numbers would differ in another, equally likely past.

The days of the past are drawn anew, with replacement, as many as there were (a bootstrap by blocks). If whole weeks are
busy or quiet, a week is drawn with all its days. Everything is computed again from the waits of the drawn days. All
numbers of seats use the same draws.

The range of a statistic is the middle 90 % of the results if there are very many blocks. With fewer it is wider: a few
blocks vary less among each other than those that they are a sample of. The range is that of Student's distribution with
so many blocks (an expanded percentile interval).
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from statistics import NormalDist, mean, variance

from seatpool.planner.target import Statistic, Target
from seatpool.planner.trials import Trials
from seatpool.planner.waits import Day, Waits

CONFIDENCE = 0.9
FEWEST_DAYS = 10
"""With needs on fewer days there are no error bars."""
ENOUGH_DAYS = 56
"""With needs on fewer days a kind of day may be missing that comes once in two weeks, and weeks that differ may look alike."""
ENOUGH_WEEKS = 26
"""If whole weeks are busy or quiet, it takes so many to know how many are. With fewer the range may be too narrow."""
FEWEST_WEEKS = 4
"""With fewer weeks nobody can see whether they differ, and days are drawn."""
WEEKS_DIFFER = 1.8
"""Weeks differ if their needs vary so many times as much as those of weeks that were put together from any days."""
FEWEST_EXCEEDING = 5
"""A target that permits fewer needs than this to wait too long is as good as a maximum."""


@dataclass(frozen=True, slots=True)
class Band:
    """The middle of some values, so wide that 90 % of other pasts have a value in it."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ErrorBars:
    """Error bars of the curve and of the number of seats."""

    p95: Mapping[int, Band]
    """Band of the 95th percentile of waits, by number of seats. Empty: there are too few days."""
    seats: tuple[int, int | None] | None
    """Band of the number of seats that the target needs. None above: some pasts need more than were tried."""
    note: str | None
    """Why there is no band of the number of seats, or why it may be too narrow."""


def error_bars(trials: Trials, target: Target | None, *, lowest: int, top: int, resamples: int, seed: int) -> ErrorBars:
    """Returns the error bars. It tries more numbers from `lowest` to `top` where they decide the bars."""
    pasts = ResampledPasts(trials.tried[-1], resamples=resamples, seed=seed)
    seats, note = None, None
    if target is not None:
        seats, note = range_of_seats(trials, target, pasts, lowest=lowest, top=top)
    p95 = {
        waits.seats: pasts.band([waits.resampled_percentile(times, 95) for times in pasts.times])
        for waits in trials.tried
        if pasts.times
    }
    return ErrorBars(p95, seats, note)


def range_of_seats(
    trials: Trials, target: Target, pasts: "ResampledPasts", *, lowest: int, top: int
) -> tuple[tuple[int, int | None] | None, str | None]:
    """Returns the range of the number of seats, and why there is none or why it may be too narrow."""
    if not pasts.times:
        return None, f"no range: needs began on {pasts.days} days, and a range takes {FEWEST_DAYS}"
    no_range = _why_no_range(target, trials.tried[-1].needs // len(trials.draws))
    if no_range is not None:
        return None, no_range
    return _SeatsNeeded(trials, pasts, target).band(lowest=lowest, top=top), pasts.why_too_short


class ResampledPasts:
    """Pasts of blocks that were drawn from the blocks of one past, or of several draws of it."""

    def __init__(self, waits: Waits, *, resamples: int, seed: int) -> None:
        days = sorted(waits.needs_of_day)
        draws = len({draw for draw, _ in days}) or 1
        weeks = _weeks(days)
        self.days = round(len(days) / draws)
        """On how many days a need began."""
        self._weeks_differ = len(weeks) / draws >= FEWEST_WEEKS and _do_weeks_differ(waits.needs_of_day, weeks)
        blocks: Sequence[Sequence[Day]] = weeks if self._weeks_differ else [[day] for day in days]
        self._count = round(len(blocks) / draws)
        random = Random(seed)  # noqa: S311
        self.times: Sequence[Counter[Day]] = [
            Counter(day for block in random.choices(blocks, k=self._count) for day in block)
            for _ in range(resamples if self.days >= FEWEST_DAYS else 0)
        ]
        """How often each day is in each past. Empty: there are too few days."""
        self.needs: Sequence[int] = [
            sum(count * waits.needs_of_day[day] for day, count in times.items()) for times in self.times
        ]
        """Number of needs in each past."""

    @property
    def why_too_short(self) -> str | None:
        """Returns why a range from this past may be too narrow. None: it is long enough."""
        if self._weeks_differ and self._count < ENOUGH_WEEKS:
            return (
                f"short past: its {self._count} weeks differ from each other; "
                f"with fewer than {ENOUGH_WEEKS} such weeks the range may be too narrow"
            )
        if self.days < ENOUGH_DAYS:
            return f"short past: needs began on {self.days} days; with fewer than {ENOUGH_DAYS} the range may be too narrow"
        return None

    def band(self, values: Sequence[float]) -> Band:
        """Returns the band of one value for each past. Of pasts with the value of an end, half are outside."""
        counts = sorted(Counter(values).items())
        outside = len(values) * _outside(self._count)
        return Band(_end(counts, outside), _end(counts[::-1], outside))


def _end(counts: Iterable[tuple[float, int]], outside: float) -> float:
    passed = 0
    for value, count in counts:
        if passed + count / 2 >= outside:
            return value
        passed += count
    raise ValueError("there are no values")


class _SeatsNeeded:
    """Number of seats that each of the pasts needs."""

    def __init__(self, trials: Trials, pasts: ResampledPasts, target: Target) -> None:
        self._trials = trials
        self._pasts = pasts
        self._target = target
        self._met: dict[int, Sequence[bool]] = {}

    def band(self, *, lowest: int, top: int) -> tuple[int, int | None]:
        """Returns the band. More numbers are tried until none could change it."""
        while True:
            numbers = [waits.seats for waits in self._trials.tried]
            needed = self._needed(numbers)
            band = self._pasts.band(needed)
            next_try = self._untried_below(_with_outer_neighbours(band, needed), numbers, lowest=lowest, top=top)
            if next_try is None:
                return int(min(band.low, numbers[-1])), None if band.high == math.inf else int(band.high)
            self._trials.waits(next_try)

    @staticmethod
    def _untried_below(values: Iterable[float], tried: Sequence[int], *, lowest: int, top: int) -> int | None:
        """Returns a number to try: the middle of a gap below one of the values. None: there is no gap."""
        for value in values:
            if value <= top:
                below = max((seats for seats in tried if seats < value), default=lowest - 1)
                if value - below > 1:
                    return (below + int(value)) // 2
        return None

    def _needed(self, numbers: Sequence[int]) -> list[float]:
        for seats in numbers:
            if seats not in self._met:
                self._met[seats] = self._meeting(self._trials.waits(seats))
        return [
            next((seats for seats in numbers if self._met[seats][past]), math.inf)
            for past in range(len(self._pasts.times))
        ]

    def _meeting(self, waits: Waits) -> Sequence[bool]:
        exceeding = waits.exceeding(self._target).items()
        return [
            self._target.permits(sum(times[day] * count for day, count in exceeding), of=needs)
            for times, needs in zip(self._pasts.times, self._pasts.needs, strict=True)
        ]


def _with_outer_neighbours(band: Band, values: Iterable[float]) -> Iterator[float]:
    """Yields the ends of a band, and the values next to them outside. A gap below one of them may hide another end."""
    values = set(values)
    yield band.low
    yield band.high
    yield max((value for value in values if value < band.low), default=band.low)
    yield min((value for value in values if value > band.high), default=band.high)


def _weeks(days: Sequence[Day]) -> Sequence[Sequence[Day]]:
    weeks: dict[tuple[int, int], list[Day]] = {}
    for draw, day in days:
        weeks.setdefault((draw, (day - 1) // 7), []).append((draw, day))  # ordinal 1 is a Monday
    return list(weeks.values())


def _do_weeks_differ(needs_of_day: Mapping[Day, int], weeks: Sequence[Sequence[Day]]) -> bool:
    """Tells whether whole weeks are busy or quiet, apart from what weekdays explain."""
    of_weekday: dict[int, list[int]] = {}
    for week in weeks:
        for one in week:
            of_weekday.setdefault(one[1] % 7, []).append(needs_of_day[one])
    usual = {weekday: mean(counts) for weekday, counts in of_weekday.items()}
    by_chance = sum(variance(counts) for counts in of_weekday.values() if len(counts) > 1)
    sums = [sum(needs_of_day[one] - usual[one[1] % 7] for one in week) for week in weeks]
    return by_chance > 0 and variance(sums) > WEEKS_DIFFER * by_chance


def _outside(blocks: int) -> float:
    """Returns the share of the pasts that is outside on each side, for a past of so many blocks."""
    normal, freedom = NormalDist(), max(1, blocks - 1)
    z = normal.inv_cdf((1 + CONFIDENCE) / 2)
    student = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return 1 - normal.cdf(math.sqrt(blocks / freedom) * student)


def _why_no_range(target: Target, needs: int) -> str | None:
    if target.statistic is Statistic.MAX:
        return "no range: a maximum has none, for the past cannot say how much worse it can get"
    permitted = target.most_permitted(needs)
    if permitted < FEWEST_EXCEEDING:
        return f"no range: of {needs} needs the target lets {max(0, permitted)} wait longer, as good as a maximum"
    return None
