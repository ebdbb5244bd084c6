"""Defines `check` and `support-bundle`, for those who install Seatpool and those who help them."""

import asyncio
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatpool.cli.cluster_options import cluster_options
from seatpool.cli.command_classes import ShortLivedCommand
from seatpool.cli.help import Panel
from seatpool.cli.verbs import LOOK_AT_IT, WELL, OutputFormat, OutputOption
from seatpool.terminal.say import say

if TYPE_CHECKING:
    from seatpool.cli.cluster import CommandOptions

app = typer.Typer()


class RoleOption(StrEnum):
    """Values of `--role`. `explain.rights` has the same; it is not imported for `--help`."""

    VIEWER = "viewer"
    LICENSE_ADMIN = "license-admin"
    OPERATOR = "operator"


@app.command(cls=ShortLivedCommand, rich_help_panel=Panel.SET_UP)
@cluster_options()
def check(
    *,
    options: "CommandOptions",
    role: Annotated[RoleOption, typer.Option(help="The role whose rights you should have here.")] = RoleOption.VIEWER,
    output: OutputFormat = OutputOption.TABLE,
) -> None:
    """Check the installation: CRDs, rights, the operator, and with --config the queue, the SSM document and the roles.

    Changes nothing. Exit code 1: a check failed. The operator's own rights: --role operator, in its pod, or from outside
    with --as system:serviceaccount:NAMESPACE:NAME.
    """
    from seatpool.cli.check import run_check
    from seatpool.explain.rights import Role
    from seatpool.terminal.output import Output

    well = asyncio.run(run_check(options, role=Role(role.value), output=Output(output.value)))
    raise typer.Exit(WELL if well else LOOK_AT_IT)


@app.command("support-bundle", cls=ShortLivedCommand, rich_help_panel=Panel.SET_UP)
@cluster_options(without={"time_zone"})
def support_bundle(
    *,
    options: "CommandOptions",
    file: Annotated[Path, typer.Argument(metavar="FILE.tar.gz", help="The file to write. It must not exist yet.")],
    names: Annotated[
        bool, typer.Option("--names", help="Leave user ids as they are. Without it they are pseudonyms.")
    ] = False,
) -> None:
    """Collect what is needed to help you: objects, Events, Lease, versions, and with --config the settings.

    User ids are pseudonyms, the same one for a user in all files, and there is no secret in it. Look into it before you
    hand it on.
    """
    from seatpool.cli.support_bundle import write_bundle

    say(asyncio.run(write_bundle(options, file=file, names=names)))
