"""Builds the command line from its commands, and has the entry points of the scripts.

Each command imports what it needs when it runs. So `--help` answers at once, and a container without the packages of the
demo starts too. An error that the user can fix is one line on standard error and exit code 2.
"""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from seatpool.cli import compare_pipeline, demo, dlq, history, plan, report, run, verbs
from seatpool.cli.command_classes import RenamedCommand
from seatpool.domain.errors import SeatpoolError
from seatpool.terminal.say import say

ERROR = 2
PLUGIN = "kubectl-seatpool"
NO_FILES = ":4"  # tells kubectl that these are all completions, and not to offer files

app = typer.Typer(
    name="seatpool",
    help="Kubernetes operator that lets named-user software licenses serve as if they were floating.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class OldImport(RenamedCommand):
    """Old name of `compare-pipeline`."""

    old, new = "import", "compare-pipeline"


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
    from seatpool.servers.document import document_json

    typer.echo(document_json(), nl=False)


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    typer.echo(installed("seatpool"))


# The help lists the commands in this order.
app.command(cls=run.RunCommand)(run.run)
app.command()(demo.demo)
app.command()(crds)
app.command()(document)
app.command()(version)
app.command("compare-pipeline")(compare_pipeline.compare_pipeline)
app.command("import", cls=OldImport, hidden=True)(compare_pipeline.compare_pipeline)
app.add_typer(verbs.app)
app.add_typer(plan.app)
app.add_typer(report.app)
app.add_typer(dlq.app)
app.add_typer(history.app, name="history")


def main() -> None:
    """Entry point of the scripts `seatpool` and `kubectl-seatpool`."""
    try:
        app(prog_name="kubectl seatpool" if Path(sys.argv[0]).name == PLUGIN else "seatpool")
    except SeatpoolError as error:
        if sys.flags.dev_mode:
            raise
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        say(f"seatpool: {'; '.join(lines).replace(':; ', ': ')}", err=True)
        raise SystemExit(ERROR) from None


def complete() -> None:
    """Entry point of the script `kubectl_complete-seatpool`, by which kubectl completes `kubectl seatpool ...`."""
    words = ["seatpool", *sys.argv[1:]]
    environment = {
        "_SEATPOOL_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    os.environ.update(environment)
    try:
        app(prog_name="seatpool")
    finally:
        typer.echo(NO_FILES)
