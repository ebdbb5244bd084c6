"""Defines the options of the commands that read the cluster or change one object of it.

These are `status`, `top`, `why`, `who`, `diff`, `events`, `approve`, `pause`, `resume`, `verify`, `statement` and `export`.
They need a kubeconfig and nothing else, or with `--server` a token. `kubectl seatpool ...` is the same.
Heavy modules are imported when a command runs.

Exit codes: 0 all is well, 1 there is something to look at (a problem, a user who waits), 2 a mistake or no answer, 130
after Ctrl-C.
"""

import asyncio
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatpool.cli import completion
from seatpool.cli.cluster_options import cluster_options
from seatpool.cli.command_classes import RenamedCommand, ShortLivedCommand, command_line
from seatpool.cli.help import Panel
from seatpool.cli.no_headers import NoHeaders, refuse_no_headers
from seatpool.domain.errors import SeatpoolError
from seatpool.terminal.say import say

if TYPE_CHECKING:
    from seatpool.cli.cluster import CommandOptions
    from seatpool.terminal.output import Output

WELL = 0
LOOK_AT_IT = 1
INTERVAL = 2.0
"""Seconds between two reads of `top` and `status --watch`."""

app = typer.Typer()


class OutputOption(StrEnum):
    """Values of `--output`. `terminal.output` has the same; it is not imported for `--help`."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


class StatementOption(StrEnum):
    """Formats of the statement for the vendor."""

    MD = "md"
    JSON = "json"
    HTML = "html"


OutputFormat = Annotated[OutputOption, typer.Option("--output", "-o", help="How the answer is printed.")]
PoolName = Annotated[
    str,
    typer.Argument(metavar="POOL", help="LicensePool, as NAME or NAMESPACE/NAME.", autocompletion=completion.pools),
]
Either = Annotated[
    str,
    typer.Argument(
        metavar="POOL|SERVER",
        help="NAME, NAMESPACE/NAME, pool/NAME or server/NAME.",
        autocompletion=completion.pools_and_servers,
    ),
]


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.ANSWERS)
@cluster_options(api=True)
def status(
    *,
    options: "CommandOptions",
    selector: Annotated[
        str | None,
        typer.Option("--selector", "-l", metavar="LABELS", help="Only pools with these labels, such as team=cae."),
    ] = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Keep the screen up to date until Ctrl-C.")] = False,
    output: OutputFormat = OutputOption.TABLE,
    no_headers: NoHeaders = False,
) -> None:
    """Show whether all is well: problems first, then servers and pools, on one screen. Exit code 1: there are problems."""
    from seatpool.cli.inspect_verbs import show_status, show_top

    chosen = _output(output)
    refuse_no_headers(no_headers, is_table=chosen.is_for_people and not watch)
    if watch and not chosen.is_for_people:
        raise SeatpoolError(f"--watch draws a screen: leave out -o {chosen}, or read the objects with kubectl get -w")
    _end(
        show_top(options, interval=INTERVAL, selector=selector, wide=output is OutputOption.WIDE)
        if watch
        else show_status(options, output=chosen, selector=selector, headers=not no_headers)
    )


@app.command(rich_help_panel=Panel.ANSWERS)
@cluster_options(api=True)
def top(
    *,
    options: "CommandOptions",
    interval: Annotated[float, typer.Option(help="Seconds between two reads.", min=0.5)] = INTERVAL,
) -> None:
    """Show `status` and keep it up to date until Ctrl-C."""
    from seatpool.cli.inspect_verbs import show_top

    _end(show_top(options, interval=interval))


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.ANSWERS)
@cluster_options(api=True)
def why(
    *,
    options: "CommandOptions",
    user: Annotated[
        str,
        typer.Argument(
            metavar="USER|WORKBENCH",
            help="The user, in any spelling, or the name of a workbench.",
            autocompletion=completion.users,
        ),
    ],
    pool: Annotated[
        str | None,
        typer.Option(
            "--pool", "-p", help="Only this pool, as NAME or NAMESPACE/NAME.", autocompletion=completion.pools
        ),
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", "-w", help="Wait until every seat was read back from the license server.")
    ] = False,
    interval: Annotated[float, typer.Option(help="Seconds between two reads with --watch.", min=0.5)] = 2.0,
    output: OutputFormat = OutputOption.TABLE,
) -> None:
    """Explain why a user has a seat or not, which rule decides it, and when it can change.

    Exit code 0: the user has every seat that is needed. 1: the user waits, is denied, or something blocks a seat. With
    --watch the answer is printed again whenever it changes. It ends with 0 when every seat was read back, and with 1 if one is
    denied or with Ctrl-C.
    """
    from seatpool.cli.inspect_verbs import show_why

    _end(show_why(options, user=user, pool=pool, output=_output(output), watch=watch, interval=interval))


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.ANSWERS)
@cluster_options(api=True)
def who(
    *,
    options: "CommandOptions",
    pool: PoolName,
    output: OutputFormat = OutputOption.TABLE,
    no_headers: NoHeaders = False,
) -> None:
    """Show who has a seat of a pool, and who waits: since when, with which workbench type, until when or how long it may last."""
    from seatpool.cli.inspect_verbs import show_who

    chosen = _output(output)
    refuse_no_headers(no_headers, is_table=chosen.is_for_people)
    _end(show_who(options, pool=pool, output=chosen, headers=not no_headers))


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.ANSWERS)
@cluster_options()
def diff(
    *,
    options: "CommandOptions",
    pool: PoolName,
    output: OutputFormat = OutputOption.TABLE,
) -> None:
    """Compare a pool's list as it should be, as it is in flight, and as it was read back. Exit code 1: they differ."""
    from seatpool.cli.inspect_verbs import show_diff

    _end(show_diff(options, name=pool, output=_output(output)))


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.ANSWERS)
@cluster_options()
def events(
    *,
    options: "CommandOptions",
    name: Annotated[
        str,
        typer.Argument(
            metavar="POOL|USER",
            help="A pool, or a user if no pool has that name.",
            autocompletion=completion.pools_and_users,
        ),
    ],
    output: OutputFormat = OutputOption.TABLE,
) -> None:
    """Show what happened lately, from the SeatLedger and from Events, and what these do not know."""
    from seatpool.cli.inspect_verbs import show_events

    _end(show_events(options, name=name, output=_output(output)))


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.DECISIONS)
@cluster_options()
def approve(
    *,
    options: "CommandOptions",
    name: Either,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    wait: Annotated[float, typer.Option(help="Wait at most so many seconds for it. 0: do not wait.", min=0)] = 60.0,
) -> None:
    """Approve a change that the guard holds back.

    Shows which users would lose a seat and why, asks, and waits for the operator to do it. Exit code 1: not approved, or not
    done within --wait. Users who came to leave after the operator showed the change are not approved with it.

    A pool means its server: one approval is for all pools of a server.
    """
    from seatpool.cli.admin import approve_change

    def confirm(question: str) -> bool:
        return yes or typer.confirm(question, default=False)

    _end(approve_change(options, name=name, wait=wait, confirm=confirm, echo=say))


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.DECISIONS)
@cluster_options(without={"config", "time_zone"})
def pause(
    *,
    options: "CommandOptions",
    name: Either,
) -> None:
    """Stop changing a pool's list, or all lists of a server (spec.suspend). They stay as they are."""
    from seatpool.cli.admin import set_suspended

    _end(set_suspended(options, name=name, suspended=True, echo=say))


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.DECISIONS)
@cluster_options(without={"config", "time_zone"})
def resume(
    *,
    options: "CommandOptions",
    name: Either,
) -> None:
    """Go on after `pause`."""
    from seatpool.cli.admin import set_suspended

    _end(set_suspended(options, name=name, suspended=False, echo=say))


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.DECISIONS)
@cluster_options(without={"config"})
def verify(
    *,
    options: "CommandOptions",
    name: Either,
    wait: Annotated[float, typer.Option(help="Wait at most so many seconds for it. 0: do not wait.", min=0)] = 60.0,
) -> None:
    """Have the operator read the lists of a server back now. Exit code 1: it did not within --wait.

    A pool means its server: one command reads all lists of a server.
    """
    from seatpool.cli.admin import verify as request_verification

    _end(request_verification(options, name=name, wait=wait, echo=say))


class OldLedger(RenamedCommand, ShortLivedCommand):
    """Old name of `statement`."""

    old, new = "ledger", "statement"


@app.command("ledger", cls=OldLedger, hidden=True)
@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.PAST)
@cluster_options()
def statement(
    context: typer.Context,
    *,
    options: "CommandOptions",
    pool: Annotated[
        str,
        typer.Option("--pool", "-p", help="LicensePool, as NAME or NAMESPACE/NAME.", autocompletion=completion.pools),
    ],
    since: Annotated[str, typer.Option(help="Begin: a date such as 2026-01-31, or a length of time.")] = "365d",
    audit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE", help="The operator's audit trail (audit.file), - for standard input; may be repeated."
        ),
    ] = None,
    output: Annotated[
        StatementOption, typer.Option("--output", "-o", help="Markdown, JSON, or HTML to be printed.")
    ] = (StatementOption.MD),
) -> None:
    """Print the statement for the vendor: which users were on the list, by which rule, and which command wrote it.

    Exit code 1: something does not fit or is not known. The statement says what.
    """
    from seatpool.cli.statement import print_statement

    _end(
        print_statement(
            options, pool=pool, since=since, audit=audit or (), form=output.value, command=command_line(context)
        )
    )


@app.command(rich_help_panel=Panel.SET_UP)
@cluster_options(without={"config"})
def export(
    *,
    options: "CommandOptions",
) -> None:
    """Print servers, pools, ledgers and workbenches in JSON that `kubectl apply` takes, also in another cluster.

    User names are in it.
    """
    from seatpool.cli.export import print_export

    _end(print_export(options))


@app.command(hidden=True)
def reference(
    *,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where the pages are written.")] = Path("docs/reference"),
) -> None:
    """Write the reference pages that are made from the code."""
    from seatpool.reference.pages import write

    for path in write(out):
        typer.echo(f"wrote {path}")


def _output(option: OutputOption) -> "Output":
    from seatpool.terminal.output import Output

    return Output(option.value)


def _end(command: Coroutine[None, None, bool]) -> None:
    """Runs a command and exits with code 0 if it returns True, else with 1."""
    raise typer.Exit(WELL if asyncio.run(command) else LOOK_AT_IT)
