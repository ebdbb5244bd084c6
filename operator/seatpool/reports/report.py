"""Computes a report, independent of its format."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from seatpool.domain.errors import SeatpoolError
from seatpool.history.store import open_history
from seatpool.reports.facts import PreparedTables, prepare_tables
from seatpool.reports.figures import FigureCalculator, Figures
from seatpool.reports.hours import HourOfWeek, Timeline, Week, by_hour, timeline
from seatpool.reports.levels import Levels, sweep
from seatpool.reports.pool_seats import PoolSeats
from seatpool.reports.question import By, Question, UnclearQuestion
from seatpool.reports.waiting import WaitClasses, waiting
from seatpool.text import format_count, format_known, format_names

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WHAT_THERE_IS = "SELECT pool, min(granted_at), max(granted_at) FROM sessions GROUP BY pool"


class NothingToReport(SeatpoolError):
    """No pool of the report has any history in the window."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Rows of one kind, with remarks."""

    question: Question
    by: By
    rows: tuple[Figures, ...] | tuple[HourOfWeek, ...]
    never_seen: tuple[str, ...]
    """Users of a team who neither had a seat nor waited for one."""
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolPictured:
    """Data of the pictures of a pool."""

    seats: PoolSeats
    timeline: Timeline
    week: tuple[HourOfWeek, ...]
    waiting: WaitClasses | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeReport:
    """A table of each kind, and the pools that have pictures."""

    question: Question
    tables: Mapping[By, tuple[Figures, ...]]
    pictured: Mapping[str, PoolPictured]
    never_seen: tuple[str, ...]
    remarks: tuple[str, ...]


def report(folder: Path, question: Question, *, by: By, teams: Mapping[str, str]) -> Report:
    """Returns one table. Raises NothingToReport."""
    with open_history(folder, since=question.first_day) as database:
        calculator, remarks = _calculator(database, question, teams)
        return Report(
            question=question,
            by=by,
            rows=_hours(database, question) if by is By.HOUR else tuple(calculator.rows(by)),
            never_seen=tuple(calculator.users_never_seen()),
            remarks=remarks,
        )


def whole_report(folder: Path, question: Question, *, teams: Mapping[str, str], most_pictured: int) -> WholeReport:
    """Returns all tables but that of single users, and the pictures of the pools that need them most."""
    with open_history(folder, since=question.first_day) as database:
        calculator, remarks = _calculator(database, question, teams)
        headings = [By.POOL, *([By.TEAM] if teams else []), By.TYPE, By.ACCOUNT]
        tables = {by: tuple(calculator.rows(by)) for by in headings}
        waits = waiting(database)
        chosen = sorted(tables[By.POOL], key=lambda row: (-(row.saturated_hours or 0), -row.held_hours, row.name))
        hours = Week.covering(question)
        pictured = {}
        for row in chosen[:most_pictured]:
            seats = calculator.pools[row.name]
            pictured[row.name] = PoolPictured(
                seats=seats,
                timeline=timeline(question, seats.taken),
                week=tuple(by_hour(hours, seats.taken, {})),
                waiting=waits.get(row.name),
            )
        return WholeReport(
            question=question,
            tables=tables,
            pictured=pictured,
            never_seen=tuple(calculator.users_never_seen()),
            remarks=remarks,
        )


def _calculator(
    database: "DuckDBPyConnection", question: Question, teams: Mapping[str, str]
) -> tuple[FigureCalculator, tuple[str, ...]]:
    prepared = prepare_tables(database, question, teams)
    _refuse_unknown_pools(prepared, question)
    calculator = FigureCalculator(database, question)
    if not calculator.pools:
        asked = f" that --pool {', '.join(question.pools)} names" if question.pools else ""
        raise NothingToReport(
            f"no pool{asked} has any history from {question.since:%Y-%m-%d} to {question.until:%Y-%m-%d}; "
            f"seatpool sql '{WHAT_THERE_IS}' shows what there is"
        )
    return calculator, tuple(_remarks(prepared, calculator))


def _refuse_unknown_pools(prepared: PreparedTables, question: Question) -> None:
    """Raises UnclearQuestion for a price or a number of seats of a pool that the history does not have."""
    known = {name for pool in prepared.every_pool for name in (pool, pool.rpartition("/")[2])}
    for option, numbers in (("--price", question.price), ("--seats", question.seats)):
        for name in numbers.of_pool:
            if name not in known:
                shown = format_known(name, {pool.rpartition("/")[2] for pool in prepared.every_pool})
                raise UnclearQuestion(f"{option} {name}=...: the history has no pool {name}; {shown}")


def _hours(database: "DuckDBPyConnection", question: Question) -> tuple[HourOfWeek, ...]:
    hours = Week.covering(question)
    return tuple(by_hour(hours, _all_together(database, question), hours.waits(database)))


def _all_together(database: "DuckDBPyConnection", question: Question) -> Levels:
    held = database.execute("SELECT 0 AS everything, begin_s, end_s FROM held").fetchnumpy()
    found = sweep(held["everything"], held["begin_s"], held["end_s"], begin=question.begin_s, end=question.end_s)
    for _, levels in found:
        return levels
    return Levels(np.array([question.begin_s]), np.array([0]), question.end_s)


def _remarks(prepared: PreparedTables, calculator: FigureCalculator) -> Iterator[str]:
    without = sorted(name for name, pool in calculator.pools.items() if pool.seats is None)
    if without:
        yield f"Number of seats unknown for {format_names(without)}: give --seats POOL=NUMBER."
    if prepared.in_dry_run:
        told = format_count(prepared.in_dry_run, "seat interval")
        yield f"{told} in DryRun, on no license server, not counted here; --dry-run counts them."
    if prepared.unseen:
        yield f"The end of {format_count(prepared.unseen, 'seat interval')} was not recorded: counted until last seen."
    if prepared.waits_not_known:
        those = f"{prepared.waits_not_known:,} of {prepared.needs:,} starts"
        yield f"How long users waited is not known of {those}: the figures about waits are without these."
