"""Computes seats by hour of the week and over time, in the time zone of the report."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from seatpool.reports.levels import Floats, Ints, Levels
from seatpool.reports.question import Question

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS_IN_A_WEEK = 168
HOURS_IN_A_DAY = 24
HOUR = 3600
LONGEST_BY_HOUR = timedelta(days=35)
"""A longer window is drawn by days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HourOfWeek:
    """One hour of the week, over all weeks in the window."""

    day: str
    hour: int
    mean: float
    """Average of the seats taken."""
    peak: int
    """Most seats taken at once."""
    needs: int = 0
    """Number of needs that began in the hour."""
    share_waiting: float | None = None
    """Share of these that had to wait. None: it is not known."""
    wait_p95_s: float | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Seats taken from each edge to the next."""

    edges: Ints
    mean: Floats
    peak: Ints


@dataclass(frozen=True, slots=True)
class Week:
    """Hours of the window by the clock of the report's time zone, and the hour of the week of each.

    The first and the last one, and those in which the clock changes, may be shorter than an hour.
    """

    edges: Ints
    slots: Ints

    @classmethod
    def covering(cls, question: Question) -> Self:
        edges = _hour_edges(question)
        return cls(edges, np.array([_slot(int(edge), question) for edge in edges[:-1]], dtype=np.int64))

    def waits(self, database: "DuckDBPyConnection") -> dict[int, dict[str, Any]]:
        """Returns number and waits of the needs of each hour of the week. A need belongs to the hour in which it began."""
        database.execute("CREATE OR REPLACE TEMP TABLE hours (edge BIGINT, slot INTEGER)")
        pairs = ", ".join(
            f"({edge}, {slot})" for edge, slot in zip(self.edges.tolist(), self.slots.tolist(), strict=False)
        )
        if pairs:
            database.execute(f"INSERT INTO hours VALUES {pairs}")  # noqa: S608
        names = ("needs", "share_waiting", "wait_p95_s")
        return {slot: dict(zip(names, values, strict=True)) for slot, *values in database.execute(_WAITS).fetchall()}


def by_hour(week: Week, levels: Levels, waits: Mapping[int, Mapping[str, Any]]) -> list[HourOfWeek]:
    """Returns the hours from Monday, 0 h, on. Hours that the window does not have are absent."""
    if not len(week.slots):
        return []
    edges, slots = week.edges, week.slots
    seconds = np.bincount(slots, weights=np.diff(edges), minlength=HOURS_IN_A_WEEK)
    taken = np.bincount(slots, weights=np.diff(levels.area_until(edges)), minlength=HOURS_IN_A_WEEK)
    peaks = np.zeros(HOURS_IN_A_WEEK, dtype=np.int64)
    np.maximum.at(peaks, slots, levels.highest_between(edges))
    return [
        HourOfWeek(
            day=WEEKDAYS[slot // HOURS_IN_A_DAY],
            hour=slot % HOURS_IN_A_DAY,
            mean=float(taken[slot] / seconds[slot]),
            peak=int(peaks[slot]),
            **waits.get(slot, {}),
        )
        for slot in range(HOURS_IN_A_WEEK)
        if seconds[slot]
    ]


def timeline(question: Question, levels: Levels) -> Timeline:
    """Returns the seats by hours, or by days of the report's time zone."""
    edges = _hour_edges(question) if question.until - question.since <= LONGEST_BY_HOUR else _day_edges(question)
    return Timeline(edges, np.diff(levels.area_until(edges)) / np.diff(edges), levels.highest_between(edges))


def _slot(instant: int, question: Question) -> int:
    local = datetime.fromtimestamp(instant, question.zone)
    return local.weekday() * HOURS_IN_A_DAY + local.hour


def _hour_edges(question: Question) -> Ints:
    """Returns the window's ends, the full hours between them by the local clock, and the changes of that clock."""
    edges, end = [question.begin_s], question.end_s
    while edges[-1] < end:
        local = datetime.fromtimestamp(edges[-1], question.zone)
        following = edges[-1] + HOUR - (local.minute * 60 + local.second)
        edges.append(min(end, _first_change(edges[-1], following, question.zone)))
    return np.array(edges, dtype=np.int64)


def _first_change(begin: int, end: int, zone: tzinfo) -> int:
    """Returns the first second after `begin` in which the clock has another offset. `end`: it changes later."""
    offset = datetime.fromtimestamp(begin, zone).utcoffset()
    if datetime.fromtimestamp(end, zone).utcoffset() == offset:
        return end
    while end - begin > 1:
        middle = (begin + end) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == offset:
            begin = middle
        else:
            end = middle
    return end


def _day_edges(question: Question) -> Ints:
    """Returns the window's ends and the midnights between them. Some days have 23 hours."""
    day = question.since.astimezone(question.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    edges = {question.begin_s, question.end_s}
    while day < question.until:
        edges.add(int(day.timestamp()))
        day += timedelta(days=1)  # in local time
    return np.array(sorted(edge for edge in edges if question.begin_s <= edge <= question.end_s), dtype=np.int64)


_WAITS = """
SELECT slot, count(*), (count(*) FILTER (wait_s > 0)) / nullif(count(wait_s), 0), quantile_disc(wait_s, 0.95)
FROM needs ASOF JOIN hours ON at_s >= edge GROUP BY slot"""
