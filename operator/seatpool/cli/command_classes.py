"""Command classes that several commands share."""

import gc
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand

REMOVED_IN = "0.3"


class ShortLivedCommand(TyperCommand):
    """Runs a command that reads, prints and ends, with the garbage collector off.

    Almost nothing that such a command allocates becomes garbage before its end.
    """

    def invoke(self, ctx: Any) -> Any:
        gc.disable()
        try:
            return super().invoke(ctx)
        finally:
            gc.enable()


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
