"""Command classes that several commands share."""

import gc
import shlex
import signal
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand

ARGUMENTS = "seatpool.arguments"
"""Key in the meta data of a command's context: its arguments as they were written."""
REMOVED_IN = "0.3"


class ListOption(StrEnum):
    """Values of `--output` of commands that print a list."""

    TABLE = "table"
    JSON = "json"


class RecordedCommand(TyperCommand):
    """Keeps the arguments as they were written, for `command_line`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[ARGUMENTS] = list(args)
        return super().parse_args(ctx, args)


class ShortLivedCommand(RecordedCommand):
    """Runs a command that reads, prints and ends, with the garbage collector off.

    Almost nothing that such a command allocates becomes garbage before its end.
    """

    def invoke(self, ctx: Any) -> Any:
        gc.disable()
        try:
            return super().invoke(ctx)
        finally:
            gc.enable()


def command_line(context: typer.Context) -> str:
    """Returns the command line of a RecordedCommand, as a shell reads it."""
    return shlex.join([*context.command_path.split(), *context.meta[ARGUMENTS]])


class EndedAtOnce(RecordedCommand):
    """Lets Ctrl-C end the process at once.

    It is for work in a library that heeds no exception, and that leaves nothing behind.
    """

    def invoke(self, ctx: Any) -> Any:
        heeded = signal.getsignal(signal.SIGINT)
        if heeded is not signal.default_int_handler:
            return super().invoke(ctx)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        try:
            return super().invoke(ctx)
        finally:
            signal.signal(signal.SIGINT, heeded)


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


class RenamedOptions(TyperCommand):
    """Takes old names of options, after one line on standard error that has the new name."""

    renamed: ClassVar[Mapping[str, str]]
    """The new words, by the old name: `{"--json": "-o json"}`. A value that follows stays where it is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        words: list[str] = []
        for number, word in enumerate(args):
            if word == "--":
                words += args[number:]
                break
            name, equals, value = word.partition("=")
            new = self.renamed.get(name)
            if new is None:
                words.append(word)
                continue
            typer.echo(
                f"seatpool: '{name}' is now '{new}'; the old name still works and will be removed in {REMOVED_IN}",
                err=True,
            )
            words += [f"{new}={value}"] if equals else new.split(" ")
        return super().parse_args(ctx, words)
