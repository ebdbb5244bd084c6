"""Compares the seats of a pool with the seats taken: how well they were used, and when there were too few."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from seatpool.reports.levels import Levels
from seatpool.reports.question import Question

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HOURS_IN_A_YEAR = 365 * 24


@dataclass(frozen=True, slots=True)
class PoolSeats:
    """One pool, from the moment on at which the history knows it."""

    name: str
    taken: Levels
    seats: Levels | None
    """Number of seats that there were. None: not known."""

    @property
    def held_hours(self) -> float:
        return float((self.taken.level * self.taken.lasted).sum()) / 3600

    @property
    def seat_hours(self) -> float | None:
        return None if self.seats is None else float((self.seats.level * self.seats.lasted).sum()) / 3600

    def figures(self, question: Question) -> dict[str, Any]:
        """Returns the figures of the pool that depend on its seats."""
        made: dict[str, Any] = {"mean": self.taken.mean, "p95": self.taken.p95, "peak": self.taken.peak}
        if self.seats is None:
            return made
        at = np.union1d(self.taken.at, self.seats.at)
        lasted = np.diff(at, append=self.taken.end)
        taken, seats = self.taken(at), self.seats(at)
        is_full, whole = (taken >= seats) & (seats > 0), float((seats * lasted).sum())
        price, idle = question.price.for_pool(self.name), float((np.maximum(seats - taken, 0) * lasted).sum()) / 3600
        return made | {
            "seats": int(self.seats.level[-1]),
            "utilisation": float((np.minimum(taken, seats) * lasted).sum()) / whole if whole else None,
            "saturated_hours": float(lasted[is_full].sum()) / 3600,
            "never_used": max(0, int(self.seats.level[-1]) - self.taken.peak),
            "cost": self.cost(question),
            "idle_cost": None if price is None else price * idle / HOURS_IN_A_YEAR,
        }

    def cost(self, question: Question) -> float | None:
        """Returns the cost of the seats that there were in the window. None: price or number is not known."""
        price, hours = question.price.for_pool(self.name), self.seat_hours
        return None if price is None or hours is None else price * hours / HOURS_IN_A_YEAR


def pool_seats(database: "DuckDBPyConnection", question: Question, taken: Mapping[str, Levels]) -> dict[str, PoolSeats]:
    """Returns every pool that the report includes."""
    sizes: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for pool, at, seats in database.execute("SELECT pool, t, seats FROM capacity_steps ORDER BY pool, t").fetchall():
        sizes[pool].append((at, seats))
    end = question.end_s
    found = {}
    for name in sorted({*sizes, *taken}):
        seats = _levels(sizes[name], end) if sizes[name] else None
        used = taken.get(name)
        if used is None:
            used = _levels([(sizes[name][0][0], 0)], end)
        elif seats is not None:
            used = _from(used, int(seats.at[0]))
        found[name] = PoolSeats(name, used, seats)
    return found


def _levels(steps: list[tuple[int, int]], end: int) -> Levels:
    at, level = np.array(steps, dtype=np.int64).T
    return Levels(at, level, end)


def _from(levels: Levels, begin: int) -> Levels:
    """Cuts the time in which the pool had neither seats nor users."""
    first = levels.at[1] if len(levels.at) > 1 and levels.level[0] == 0 else levels.at[0]
    begin = min(begin, int(first))
    kept = levels.at >= begin
    if not kept.all() and levels.level[kept][:1].size and levels.at[kept][0] > begin:
        return Levels(np.insert(levels.at[kept], 0, begin), np.insert(levels.level[kept], 0, 0), levels.end)
    return Levels(levels.at[kept], levels.level[kept], levels.end) if kept.any() else levels
