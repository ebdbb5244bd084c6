"""How long seats of a pool are held, as a few numbers from which a likely rest can be told.

Eleven numbers are enough to say how long it may still take, small enough for a status, and they name nobody: the
shortest, the nine deciles, and the longest of the last seats. Between two of them lengths are taken as spread evenly.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

STEPS = 10


@dataclass(frozen=True, slots=True)
class SeatDurations:
    """Of the last `seats` seats that ended."""

    seats: int
    seconds: tuple[float, ...]
    """From the shortest to the longest, in ten steps of equally many seats."""

    @classmethod
    def of(cls, held: Sequence[float]) -> Self:
        """The summary of at least one length."""
        ordered = sorted(held)
        return cls(len(ordered), tuple(_at(ordered, step / STEPS) for step in range(STEPS + 1)))

    def spread(self, most: int) -> list[float]:
        """At most so many lengths that have this summary, more or less."""
        count = min(self.seats, most)
        return [_at(self.seconds, (number + 0.5) / count) for number in range(count)]

    def rest(self, held: float, *, share: float) -> float | None:
        """How much longer after `held` seconds, if `share` of those that were held longer had ended by then.

        None when nobody held a seat for longer.
        """
        below = self._share_below(held)
        return None if below >= 1 else max(0.0, _at(self.seconds, below + share * (1 - below)) - held)

    def _share_below(self, held: float) -> float:
        upper = bisect_right(self.seconds, held)
        if upper == 0:
            return 0.0
        if upper > STEPS:
            return 1.0
        begin, end = self.seconds[upper - 1], self.seconds[upper]
        return (upper - 1 + (held - begin) / (end - begin)) / STEPS


def _at(ordered: Sequence[float], share: float) -> float:
    """The value below which so large a share of the values is."""
    place = share * (len(ordered) - 1)
    lower = min(int(place), len(ordered) - 1)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (place - lower)
