"""Computes how many seats of a pool or of a group of users were taken at each moment.

All seats of all groups are sorted once, as numbers made of group, second and direction. A million seats take a moment.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_TIME_BITS = 36
_P95 = 0.95


@dataclass(frozen=True, slots=True)
class Levels:
    """A number that stays the same from each instant to the next, the last until `end`."""

    at: Ints
    level: Ints
    end: int

    @property
    def lasted(self) -> Ints:
        """Returns the seconds that each level lasted."""
        return np.diff(self.at, append=self.end)

    @property
    def peak(self) -> int:
        """Returns the highest level that lasted any time."""
        return int(self.level[self.lasted > 0].max(initial=0))

    @property
    def mean(self) -> float:
        whole = self.end - int(self.at[0])
        return float((self.level * self.lasted).sum() / whole) if whole > 0 else 0.0

    @property
    def p95(self) -> int:
        """Returns the level that was not exceeded for 95 % of the time."""
        order = np.argsort(self.level, kind="stable")
        until_here = np.cumsum(self.lasted[order])
        index = int(np.searchsorted(until_here, _P95 * (self.end - int(self.at[0]))))
        return int(self.level[order[min(index, len(order) - 1)]])

    def __call__(self, instants: Ints) -> Ints:
        """Returns the level at each instant. 0: before the first."""
        index = np.searchsorted(self.at, instants, side="right") - 1
        return np.where(index >= 0, self.level[index], 0)

    def area_until(self, instants: Ints) -> Floats:
        """Returns the integral from the first instant to each of these, in seat seconds."""
        edges = np.append(self.at, self.end)
        sums = np.concatenate(([0.0], np.cumsum(self.level * self.lasted, dtype=np.float64)))
        return np.interp(instants, edges, sums)

    def highest_between(self, edges: Ints) -> Ints:
        """Returns the highest level from each edge to the next."""
        highest = self(edges[:-1])
        index = np.searchsorted(edges, self.at, side="right") - 1
        counts = (index >= 0) & (index < len(highest)) & (self.lasted > 0)
        np.maximum.at(highest, index[counts], self.level[counts])
        return highest


def sweep(groups: NDArray[Any], begins: Ints, ends: Ints, *, begin: int, end: int) -> Iterator[tuple[int, Levels]]:
    """Yields the levels of each group, from `begin` on."""
    if not len(groups):
        return
    codes = groups.astype(np.int64) << (_TIME_BITS + 1)
    keys = np.concatenate((codes | ((begins - begin) << 1 | 1), codes | ((ends - begin) << 1)))
    keys.sort()
    group, seconds = keys >> (_TIME_BITS + 1), (keys >> 1) & ((1 << _TIME_BITS) - 1)
    level = np.cumsum((keys & 1) * 2 - 1)  # within a second ends sort before begins; each group ends at 0
    is_last = np.append((np.diff(seconds) != 0) | (np.diff(group) != 0), True)
    group, seconds, level = group[is_last], seconds[is_last], level[is_last]
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    for start, stop in zip(starts, np.append(starts[1:], len(group)), strict=True):
        at, heights = seconds[start:stop] + begin, level[start:stop]
        if at[0] > begin:
            at, heights = np.insert(at, 0, begin), np.insert(heights, 0, 0)
        yield int(group[start]), Levels(at, heights, end)
