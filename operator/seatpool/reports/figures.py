"""Computes the rows of a report, for each pool, user, team, type or account.

Percentiles are nearest-rank, so each is a value that occurred. Those of waits are over all needs, with 0 for a need
without a wait. Needs whose wait is not known are in no figure about waits. Those of taken seats are over time.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from seatpool.reports.facts import NAMED
from seatpool.reports.levels import Levels, sweep
from seatpool.reports.pool_seats import PoolSeats, pool_seats
from seatpool.reports.question import By, Question

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One row of a report."""

    name: str
    users: int = 0
    """Number of users who had a seat or waited for one."""
    sessions: int = 0
    """Number of times that a seat was held, at least partly in the window."""
    held_hours: float = 0.0
    """Seat hours in the window."""
    mean: float = 0.0
    """Seats taken on average."""
    p95: int = 0
    """For 95 % of the time not more seats were taken."""
    peak: int = 0
    """Most seats taken at once."""
    needs: int = 0
    """Number of needs that began in the window."""
    share_waiting: float | None = None
    """Share of the needs that had to wait. None: there was no need, or its wait is not known."""
    wait_p50_s: float | None = None
    wait_p95_s: float | None = None
    wait_max_s: float | None = None
    gave_up: int = 0
    """Number of needs that ended before there was a seat, or that still wait."""
    seats: int | None = None
    """Number of seats at the end. None: not known."""
    utilisation: float | None = None
    """Seat hours taken, divided by the seat hours that there were."""
    saturated_hours: float | None = None
    """Hours in which every seat was taken."""
    never_used: int | None = None
    """Number of seats that were never taken."""
    cost: float | None = None
    """For a pool the cost of its seats in the window. For other rows their share of it, by seat hours."""
    idle_cost: float | None = None
    """Part of a pool's cost that was for free seats."""


class FigureCalculator:
    """Computes all figures of one prepared report."""

    def __init__(self, database: "DuckDBPyConnection", question: Question) -> None:
        self._database = database
        self._question = question
        codes = ", ".join(f"enum_code({column}) AS {column}" for column in NAMED)
        self._held = database.execute(f"SELECT {codes}, begin_s, end_s FROM held").fetchnumpy()  # noqa: S608
        self.pools: dict[str, PoolSeats] = pool_seats(database, question, dict(self.levels(By.POOL)))
        """Seats of each pool, also of pools that no user used."""

    def levels(self, by: By) -> Iterator[tuple[str, Levels]]:
        """Yields how many seats each group had at each moment."""
        listed = self._database.execute(f"SELECT unnest(enum_range(NULL::names_of_{by.column}))").fetchall()
        window = {"begin": self._question.begin_s, "end": self._question.end_s}
        held = self._held
        for code, levels in sweep(held[by.column], held["begin_s"], held["end_s"], **window):
            yield listed[code][0], levels

    def rows(self, by: By) -> list[Figures]:
        """Returns the rows, the busiest first. A pool that no user used has a row too."""
        found: dict[str, dict[str, Any]] = {name: {} for name in self.pools} if by is By.POOL else {}
        for query in (_COUNTS, _WAITS):
            for name, values in self._query(query.format(by=by.column)):
                found.setdefault(name, {}).update(values)
        for name, levels in self.levels(by):
            found[name].update(mean=levels.mean, p95=levels.p95, peak=levels.peak)
        if by is By.POOL:
            for name, pool in self.pools.items():
                found[name].update(pool.figures(self._question))
        elif self._question.price.is_given:
            for values in found.values():
                values["cost"] = 0.0
            for name, cost in self._costs(by):
                found[name]["cost"] += cost
        rows = [Figures(name=name, **values) for name, values in found.items()]
        return sorted(rows, key=lambda row: (-row.held_hours, row.name))

    def users_never_seen(self) -> list[str]:
        """Returns the users of a team who neither had a seat nor waited for one."""
        return [user for (user,) in self._database.execute(_NEVER_SEEN).fetchall()]

    def _query(self, query: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        answer = self._database.execute(query)
        names = [column[0] for column in answer.description or ()]
        for name, *values in answer.fetchall():
            yield name, {key: value for key, value in zip(names[1:], values, strict=True) if value is not None}

    def _costs(self, by: By) -> Iterator[tuple[str, float]]:
        query = f"SELECT {by.column}, pool, sum(end_s - begin_s) / 3600 FROM held GROUP BY ALL"  # noqa: S608
        for name, pool, hours in self._database.execute(query).fetchall():
            seats = self.pools[pool]
            cost = seats.cost(self._question)
            if cost is not None and seats.held_hours:
                yield name, cost * hours / seats.held_hours


_COUNTS = "SELECT {by}::VARCHAR, count(*) AS sessions, sum(end_s - begin_s) / 3600 AS held_hours FROM held GROUP BY 1"

_WAITS = """
WITH everybody AS (SELECT {by} AS name, user_id FROM held UNION SELECT {by}, user_id FROM needs),
people AS (SELECT name, count(*) AS users FROM everybody GROUP BY name),
waited AS (
    SELECT {by} AS name, count(*) AS needs, (count(*) FILTER (wait_s > 0)) / nullif(count(wait_s), 0) AS share_waiting,
        quantile_disc(wait_s, 0.5) AS wait_p50_s, quantile_disc(wait_s, 0.95) AS wait_p95_s, max(wait_s) AS wait_max_s,
        count(*) FILTER (NOT served) AS gave_up
    FROM needs GROUP BY 1
)
SELECT name::VARCHAR, * EXCLUDE (name) FROM people LEFT JOIN waited USING (name)"""

_NEVER_SEEN = """
SELECT user_id FROM teams
WHERE user_id NOT IN (SELECT user_id::VARCHAR FROM held UNION SELECT user_id::VARCHAR FROM needs) ORDER BY 1"""
