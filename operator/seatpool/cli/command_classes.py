"""Command classes that several commands share."""

import gc
import os
import shlex
import sys
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand

from seatpool.domain.errors import SeatpoolError

ARGUMENTS = "seatpool.arguments"
"""Key in the meta data of a command's context: its arguments as they were written."""
REMOVED_IN = "0.3"
PIPE_CLOSED = 141
"""Exit code when the program that reads the output ends first, as of every program that SIGPIPE ends."""


class UnexpectedError(SeatpoolError):
    """An exception of a library, or a mistake in a command, that no other error stands for."""


class ReadingCommand(TyperCommand):
    """Runs a command that reads files of others, so that no exception of a library reaches the terminal as it is."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return self._invoke(ctx)
        except BrokenPipeError:
            # What is not written yet would fail once more when the process ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(PIPE_CLOSED) from None
        except (SeatpoolError, typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except Exception as error:
            told = " ".join(str(error).split()) or "no more is known"
            raise UnexpectedError(
                f"{ctx.info_name}: {type(error).__name__}: {told}; seatpool did not expect that of its input, so please "
                "report it (PYTHONDEVMODE=1 shows where it happened)"
            ) from error

    def _invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        finally:
            sys.stdout.flush()


class ShortLivedCommand(ReadingCommand):
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
