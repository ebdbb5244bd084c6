"""What one replay found: how long each need waited, and how much of the seats was held."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from seatpool.planner.past_demand import PastDemand


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """One number of seats, tried on the past."""

    waits: Sequence[float | None]
    """Seconds, for each need in the demand's order; None for the people who are denied a seat anyway."""
    unserved: int
    """How many needs ended before there was a seat for them."""
    held: float
    """Seat seconds: how long people were on the list, all together."""
    most_held: int
    """The longest list."""


class Tally:
    """Takes down what happens during a replay."""

    def __init__(self, demand: PastDemand) -> None:
        self._needs = demand.needs
        self._waits: list[float | None] = [None] * len(demand.needs)
        self._unserved = 0
        self._held = 0.0
        self._most_held = 0
        self._holders = 0
        self._at = demand.since

    def record_served(self, index: int, at: datetime) -> None:
        """The need has a seat from now on."""
        begin = self._needs[index].begin
        self._waits[index] = (at - begin).total_seconds() if at > begin else 0.0

    def record_gave_up(self, index: int) -> None:
        """The need ended, and with it its wait."""
        need = self._needs[index]
        self._waits[index] = (need.end - need.begin).total_seconds()
        self._unserved += 1

    def set_holders(self, count: int, at: datetime) -> None:
        """So many people are on the list from now on."""
        if count != self._holders:
            self._held += self._holders * (at - self._at).total_seconds()
            self._holders, self._at = count, at
            self._most_held = max(self._most_held, count)

    def result(self, until: datetime) -> ReplayResult:
        """At the end of the time that was looked at."""
        held = self._held + self._holders * max(0.0, (until - self._at).total_seconds())
        return ReplayResult(tuple(self._waits), self._unserved, held, self._most_held)
