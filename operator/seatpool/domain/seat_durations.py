"""Summarises how long seats of a pool are held, for estimates of the remaining time.

Eleven numbers are enough: the shortest, the nine deciles and the longest of the last seats. They are small enough for a
status, and they name no user. `residual` draws durations from them.
"""

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


def _at(ordered: Sequence[float], share: float) -> float:
    """Returns the quantile: the value below which this share of the values is."""
    place = share * (len(ordered) - 1)
    lower = min(int(place), len(ordered) - 1)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (place - lower)
