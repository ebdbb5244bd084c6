"""Builds a report from the options of the command."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from rich.console import Console

from seatpool.clock import utc_now
from seatpool.history.pseudonyms import Pseudonyms
from seatpool.history.store import open_history
from seatpool.pages import Origin
from seatpool.reports.facts import recorded_range
from seatpool.reports.page import PICTURED, page
from seatpool.reports.question import By, Question, UnclearQuestion, read_per_pool, read_window, read_zone
from seatpool.reports.report import NothingToReport, Report, report, whole_report
from seatpool.reports.screen import show
from seatpool.reports.tables import csv_text, parquet
from seatpool.reports.teams import read_teams
from seatpool.reports.text import as_json
from seatpool.terminal.output import console
from seatpool.terminal.say import json_text


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """Options as they were typed."""

    since: str | None
    until: str | None
    pools: tuple[str, ...]
    teams: Path | None
    price: tuple[str, ...]
    seats: tuple[str, ...]
    zone: str
    dry_run: bool
    pseudonyms: Pseudonyms
    headers: bool = True
    """False: a table has no column headings."""


def build_report(
    options: ReportOptions, *, by: str, form: str, folder_since: Callable[[date | None], Path], command: str
) -> str | bytes:
    """Returns the report in the format `form`. A page says by which `command` it was made.

    Raises SeatpoolError for an option that cannot be used.
    """
    heading = By(by)
    teams = read_teams(options.teams, options.pseudonyms) if options.teams is not None else {}
    if heading is By.TEAM and options.teams is None:
        raise UnclearQuestion("--by team: say with --teams FILE who is in which team")
    folder = folder_since(None)
    question = _question(options, folder)
    if form == "html":
        origin = Origin(at=utc_now(), version=version("seatpool"), command=command)
        return page(whole_report(folder, question, teams=teams, most_pictured=PICTURED), origin)
    return _printed(report(folder, question, by=heading, teams=teams), form, headers=options.headers)


def _question(options: ReportOptions, folder: Path) -> Question:
    zone = read_zone(options.zone)
    with open_history(folder) as database:
        known = recorded_range(database)
    if known is None:
        raise NothingToReport(f"history folder {folder}: nothing is recorded there yet")
    since, until = read_window(options.since, options.until, zone=zone, first=known[0], last=known[1])
    return Question(
        since=since,
        until=until,
        zone=zone,
        pools=options.pools,
        dry_run=options.dry_run,
        price=read_per_pool("--price", options.price),
        seats=read_per_pool("--seats", options.seats),
    )


def _printed(made: Report, form: str, *, headers: bool) -> str | bytes:
    forms: Mapping[str, Callable[[Report], str | bytes]] = {
        "csv": csv_text,
        "json": lambda one: json_text(as_json(one)) + "\n",
        "parquet": parquet,
        "table": lambda one: _screen(one, wide=False, headers=headers),
        "wide": lambda one: _screen(one, wide=True, headers=headers),
    }
    return forms[form](made)


def _screen(made: Report, *, wide: bool, headers: bool) -> str:
    shown: Console = console(headers=headers)
    with shown.capture() as captured:
        show(shown, made, wide=wide)
    return captured.get()
