"""In every time zone a report is what counting second by second gives, also where the clock changes."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.unit.history.rows import NOON, session, wait

from seatpool.history.schema import Row
from seatpool.history.writing import write_rows
from seatpool.reports.figures import Figures
from seatpool.reports.hours import WEEKDAYS, HourOfWeek, timeline
from seatpool.reports.levels import Levels
from seatpool.reports.question import By, Question, read_window
from seatpool.reports.report import Report, report

ZONES = {
    "UTC": "2026-03-29",
    "Europe/Berlin": "2026-03-29",
    "Europe/London": "2026-10-25",
    "America/New_York": "2026-11-01",
    "America/St_Johns": "2026-03-08",
    "America/Santiago": "2026-09-06",
    "Asia/Kolkata": "2026-03-29",
    "Asia/Kathmandu": "2026-03-29",
    "Asia/Tokyo": "2026-03-29",
    "Australia/Adelaide": "2026-04-05",
    "Australia/Lord_Howe": "2026-10-04",
    "Pacific/Chatham": "2026-09-27",
}
"""Zones, and a day with a change of the clock where there is one."""
People = list[tuple[str, int, int, int]]


def window(zone: str, random: Random) -> Question:
    there = ZoneInfo(zone)
    day = datetime.fromisoformat(ZONES[zone]).replace(tzinfo=there)
    since = day - timedelta(seconds=random.choice((0, random.randrange(40_000))))
    begin = since.astimezone(UTC)
    return Question(
        since=since, until=begin + timedelta(hours=26, seconds=random.choice((0, random.randrange(8000)))), zone=there
    )


def stays(question: Question, random: Random) -> People:
    """User, begin, end and wait, in seconds of the epoch. No user has two seats."""
    found = []
    for user in ("ann", "bob", "cem", "dora"):
        second = question.begin_s - 40_000
        while (second := second + random.randrange(1, 20_000)) < question.end_s + 5000:
            waited = random.choice((0, random.randrange(1, 900)))
            begin = second + waited
            second = begin + random.randrange(1, 15_000)
            found.append((user, begin, second, waited))
    return found


def recorded(folder: Path, people: People) -> None:
    def seconds(instant: int) -> float:
        return instant - NOON.timestamp()

    rows: list[Row] = []
    for user, begin, end, waited in people:
        rows.append(session(user, seconds(begin), seconds(end), waited_s=float(waited)))
        if waited:
            rows.append(wait(user, seconds(begin - waited), seconds(begin)))
    write_rows(rows, folder)


def figures(found: Report) -> dict[str, Figures]:
    return {row.name: row for row in found.rows if isinstance(row, Figures)}


@pytest.mark.parametrize("zone", ZONES)
def test_all_figures_are_those_of_the_seconds(tmp_path: Path, zone: str) -> None:
    for seed in range(2):
        random = Random(f"{zone}{seed}")
        question, folder = window(zone, random), tmp_path / str(seed)
        people = stays(question, random)
        recorded(folder, people)
        seconds = np.arange(question.begin_s, question.end_s)
        of_user = {user: np.zeros(len(seconds), dtype=np.int64) for user, *_ in people}
        for user, begin, end, _ in people:
            of_user[user] += (begin <= seconds) & (seconds < end)
        taken = np.sum(list(of_user.values()), axis=0)
        needs = [(begin - waited, min(begin, question.end_s) - (begin - waited)) for _, begin, _, waited in people]
        needs = [(at, length) for at, length in needs if question.begin_s <= at < question.end_s]

        (pool,) = figures(report(folder, question, by=By.POOL, teams={})).values()
        assert pool.held_hours == pytest.approx(taken.sum() / 3600)
        assert (pool.peak, pool.needs) == (taken.max(), len(needs))
        assert pool.wait_max_s == max((length for _, length in needs), default=None)
        users = figures(report(folder, question, by=By.USER, teams={}))
        assert {user: row.held_hours for user, row in users.items() if row.held_hours} == pytest.approx(
            {user: held.sum() / 3600 for user, held in of_user.items() if held.any()}
        )

        minutes = np.arange(question.begin_s // 60, question.end_s // 60 + 1)  # no clock changes within a minute
        slots = np.array([slot(int(minute) * 60, question) for minute in minutes])[seconds // 60 - minutes[0]]
        came = Counter(slot(at, question) for at, _ in needs)
        hours = report(folder, question, by=By.HOUR, teams={}).rows
        assert all(isinstance(row, HourOfWeek) for row in hours)
        for row in hours:
            assert isinstance(row, HourOfWeek)
            place = WEEKDAYS.index(row.day) * 24 + row.hour
            there = taken[slots == place]
            assert (row.mean, row.peak, row.needs) == (pytest.approx(there.mean()), there.max(), came[place])
        assert len(hours) == len(set(slots.tolist()))


def slot(second: int, question: Question) -> int:
    local = datetime.fromtimestamp(second, question.zone)
    return local.weekday() * 24 + local.hour


@pytest.mark.parametrize("zone", ZONES)
def test_the_first_hours_of_a_day_east_of_utc_are_those_of_that_day(tmp_path: Path, zone: str) -> None:
    there = ZoneInfo(zone)
    day = datetime(2026, 3, 3, tzinfo=there)
    begin = int(day.timestamp())
    recorded(tmp_path, [("ken", begin + 60, begin + 120, 0), ("yui", begin + 9 * 3600, begin + 19 * 3600, 0)])
    since, until = read_window("2026-03-03", "2026-03-04", zone=there, first=day, last=day)
    found = figures(report(tmp_path, Question(since=since, until=until, zone=there), by=By.USER, teams={}))
    assert {name: row.held_hours for name, row in found.items()} == pytest.approx({"ken": 1 / 60, "yui": 10})


@pytest.mark.parametrize(("since", "until"), [("2011-12-20", "2012-02-20"), ("2011-12-29T05:30", "2012-01-02T01:15")])
def test_a_day_that_a_zone_leaves_out_is_no_part_of_a_picture(since: str, until: str) -> None:
    there = ZoneInfo("Pacific/Apia")
    begin, end = read_window(since, until, zone=there, first=NOON, last=NOON)
    asked = Question(since=begin, until=end, zone=there)
    line = timeline(asked, Levels(np.array([asked.begin_s]), np.array([3]), asked.end_s))
    assert (line.edges[0], line.edges[-1]) == (asked.begin_s, asked.end_s)
    assert set(line.mean.tolist()) == {3.0}
