"""Builds the command line from its commands, and has the entry points of the scripts.

Each command imports what it needs when it runs. So `--help` answers at once, and a container without the packages of the
demo starts too. An error that the user can fix is one line on standard error and exit code 2.
"""

import os
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Annotated, Any

import typer

from seatpool.cli import assistant, compare_pipeline, demo, dlq, history, inspect_setup, plan, report, run, verbs, web
from seatpool.cli.command_classes import RenamedCommand
from seatpool.cli.failures import failures_told
from seatpool.cli.help import HELP_NAMES, Panel, tidy_help
from seatpool.domain.errors import SeatpoolError
from seatpool.terminal.streams import prepare_streams
from seatpool.text import format_known

PLUGIN = "kubectl-seatpool"
NO_FILES = ":4"  # tells kubectl that these are all completions, and not to offer files

app = typer.Typer(
    name="seatpool",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": [*HELP_NAMES]},
)


class OldImport(RenamedCommand, compare_pipeline.ComparePipeline):
    """Old name of `compare-pipeline`."""

    old, new = "import", "compare-pipeline"


def print_version(asked: bool) -> None:
    """Prints the version and ends the command, if it was asked for."""
    if asked:
        version()
        raise typer.Exit


@app.callback()
def seatpool(
    *,
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Kubernetes operator that lets named-user software licenses serve as if they were floating."""


def crds(
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write one file for each kind into this folder.")
    ] = None,
) -> None:
    """Print the CustomResourceDefinitions, or write them into a folder."""
    from seatpool.api import crd

    if out is None:
        typer.echo("---\n".join(text for _, text in crd.files()), nl=False)
        return
    try:
        changed = crd.write(out)
    except OSError as error:
        raise SeatpoolError(f"--out {out}: {error.strerror or error}; name a folder that can be written to") from error
    for path in changed:
        typer.echo(f"wrote {path}")


def document() -> None:
    """Print the SSM document that license servers run, as it has to be uploaded."""
    from seatpool.servers.ssm.document import document_json

    typer.echo(document_json(), nl=False)


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("seatpool"))


def print_help(
    context: typer.Context,
    words: Annotated[list[str] | None, typer.Argument(metavar="[COMMAND]...", show_default=False)] = None,
) -> None:
    """Print the help of a command, as its option --help does."""
    at = context.find_root()
    for word in words or ():
        commands: dict[str, Any] = getattr(at.command, "commands", {})
        found = commands.get(word)
        if found is None:
            asked, place = f"help {' '.join(words or ())}", at.command_path
            if not commands:
                raise SeatpoolError(f"{asked}: {place} has no commands; write help {place.partition(' ')[2]}")
            known = format_known(word, (name for name, one in commands.items() if not one.hidden))
            raise SeatpoolError(f"{asked}: {place} has no command {word}; {known}")
        at = found.context_class(found, info_name=word, parent=at, help_option_names=[*HELP_NAMES])
    typer.echo(at.command.get_help(at))


operating = typer.Typer()
operating.command(rich_help_panel=Panel.SET_UP)(demo.demo)
operating.command("compare-pipeline", rich_help_panel=Panel.SET_UP, cls=compare_pipeline.ComparePipeline)(
    compare_pipeline.compare_pipeline
)
operating.command("import", cls=OldImport, hidden=True)(compare_pipeline.compare_pipeline)
operating.command(rich_help_panel=Panel.SET_UP)(crds)
operating.command(rich_help_panel=Panel.SET_UP)(document)
operating.command(rich_help_panel=Panel.SET_UP)(version)
operating.command("help", rich_help_panel=Panel.SET_UP)(print_help)
operating.command(cls=run.RunCommand, rich_help_panel=Panel.SET_UP)(run.run)
operating.command(cls=run.RunCommand, rich_help_panel=Panel.SET_UP)(web.web)
# The help lists the commands in this order, in the panels of `help.Panel`.
app.add_typer(verbs.app)
app.add_typer(assistant.app)
app.add_typer(plan.app)
app.add_typer(report.app)
app.add_typer(history.app, name="history", rich_help_panel=Panel.PAST)
app.add_typer(inspect_setup.app)
app.add_typer(dlq.app, rich_help_panel=Panel.SET_UP)
app.add_typer(operating)


def main() -> None:
    """Runs the command line and exits. `cli.entry` calls it."""
    prepare_streams()
    with failures_told():
        command = typer.main.get_command(app)
        tidy_help(command)
        command(prog_name="kubectl seatpool" if Path(sys.argv[0]).name == PLUGIN else "seatpool")


def complete() -> None:
    """Entry point of the script `kubectl_complete-seatpool`, by which kubectl completes `kubectl seatpool ...`."""
    words = ["seatpool", *sys.argv[1:]]
    environment = {
        "_SEATPOOL_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    os.environ.update(environment)
    prepare_streams()
    found = StringIO()
    try:
        with redirect_stdout(found):
            app(prog_name="seatpool")
    finally:
        for line in (*(line for line in found.getvalue().splitlines() if line), NO_FILES):
            typer.echo(line)
