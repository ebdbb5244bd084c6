"""Prints a report on a terminal: the usual columns in 80 columns, the others if there is room."""

from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from seatpool.reports.figures import Figures
from seatpool.reports.hours import HourOfWeek
from seatpool.reports.question import By
from seatpool.reports.report import Report
from seatpool.reports.text import window
from seatpool.terminal.output import GAP, table
from seatpool.text import format_count, format_names, format_number, format_percent, format_seconds

ROOMY = 120
SHORTEST_NAME = 8
Cell = Callable[[Any], str]

_POOL: tuple[tuple[str, Cell], ...] = (
    ("SEATS", lambda row: format_number(row.seats)),
    ("PEAK", lambda row: format_number(row.peak)),
    ("P95", lambda row: format_number(row.p95)),
    ("IN USE", lambda row: format_percent(row.utilisation)),
    ("FULL H", lambda row: format_number(row.saturated_hours)),
    ("WAITED", lambda row: format_percent(row.share_waiting)),
    ("P95 WAIT", lambda row: format_seconds(row.wait_p95_s)),
)
_GROUP: tuple[tuple[str, Cell], ...] = (
    ("PEOPLE", lambda row: format_number(row.users)),
    ("HOURS", lambda row: format_number(row.held_hours)),
    ("PEAK", lambda row: format_number(row.peak)),
    ("P95", lambda row: format_number(row.p95)),
    ("WAITED", lambda row: format_percent(row.share_waiting)),
    ("P95 WAIT", lambda row: format_seconds(row.wait_p95_s)),
)
_MORE: tuple[tuple[str, Cell], ...] = (
    ("P50 WAIT", lambda row: format_seconds(row.wait_p50_s)),
    ("LONGEST", lambda row: format_seconds(row.wait_max_s)),
    ("GAVE UP", lambda row: format_number(row.gave_up)),
    ("INTERVALS", lambda row: format_number(row.sessions)),
)
_MORE_OF_POOLS: tuple[tuple[str, Cell], ...] = (
    ("NEVER USED", lambda row: format_number(row.never_used)),
    ("PEOPLE", lambda row: format_number(row.users)),
)
_COST: tuple[tuple[str, Cell], ...] = (("COST", lambda row: format_number(row.cost)),)
_IDLE_COST: tuple[tuple[str, Cell], ...] = (("IDLE COST", lambda row: format_number(row.idle_cost)),)
_HOUR: tuple[tuple[str, Cell], ...] = (
    ("MEAN", lambda row: format_number(row.mean)),
    ("PEAK", lambda row: format_number(row.peak)),
    ("CAME", lambda row: format_number(row.needs)),
    ("WAITED", lambda row: format_percent(row.share_waiting)),
    ("P95 WAIT", lambda row: format_seconds(row.wait_p95_s)),
)


def show(console: Console, report: Report, *, wide: bool) -> None:
    """Prints the table, and the remarks below it."""
    place = _shared_namespace(report)
    among = f", namespace {place}" if place else ""
    console.print(f"{window(report.question)}{among}, {format_count(len(report.rows), 'row')}")
    console.print()
    heading = "HOUR" if report.by is By.HOUR else report.by.value.upper()
    cells = _cells(report, roomy=wide or console.width >= ROOMY)
    texts = [[cell(row) for _, cell in cells] for row in report.rows]
    taken = [max(map(len, column)) + GAP for column in zip([name for name, _ in cells], *texts, strict=True)]
    # A long name gives way, a number never does.
    room = max(SHORTEST_NAME, console.width - sum(taken) - GAP)
    names = [name for name, _ in cells]
    drawn = table(heading, *names, numbers=names)
    drawn.columns[0].max_width = room
    for index, line in enumerate(texts):
        drawn.add_row(Text(_name(report.rows[index]).removeprefix(f"{place}/")), *line)
    console.print(drawn)
    for remark in report.remarks:
        console.print(Text(remark))
    if report.never_seen:
        told = format_names(report.never_seen, most=len(report.never_seen) if wide else 5)
        console.print(Text(f"In a team and never seen: {told}"))


def _shared_namespace(report: Report) -> str:
    """Returns the namespace of all pools, which is then not printed with each of them."""
    if report.by is not By.POOL:
        return ""
    places = {_name(row).partition("/")[0] if "/" in _name(row) else "" for row in report.rows}
    return places.pop() if len(places) == 1 else ""


def _cells(report: Report, *, roomy: bool) -> Sequence[tuple[str, Cell]]:
    if report.by is By.HOUR:
        return _HOUR
    of_pools, priced = report.by is By.POOL, report.question.price.is_given
    more = (*(_MORE_OF_POOLS if of_pools else ()), *_MORE) if roomy else ()
    costs = (*_COST, *(_IDLE_COST if of_pools and roomy else ())) if priced else ()
    return (*(_POOL if of_pools else _GROUP), *more, *costs)


def _name(row: Figures | HourOfWeek) -> str:
    return row.name if isinstance(row, Figures) else f"{row.day} {row.hour:02d} h"
