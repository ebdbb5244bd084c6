"""Holds all waits for one number of seats, by the day on which each need began.

The error bars draw days. Users who wait on one day wait because of each other, and at night most queues are empty. So a
day is drawn with all its waits or not at all.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import takewhile

from seatpool.planner.past_demand import PastDemand
from seatpool.planner.replay_result import NEVER_SERVED, ReplayResult
from seatpool.planner.target import Target, rank

Day = tuple[int, int]
"""Number of the draw of the past, and day in it."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Waits for one number of seats."""

    seats: int
    longest_first: Sequence[tuple[float, Day]]
    """Waits longer than 0 s. Those of needs that were never served are NEVER_SERVED and come first."""
    needs_of_day: Counter[Day]
    longest: float
    """Longest time that a need waited, for a seat or in vain."""
    utilisation: float
    most_held: int
    """Length of the longest list."""

    @property
    def needs(self) -> int:
        return self.needs_of_day.total()

    @property
    def unserved(self) -> int:
        """Number of needs that ended before there was a seat."""
        return sum(1 for _ in takewhile(lambda one: one[0] == NEVER_SERVED, self.longest_first))

    @property
    def share_waiting(self) -> float:
        """Share of needs that had no seat at once, those that were never served among them."""
        return len(self.longest_first) / self.needs if self.needs else 0.0

    @property
    def share_unserved(self) -> float:
        return self.unserved / self.needs if self.needs else 0.0

    def percentile(self, percent: Fraction | int) -> float:
        """Returns the nearest-rank percentile over all needs. NEVER_SERVED: so many were never served."""
        above = self.needs - rank(percent, self.needs)
        return self.longest_first[above][0] if 0 <= above < len(self.longest_first) else 0.0

    def exceeding(self, target: Target) -> Counter[Day]:
        """Returns how many needs are not served as the target wants, by day."""
        if target.is_exceeded_by(0.0):  # no wait at all is short enough
            return self.needs_of_day
        return Counter(day for _, day in takewhile(lambda one: target.is_exceeded_by(one[0]), self.longest_first))

    def share_served(self, target: Target) -> float:
        """Returns the share of the needs that are served as the target wants."""
        return 1 - self.exceeding(target).total() / self.needs if self.needs else 1.0

    def meets(self, target: Target) -> bool:
        return target.permits(self.exceeding(target).total(), of=self.needs)

    def resampled_percentile(self, times: Mapping[Day, int], percent: Fraction | int) -> float:
        """Returns the percentile if each day had occurred `times` times."""
        needs = sum(count * self.needs_of_day[day] for day, count in times.items())
        above = needs - rank(percent, needs)
        for wait, day in self.longest_first:
            above -= times.get(day, 0)
            if above < 0:
                return wait
        return 0.0


def collect_waits(seats: int, draws: Iterable[tuple[PastDemand, ReplayResult]]) -> Waits:
    """Returns the waits of all draws of the past together."""
    waited: list[tuple[float, Day]] = []
    needs_of_day: Counter[Day] = Counter()
    most_held = 0
    longest = held = offered = 0.0
    for draw, (demand, outcome) in enumerate(draws):
        for need, wait in zip(demand.needs, outcome.waits, strict=True):
            if wait is not None:
                day = draw, need.begin.toordinal()
                needs_of_day[day] += 1
                if wait > 0:
                    waited.append((wait, day))
        longest = max(longest, outcome.longest)
        held += outcome.held
        most_held = max(most_held, outcome.most_held)
        offered += seats * demand.span.total_seconds()
    waited.sort(reverse=True)
    utilisation = held / offered if offered else 0.0
    return Waits(seats, waited, needs_of_day, longest, utilisation, most_held)
