"""Runs `seatpool history import`: turns logs that a site already has into a history.

`seatpool history NAME` is the old name of `seatpool events NAME` and still works: a first word that is no command is a name.
A pool with the name `import` needs `history show import`.
"""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from typer.core import TyperGroup

from seatpool.cli import verbs
from seatpool.cli.command_classes import RenamedCommand, RenamedOptions, ShortLivedCommand
from seatpool.domain.errors import SeatpoolError
from seatpool.terminal.say import say

if TYPE_CHECKING:
    from seatpool.history.importing import ImportResult

SHOW = "show"
SHOWN_FEATURES = 10
WORTH_A_WARNING = 0.1
"""Share of the lines that are not used from which on the totals may be wrong."""


class NameOrCommand(TyperGroup):
    """Runs the hidden command `show` if the first word is no command of the group."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, [SHOW, *args] if args and args[0] not in known else args)


class Format(StrEnum):
    """Kinds of files that can be imported."""

    FLEXNET = "flexnet"
    CSV = "csv"


class OldHistory(RenamedCommand, ShortLivedCommand):
    """Old name of `events`."""

    old, new = "history NAME", "events NAME"


app = typer.Typer(cls=NameOrCommand, no_args_is_help=True)
app.command(SHOW, cls=OldHistory, hidden=True)(verbs.events)


@app.callback()
def about() -> None:
    """Import logs as a history (history import). What happened to a pool or a user is shown by `seatpool events`."""


class ImportCommand(RenamedOptions, ShortLivedCommand):
    """Takes the old name of `--time-zone`."""

    renamed: ClassVar[Mapping[str, str]] = {"--timezone": "--time-zone"}


@app.command("import", cls=ImportCommand)
def import_(
    *,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Logs, plain or .gz, in any order; pieces may overlap.")
    ],
    form: Annotated[Format, typer.Option("--format", help="flexnet: debug logs. csv: user,product,start,end.")],
    into: Annotated[Path, typer.Option(metavar="FOLDER", help="The history; it is made if there is none.")],
    name: Annotated[
        str | None,
        typer.Option(help="Name of the import. An import of the same name is replaced: give all its files again."),
    ] = None,
    server: Annotated[str | None, typer.Option(help="The license server. Default: what the log says.")] = None,
    time_zone: Annotated[
        str, typer.Option("--time-zone", metavar="ZONE", help="Of instants without an offset, such as Europe/Madrid.")
    ] = "UTC",
    longest: Annotated[
        str, typer.Option(metavar="DURATION", help="Longest session of a user whose check-in is missing.")
    ] = "1d",
    replace: Annotated[
        bool, typer.Option("--replace", help="Drop what an import of this name has from files that are not given now.")
    ] = False,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The operator's settings: identities, pseudonyms.")
    ] = None,
) -> None:
    """Turn logs of a license server into a history, for `seatpool plan` and `seatpool report`, before anything is installed.

    Lines that cannot be read are counted and shown. They do not end the import.
    """
    from zoneinfo import ZoneInfo

    from seatpool.api.base import parse_duration
    from seatpool.history.pseudonyms import Pseudonyms
    from seatpool.settings.settings import load_settings

    try:
        from seatpool.history.importing import LogImport
    except ImportError as error:
        from seatpool.history.factory import HistoryNotInstalled

        raise HistoryNotInstalled(error.name) from error
    try:
        longest_time = parse_duration(longest)
    except ValueError as error:
        raise SeatpoolError(f"--longest: {error}") from error
    if not longest_time:
        raise SeatpoolError(f"--longest {longest}: write a duration above zero, such as 1d")
    try:
        zone = ZoneInfo(time_zone)
    except (KeyError, ValueError, OSError) as error:
        raise SeatpoolError(f"--time-zone {time_zone}: no such time zone; write for example Europe/Madrid") from error
    settings = load_settings(file=config)
    identity, pseudonyms = settings.identity, Pseudonyms.from_file(settings.history.salt_file)

    def user_of(spelling: str) -> str:
        user = identity.unchecked_user(spelling.strip())
        return pseudonyms.of(user) if user else ""

    job = LogImport(
        files=files,
        into=into,
        name=name or form.value,
        server=server,
        zone=zone,
        user_of=user_of,
        longest=longest_time,
        replace=replace,
    )
    _print_result(job.import_flexnet() if form is Format.FLEXNET else job.import_csv(), into)


def _print_result(imported: "ImportResult", into: Path) -> None:
    from seatpool.history.importing import format_reasons

    more = len(imported.features) - SHOWN_FEATURES
    features = ", ".join(imported.features[:SHOWN_FEATURES]) + (f" and {more} more" if more > 0 else "")
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(imported.rows.items()))
    messages = f" ({imported.messages} of them other messages of the server)" if imported.messages else ""
    say(f"{imported.lines} lines{messages}, {imported.since:%Y-%m-%d} to {imported.until:%Y-%m-%d}: {kinds}")
    say(f"{imported.people} people used {features}")
    if imported.passed_over or imported.oddities:
        say(f"Not used, or odd: {format_reasons(imported.passed_over + imported.oddities)}")
    for file in imported.undated:
        say(f"Not used: {file}, of which no line says which day it is")
    unused = imported.passed_over.total()
    if unused >= imported.lines * WORTH_A_WARNING:
        say(
            f"Look at the lines that were not used, {unused} of {imported.lines}, before you trust the totals", err=True
        )
    say(f"History: {into}. Now: seatpool plan --history {into} --target 'p95 wait < 10m'")
