"""Computes usage and plans from the history, in a process of its own: see `history`.

The functions of `reports` and `planner` are used, with limits for work beside other work.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import numpy as np

from seatpool.domain.rules import PoolRules
from seatpool.history.config import HistoryConfig
from seatpool.history.database import BESIDE_OTHER_WORK
from seatpool.history.factory import make_archive
from seatpool.history.store import open_history
from seatpool.planner.past import NoSuchPast
from seatpool.planner.plan import PlanRequest, Point, SeatPlan, make_plan
from seatpool.planner.recorded_past import read_history
from seatpool.planner.replay_result import NEVER_SERVED
from seatpool.planner.target import Target
from seatpool.reports.facts import prepare_tables, recorded_range
from seatpool.reports.figures import FigureCalculator, Figures
from seatpool.reports.hours import LONGEST_BY_HOUR, HourOfWeek, Timeline, Week, by_hour, timeline
from seatpool.reports.levels import Levels, sweep
from seatpool.reports.question import By, Question, read_window
from seatpool.reports.report import NothingToReport
from seatpool.reports.waiting import served_within
from seatpool.web.history import HistoryQuestion
from seatpool.web.usage import Plan, PlanPoint, SeatsFrom, ServedWithin, Usage, UsageHourOfWeek, UsageStep, UsageWaits

T = TypeVar("T")
MOST_ROWS = 50_000
"""Seats and waits of one pool that a plan replays. They take about 300 MB and ten seconds."""
NUMBERS_BESIDE = 12
"""Numbers of seats below and above the present one that are tried."""
SHARE_OF_TIME = 8
"""A plan may replay this part of the changes that `seatpool plan` would to know every number."""


def usage(config: HistoryConfig, asked: HistoryQuestion) -> Usage:
    """Returns the usage of a pool. Raises UnclearQuestion, NothingToReport and HistoryNotReadable."""
    folder = _folder(config)
    since, until, first, last = _window(folder, asked)
    question = Question(since=since, until=until, zone=asked.zone, pools=(asked.pool,), dry_run=asked.dry_run)
    with open_history(folder, since=question.first_day, limits=BESIDE_OTHER_WORK) as database:
        prepared = prepare_tables(database, question, {})
        calculator = FigureCalculator(database, question)
        if asked.pool not in calculator.pools:
            raise NothingToReport(asked.pool)
        seats = calculator.pools[asked.pool]
        (row,) = [one for one in calculator.rows(By.POOL) if one.name == asked.pool]
        week = Week.covering(question)
        hours = by_hour(week, seats.taken, week.waits(database))
        waited = database.execute(_WAITING).fetchnumpy()
        within = served_within(database, asked.pool)
    nothing = Levels(np.array([question.begin_s]), np.array([0]), question.end_s)
    waiting = next(
        (
            levels
            for _, levels in sweep(
                waited["pool"], waited["begin_s"], waited["end_s"], begin=question.begin_s, end=question.end_s
            )
        ),
        nothing,
    )
    steps = 0 if seats.seats is None else len(seats.seats.at)
    return Usage(
        pool=asked.pool,
        since=since.astimezone(UTC),
        until=until.astimezone(UTC),
        time_zone=str(asked.zone),
        first=first,
        last=last,
        step="hour" if until - since <= LONGEST_BY_HOUR else "day",
        steps=tuple(_steps(timeline(question, _whole(seats.taken, question)), timeline(question, waiting))),
        seats=tuple(
            SeatsFrom(since=_instant(seats.seats.at[index]), seats=int(seats.seats.level[index]))
            for index in range(steps)
            if seats.seats is not None
        ),
        week=tuple(map(_hour_of_week, hours)),
        waits=_waits(row, prepared.waits_not_known, within),
        users=row.users,
        sessions=row.sessions,
        held_hours=_rounded(row.held_hours),
        mean=_rounded(row.mean),
        p95=row.p95,
        peak=row.peak,
        utilisation=_known(row.utilisation, _rounded),
        saturated_hours=_known(row.saturated_hours, _rounded),
        never_used=row.never_used,
        in_dry_run=prepared.in_dry_run,
        ends_not_recorded=prepared.unseen,
    )


def plan(config: HistoryConfig, asked: HistoryQuestion, rules: PoolRules, target: Target) -> Plan:
    """Returns the plan of a pool. Raises UnclearQuestion, NoSuchPast, TooMuchPast and HistoryNotReadable.

    What is recorded is when seats ended. The pool's linger time of now is taken off, to get when the needs ended.
    """
    folder = _folder(config)
    since = _window(folder, asked)[0]
    past = read_history(
        folder, since=since.astimezone(UTC).date(), linger=rules.linger, by_type=False, pool=asked.pool, most=MOST_ROWS,
        limits=BESIDE_OTHER_WORK,
    )  # fmt: skip
    demand = past.demand(
        asked.pool, serves=lambda name: name == asked.pool, states=frozenset(one.state for one in past.periods)
    )
    numbers = range(max(1, rules.seats - NUMBERS_BESIDE), rules.seats + NUMBERS_BESIDE + 1)
    found = make_plan(demand, rules, PlanRequest(target=target, numbers=numbers), processes=1, pools=SHARE_OF_TIME)
    return _plan(asked.pool, found, rules, past.waits_not_known)


def _folder(config: HistoryConfig) -> Path:
    """Returns the folder of the history. Files of a bucket are copied into the cache first."""
    if not config.is_s3:
        return Path(config.location or "")
    import boto3

    from seatpool.history.copying import cache_folder, copy_archive

    archive = make_archive(config, session_factory=boto3.Session)
    return copy_archive(archive, cache_folder(archive.name), since=None)


def _window(folder: Path, asked: HistoryQuestion) -> tuple[datetime, datetime, datetime, datetime]:
    """Returns begin and end of the window, and the first and the last instant of the history.

    A window does not begin before the history: an average over a time of which nothing is known would be too low.
    """
    with open_history(folder, limits=BESIDE_OTHER_WORK) as database:
        known = recorded_range(database)
    if known is None:
        raise NoSuchPast(asked.pool)
    since, until = read_window(asked.since, asked.until, zone=asked.zone, first=known[0], last=known[1])
    if until <= known[0]:
        raise NoSuchPast(asked.pool)
    return max(since, known[0]), until, *known


def _whole(levels: Levels, question: Question) -> Levels:
    """Returns the levels from the begin of the window on. Before the pool was known no seat was taken."""
    if levels.at[0] <= question.begin_s:
        return levels
    return Levels(np.insert(levels.at, 0, question.begin_s), np.insert(levels.level, 0, 0), levels.end)


def _steps(used: Timeline, waiting: Timeline) -> list[UsageStep]:
    return [
        UsageStep(
            begin=_instant(used.edges[index]),
            used_mean=_rounded(used.mean[index]),
            used_peak=int(used.peak[index]),
            waiting_mean=_rounded(waiting.mean[index]),
            waiting_peak=int(waiting.peak[index]),
        )
        for index in range(len(used.mean))
    ]


def _hour_of_week(one: HourOfWeek) -> UsageHourOfWeek:
    return UsageHourOfWeek(
        day=one.day, hour=one.hour, mean=_rounded(one.mean), peak=one.peak, needs=one.needs,
        share_waiting=_known(one.share_waiting, _rounded), wait_p95_s=_known(one.wait_p95_s, _rounded),
    )  # fmt: skip


def _waits(row: Figures, not_known: int, within: dict[int, float]) -> UsageWaits:
    return UsageWaits(
        needs=row.needs,
        not_known=not_known,
        never_served=row.gave_up,
        served_within=tuple(ServedWithin(seconds=limit, share=_rounded(share)) for limit, share in within.items()),
        share_waiting=_known(row.share_waiting, _rounded),
        wait_p50_s=_known(row.wait_p50_s, _rounded),
        wait_p95_s=_known(row.wait_p95_s, _rounded),
        wait_max_s=_known(row.wait_max_s, _rounded),
    )


def _plan(pool: str, found: SeatPlan, rules: PoolRules, waits_not_known: int) -> Plan:
    return Plan(
        pool=pool,
        since=found.since,
        until=found.until,
        target=found.target or "",
        seats_now=rules.seats,
        seats=found.seats,
        seats_low=found.seats_low,
        seats_high=found.seats_high,
        range_note=found.range_note,
        nobody_waits_for_a_seat=found.nobody_waits_for_a_seat,
        needs=found.needs,
        users=found.users,
        most_at_once=found.most_at_once,
        waits_not_known=waits_not_known,
        points=tuple(map(_point, found.curve)),
    )


def _point(one: Point) -> PlanPoint:
    return PlanPoint(
        seats=one.seats,
        share_served=_rounded(one.share_served or 0.0),
        share_waiting=_rounded(one.share_waiting),
        never_served=one.unserved,
        share_never_served=_rounded(one.share_unserved),
        wait_p50_s=_wait(one.wait_p50_s),
        wait_p95_s=_wait(one.wait_p95_s),
        wait_p95_low_s=_wait(one.wait_p95_low_s),
        wait_p95_high_s=_wait(one.wait_p95_high_s),
        wait_max_s=_rounded(one.wait_max_s),
        utilisation=_rounded(one.utilisation),
        meets_target=bool(one.meets_target),
    )


def _wait(seconds: float | None) -> float | None:
    return None if seconds is None or seconds == NEVER_SERVED else _rounded(seconds)


def _known(value: float | None, form: Callable[[float], float]) -> float | None:
    return None if value is None or math.isnan(value) else form(value)


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(int(seconds), UTC)


_WAITING = """SELECT 0 AS pool, at_s::BIGINT AS begin_s, (at_s + wait_s)::BIGINT AS end_s FROM needs WHERE wait_s > 0"""
