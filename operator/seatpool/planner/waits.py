"""Holds all waits for one number of seats, by the day on which each need began.

The error bars draw days. Users who wait on one day wait because of each other, and at night most queues are empty. So a
day is drawn with all its waits or not at all.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from seatpool.planner.past_demand import PastDemand
from seatpool.planner.replay_result import ReplayResult
from seatpool.planner.target import Statistic, Target, rank

Day = tuple[int, int]
"""Number of the draw of the past, and day in it."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits for one number of seats."""

    seats: int
    longest_first: Sequence[tuple[float, Day]]
    """Waits longer than 0 s."""
    needs_of_day: Counter[Day]
    unserved: int
    utilisation: float
    most_held: int
    """Length of the longest list."""

    @property
    def needs(self) -> int:
        return self.needs_of_day.total()

    @property
    def share_waiting(self) -> float:
        return len(self.longest_first) / self.needs if self.needs else 0.0

    @property
    def share_unserved(self) -> float:
        """Share of needs that ended before there was a seat."""
        return self.unserved / self.needs if self.needs else 0.0

    @property
    def longest(self) -> float:
        return self.longest_first[0][0] if self.longest_first else 0.0

    def percentile(self, percent: Fraction | int) -> float:
        """Returns the nearest-rank percentile over all needs."""
        above = self.needs - rank(percent, self.needs)
        return self.longest_first[above][0] if 0 <= above < len(self.longest_first) else 0.0

    def value(self, target: Target) -> float:
        """Returns the statistic that the target bounds."""
        match target.statistic:
            case Statistic.MAX:
                return self.longest
            case Statistic.SHARE:
                return self.share_waiting
            case Statistic.PERCENTILE:
                return self.percentile(target.percent)

    def resampled_value(self, times: Counter[Day], target: Target) -> float:
        """Returns the same statistic if each day had occurred `times` times."""
        if target.statistic is Statistic.MAX:
            return next((wait for wait, day in self.longest_first if times[day]), 0.0)
        needs = sum(count * self.needs_of_day[day] for day, count in times.items())
        if target.statistic is Statistic.SHARE:
            return sum(times[day] for _, day in self.longest_first) / needs if needs else 0.0
        above = needs - rank(target.percent, needs)
        for wait, day in self.longest_first:
            above -= times[day]
            if above < 0:
                return wait
        return 0.0


def collect_waits(seats: int, draws: Iterable[tuple[PastDemand, ReplayResult]]) -> Waits:
    """Returns the waits of all draws of the past together."""
    waited: list[tuple[float, Day]] = []
    needs_of_day: Counter[Day] = Counter()
    unserved = most_held = 0
    held = offered = 0.0
    for draw, (demand, outcome) in enumerate(draws):
        for need, wait in zip(demand.needs, outcome.waits, strict=True):
            if wait is not None:
                day = draw, need.begin.toordinal()
                needs_of_day[day] += 1
                if wait > 0:
                    waited.append((wait, day))
        unserved += outcome.unserved
        held += outcome.held
        most_held = max(most_held, outcome.most_held)
        offered += seats * demand.span.total_seconds()
    waited.sort(reverse=True)
    utilisation = held / offered if offered else 0.0
    return Waits(seats, waited, needs_of_day, unserved, utilisation, most_held)
