"""Hours and days are those of the reader's clock, also where it changes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from seatpool.reports.hours import Week, by_hour, timeline
from seatpool.reports.levels import Levels
from seatpool.reports.question import Question

BERLIN = ZoneInfo("Europe/Berlin")


def question(since: str, until: str, zone: str = "Europe/Berlin") -> Question:
    there = ZoneInfo(zone)
    return Question(
        since=datetime.fromisoformat(since).replace(tzinfo=there),
        until=datetime.fromisoformat(until).replace(tzinfo=there),
        zone=there,
    )


def levels(asked: Question, *steps: tuple[datetime, int]) -> Levels:
    at = [asked.begin_s, *(int(instant.timestamp()) for instant, _ in steps)]
    return Levels(np.array(at), np.array([0, *(level for _, level in steps)]), asked.end_s)


def test_an_hour_of_the_week_is_that_of_the_readers_clock() -> None:
    asked = question("2026-01-05", "2026-01-19")
    taken = levels(asked, (datetime(2026, 1, 5, 9, 30, tzinfo=BERLIN), 4), (datetime(2026, 1, 5, 10, tzinfo=BERLIN), 0))
    rows = {(row.day, row.hour): row for row in by_hour(Week.covering(asked), taken, {})}
    assert len(rows) == 168
    assert (rows["Mon", 9].mean, rows["Mon", 9].peak) == (1.0, 4), "half an hour, in one of two weeks"
    assert (rows["Mon", 10].mean, rows["Mon", 10].peak) == (0.0, 0)


def test_the_same_hour_on_the_wall_is_the_same_hour_in_summer_and_winter() -> None:
    asked = question("2026-03-23", "2026-04-06")
    steps = []
    for day in (27, 30):  # a Friday before the change and a Monday after it
        for hour, level in ((9, 5), (10, 0)):
            steps.append((datetime(2026, 3, day, hour, tzinfo=BERLIN), level))
    rows = {(row.day, row.hour): row.mean for row in by_hour(Week.covering(asked), levels(asked, *steps), {})}
    assert {place for place, mean in rows.items() if mean} == {("Fri", 9), ("Mon", 9)}


def test_hours_that_the_window_does_not_have_are_absent_and_those_that_it_has_in_part_count_as_long() -> None:
    asked = question("2026-01-05T08:20", "2026-01-05T10:40")
    taken = levels(asked, (datetime(2026, 1, 5, 10, 30, tzinfo=BERLIN), 4))
    rows = by_hour(Week.covering(asked), taken, {})
    assert [(row.day, row.hour, row.mean) for row in rows] == [("Mon", 8, 0), ("Mon", 9, 0), ("Mon", 10, 1)]


def test_a_long_window_is_drawn_by_days_which_may_have_23_hours() -> None:
    asked = question("2026-03-01", "2026-05-01")
    line = timeline(
        asked, levels(asked, (datetime(2026, 3, 29, tzinfo=BERLIN), 3), (datetime(2026, 3, 30, tzinfo=BERLIN), 0))
    )
    lengths = set(np.diff(line.edges).tolist())
    assert lengths == {86_400, 82_800}
    day = line.edges.tolist().index(int(datetime(2026, 3, 29, tzinfo=BERLIN).timestamp()))
    assert (line.mean[day], line.peak[day], line.mean[day + 1], line.peak[day + 1]) == (3.0, 3, 0.0, 0)


def test_a_short_window_is_drawn_by_hours() -> None:
    asked = Question(since=datetime(2026, 1, 5, tzinfo=UTC), until=datetime(2026, 1, 6, tzinfo=UTC))
    line = timeline(asked, levels(asked, (datetime(2026, 1, 5, 9, 30, tzinfo=UTC), 2)))
    assert len(line.mean) == len(line.peak) == 24
    assert line.mean[9] == pytest.approx(1)
