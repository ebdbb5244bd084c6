"""Command classes that several commands share."""

import gc
import shlex
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand

ARGUMENTS = "seatpool.arguments"
"""Key in the meta data of a command's context: its arguments as they were written."""
REMOVED_IN = "0.3"


class ShortLivedCommand(TyperCommand):
    """Runs a command that reads, prints and ends, with the garbage collector off.

    Almost nothing that such a command allocates becomes garbage before its end.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        gc.disable()
        try:
            return super().invoke(ctx)
        finally:
            gc.enable()


def command_line(context: typer.Context) -> str:
    """Returns the command line of a ShortLivedCommand, as a shell reads it."""
    return shlex.join([*context.command_path.split(), *context.meta[ARGUMENTS]])


class RenamedCommand(TyperCommand):
    """Runs a command under its old name, after one line on standard error that has the new name."""

    old: ClassVar[str]
    new: ClassVar[str]

    def invoke(self, ctx: Any) -> Any:
        typer.echo(
            f"seatpool: '{self.old}' is now '{self.new}'; the old name still works and will be removed in {REMOVED_IN}",
            err=True,
        )
        return super().invoke(ctx)
