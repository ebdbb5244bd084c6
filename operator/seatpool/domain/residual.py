"""Draws how long seats are held, from the summary of earlier seats.

Two things make the summary coarse. It says nothing between its eleven numbers, and above the ninth decile that matters: a few
long seats would count as spread evenly up to the longest one. So there the number of seats falls by the same share in the same
time. And the summary is of few seats, so each tenth of them may stand for less or more than a tenth of all seats. So each
`Residual` weighs the tenths at random, as a Bayesian bootstrap does.
"""

import math
import random
from bisect import bisect_right
from itertools import accumulate

from seatpool.domain.seat_durations import STEPS, SeatDurations


class Residual:
    """One possible distribution of durations that fits the summary."""

    def __init__(self, durations: SeatDurations, numbers: random.Random) -> None:
        self._edges = durations.seconds
        self._numbers = numbers
        weights = [numbers.gammavariate(durations.seats / STEPS, 1.0) for _ in range(STEPS)]
        whole = sum(weights)
        self._shorter = [0.0, *accumulate(weight / whole for weight in weights)]
        """Share of the seats that were shorter than each edge."""
        self._shorter[-1] = 1.0
        self._longest_share = 1 / (durations.seats + 1)

    def whole(self) -> float:
        """Returns the duration of a seat that begins, in seconds."""
        return self._at(self._numbers.random())

    def rest(self, held: float) -> float:
        """Returns the remaining seconds of a seat that has been held so long. Infinity: none was held so long before."""
        if held >= self._edges[-1]:
            return math.inf
        below = self._below(held)
        return max(0.0, self._at(below + self._numbers.random() * (1 - below)) - held)

    def _below(self, held: float) -> float:
        """Returns the share of the seats that were shorter."""
        upper = bisect_right(self._edges, held)
        if upper == 0:
            return 0.0
        begin, end = self._edges[upper - 1], self._edges[upper]
        low, high = self._shorter[upper - 1], self._shorter[upper]
        part = (held - begin) / (end - begin)
        if upper == STEPS:
            return 1 - (1 - low) * math.pow(self._tail(low), part)
        return low + (high - low) * part

    def _at(self, share: float) -> float:
        """Returns the duration that this share of the seats did not reach."""
        step = min(bisect_right(self._shorter, share), STEPS) - 1
        begin, end = self._edges[step], self._edges[step + 1]
        low, high = self._shorter[step], self._shorter[step + 1]
        if step == STEPS - 1:
            left = (1 - share) / (1 - low) if share < 1 else 0.0
            tail = self._tail(low)
            part = math.log(left) / math.log(tail) if left > 0 else 1.0
            return begin + (end - begin) * min(part, 1.0)
        return begin + (end - begin) * ((share - low) / (high - low) if high > low else 0.0)

    def _tail(self, low: float) -> float:
        """Returns which share of the longest tenth is left at the longest duration."""
        return min(0.5, self._longest_share / (1 - low))
