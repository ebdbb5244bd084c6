"""Runs `seatpool report` and `seatpool sql` on a history.

They need no cluster, only a folder or a bucket with the history. Exit codes: 0 success, 2 a mistake.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seatpool.cli.command_classes import EndedAtOnce, command_line
from seatpool.cli.help import Panel
from seatpool.cli.no_headers import NoHeaders, refuse_no_headers
from seatpool.domain.errors import SeatpoolError
from seatpool.terminal.progress import progress
from seatpool.text import missing_package

if TYPE_CHECKING:
    from datetime import date

    from seatpool.history.config import HistoryConfig

app = typer.Typer()


class ByOption(StrEnum):
    """Values of `--by`. `reports.question` has the same; it is not imported for `--help`."""

    POOL = "pool"
    USER = "user"
    TEAM = "team"
    TYPE = "type"
    ACCOUNT = "account"
    HOUR = "hour"


class ReportOption(StrEnum):
    """Formats of a report."""

    TABLE = "table"
    WIDE = "wide"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    HTML = "html"


class AnswerOption(StrEnum):
    """Formats of the result of a query."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


History = Annotated[
    str | None,
    typer.Option(
        "--history", metavar="LOCATION", help="Folder or s3://bucket/prefix. Default: the settings' history.location."
    ),
]
Config = Annotated[Path | None, typer.Option("--config", "-c", help="The operator's settings file.")]
Region = Annotated[str | None, typer.Option(help="Region of the bucket.")]
Endpoint = Annotated[str | None, typer.Option("--endpoint-url", help="Another AWS endpoint, for a stand-in.")]
OutFile = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write there instead of standard output.")]


@app.command(cls=EndedAtOnce, rich_help_panel=Panel.PAST)
def report(
    context: typer.Context,
    *,
    by: Annotated[
        ByOption, typer.Option(help="What the rows are. An HTML page has all but user and hour.")
    ] = ByOption.POOL,
    since: Annotated[
        str | None, typer.Option(help="From when on: 2026-01-31, or a length before the end such as 90d. Default: 30d.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Until when. Default: the last that the history knows.")] = None,
    pools: Annotated[
        list[str] | None, typer.Option("--pool", "-p", help="Only pools of this name, or glob; may be repeated.")
    ] = None,
    teams: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Who is in which team: CSV with the columns user and team, or YAML."),
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(
            metavar="[POOL=]NUMBER", help="Price of a seat in a year, of all pools or of one; may be repeated."
        ),
    ] = None,
    seats: Annotated[
        list[str] | None,
        typer.Option(metavar="[POOL=]NUMBER", help="How many seats there are, where the history does not know."),
    ] = None,
    zone: Annotated[str, typer.Option("--time-zone", help="Whose days and hours, for example Europe/Berlin.")] = "UTC",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count seats of pools in DryRun too.")] = False,
    salt_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="With --teams, when the history has pseudonyms: the operator's history.salt_file."
        ),
    ] = None,
    output: Annotated[
        ReportOption, typer.Option("--output", "-o", help="How the report is printed.")
    ] = ReportOption.TABLE,
    no_headers: NoHeaders = False,
    out: OutFile = None,
    history: History = None,
    config: Config = None,
    region: Region = None,
    endpoint_url: Endpoint = None,
) -> None:
    """Report how many seats were in use, which users waited how long, and what it cost, from the recorded history."""
    if output is ReportOption.HTML and out is None and sys.stdout.isatty():
        raise SeatpoolError("-o html prints a page: give --out FILE")
    refuse_no_headers(no_headers, is_table=output in (ReportOption.TABLE, ReportOption.WIDE))
    settings = _settings(history, config, region, endpoint_url)
    try:
        from seatpool.history.pseudonyms import Pseudonyms
        from seatpool.reports.build import ReportOptions, build_report
    except ImportError as error:
        raise SeatpoolError(missing_package("reports need", error.name, extra="report")) from error
    options = ReportOptions(
        since=since,
        until=until,
        pools=tuple(pools or ()),
        teams=teams,
        price=tuple(price or ()),
        seats=tuple(seats or ()),
        zone=zone,
        dry_run=dry_run,
        pseudonyms=Pseudonyms.from_file(salt_file or settings.salt_file),
        headers=not no_headers,
    )
    with progress("Reading the history"):
        made = build_report(
            options,
            by=by.value,
            form=output.value,
            folder_since=lambda day: _folder(settings, day),
            command=command_line(context),
        )
    _write(made, out)


@app.command(cls=EndedAtOnce, rich_help_panel=Panel.PAST)
def sql(
    *,
    question: Annotated[
        str, typer.Argument(metavar="SELECT", help="One SELECT on sessions, waits, refusals and capacity.")
    ],
    output: Annotated[
        AnswerOption, typer.Option("--output", "-o", help="How the answer is printed.")
    ] = AnswerOption.TABLE,
    no_headers: NoHeaders = False,
    out: OutFile = None,
    history: History = None,
    config: Config = None,
    region: Region = None,
    endpoint_url: Endpoint = None,
) -> None:
    """Run one SQL query (DuckDB's dialect) on the history.

    It can read the history and nothing else, and change nothing.
    """
    refuse_no_headers(no_headers, is_table=output is AnswerOption.TABLE)
    settings = _settings(history, config, region, endpoint_url)
    try:
        from seatpool.history.sql import run_query
        from seatpool.reports.answers import format_result
    except ImportError as error:
        from seatpool.history.factory import HistoryNotInstalled

        raise HistoryNotInstalled(error.name) from error
    with progress("Asking the history"):
        found = run_query(_folder(settings, None), question)
    _write(format_result(found, form=output.value, headers=not no_headers), out)


def _settings(
    history: str | None, config: Path | None, region: str | None, endpoint_url: str | None
) -> "HistoryConfig":
    from seatpool.settings.settings import load_settings

    given: dict[str, Any] = {"location": history, "region": region, "endpoint_url": endpoint_url}
    flags: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if history is not None and history.startswith("s3://"):
        flags["spool"] = "unused"  # reading a history needs no spool
    found = load_settings(file=config, flags={"history": flags} if flags else {}).history
    if found.location is None:
        raise SeatpoolError(
            "no history is named: give --history LOCATION, or the operator's settings with --config FILE"
        )
    return found


def _folder(config: "HistoryConfig", since: "date | None") -> Path:
    """Returns the folder of the history. Files of a bucket are copied into the cache first."""
    if not config.is_s3:
        return Path(config.location or "")
    import boto3

    from seatpool.history.factory import HistoryNotInstalled, make_archive

    try:
        from seatpool.history.copying import cache_folder, copy_archive

        archive = make_archive(config, session_factory=boto3.Session)
    except ImportError as error:
        raise HistoryNotInstalled(error.name) from error
    return copy_archive(archive, cache_folder(archive.name), since=since)


def _write(text: str | bytes, out: Path | None) -> None:
    content = text.encode() if isinstance(text, str) else text
    if out is None:
        if isinstance(text, bytes) and sys.stdout.isatty():
            raise SeatpoolError("a Parquet file cannot be shown on a terminal: give --out FILE")
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        out.write_bytes(content)
    except OSError as error:
        raise SeatpoolError(f"--out {out}: {error.strerror or error}; name a file that can be written") from error
