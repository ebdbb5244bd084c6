"""Summarises how long seats of a pool are held, for estimates of the remaining time.

Eleven numbers are enough: the shortest, the nine deciles and the longest of the last seats. They are small enough for a
status, and they name no user. Between two of them durations count as spread evenly.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

STEPS = 10


@dataclass(frozen=True, slots=True)
class SeatDurations:
    """The durations of the last `seats` seats that ended."""

    seats: int
    seconds: tuple[float, ...]
    """Eleven durations from the shortest to the longest, in ten steps of equally many seats."""

    @classmethod
    def of(cls, held: Sequence[float]) -> Self:
        """Returns the summary of at least one duration, in seconds."""
        ordered = sorted(held)
        return cls(len(ordered), tuple(_at(ordered, step / STEPS) for step in range(STEPS + 1)))

    def spread(self, most: int) -> list[float]:
        """Returns at most so many durations that have roughly this summary."""
        count = min(self.seats, most)
        return [_at(self.seconds, (number + 0.5) / count) for number in range(count)]

    def rest(self, held: float, *, share: float) -> float | None:
        """Returns the remaining seconds of a seat that has been held for `held` seconds.

        It is the time in which `share` of the seats that were held longer had ended. None: no seat was held longer.
        """
        if held >= self.seconds[-1]:
            return None
        below = self._share_below(held)
        return max(0.0, _at(self.seconds, below + share * (1 - below)) - held)

    def _share_below(self, held: float) -> float:
        upper = bisect_right(self.seconds, held)
        if upper == 0:
            return 0.0
        begin, end = self.seconds[upper - 1], self.seconds[upper]
        return (upper - 1 + (held - begin) / (end - begin)) / STEPS


def _at(ordered: Sequence[float], share: float) -> float:
    """Returns the quantile: the value below which this share of the values is."""
    place = share * (len(ordered) - 1)
    lower = min(int(place), len(ordered) - 1)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (place - lower)
