"""Holds the result of one replay: how long each need waited, and how much of the seats was used."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seatpool.planner.past_demand import PastDemand

NEVER_SERVED = math.inf
"""Wait of a need that ended before there was a seat for it. It exceeds every bound."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """Result of one number of seats."""

    waits: Sequence[float | None]
    """Seconds, for each need in the demand's order, or NEVER_SERVED. None: the user is denied a seat anyway."""
    longest: float
    """Longest time in seconds that a need waited, for a seat or in vain."""
    held: float
    """Seat seconds: total time that users were on the list."""
    most_held: int
    """Length of the longest list."""


class Tally:
    """Collects the result during a replay."""

    def __init__(self, demand: PastDemand) -> None:
        self._needs = demand.needs
        self._waits: list[float | None] = [None] * len(demand.needs)
        self._longest = 0.0
        self._held = 0.0
        self._most_held = 0
        self._holders = 0
        self._at = demand.since

    def record_served(self, index: int, at: datetime) -> None:
        """Records that the need has a seat from `at` on."""
        begin = self._needs[index].begin
        if at > begin:
            wait = self._waits[index] = (at - begin).total_seconds()
            self._longest = max(self._longest, wait)
        else:
            self._waits[index] = 0.0

    def record_never_served(self, index: int) -> None:
        """Records that the need ended while it waited."""
        need = self._needs[index]
        self._waits[index] = NEVER_SERVED
        self._longest = max(self._longest, (need.end - need.begin).total_seconds())

    def set_holders(self, count: int, at: datetime) -> None:
        """Records that `count` users are on the list from `at` on."""
        if count != self._holders:
            self._held += self._holders * (at - self._at).total_seconds()
            self._holders, self._at = count, at
            self._most_held = max(self._most_held, count)

    def result(self, until: datetime) -> ReplayResult:
        """Returns the result at the end of the past."""
        held = self._held + self._holders * max(0.0, (until - self._at).total_seconds())
        return ReplayResult(tuple(self._waits), self._longest, held, self._most_held)
