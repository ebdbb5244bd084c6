"""Groups the commands in the help, and tidies what Typer makes.

A switch takes no value, an argument has no braces, and every colour can be read on a light and on a dark terminal.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any

HELP_NAMES = ("-h", "--help")


class Panel(StrEnum):
    """Groups of commands in the help."""

    ANSWERS = "Answers"
    DECISIONS = "Decisions"
    PAST = "Past and plans"
    SET_UP = "Setting up and running"


def tidy_help(command: Any) -> None:
    """Changes a command, and all below it."""
    for parameter in (
        *command.params,
        command.get_help_option(command.context_class(command, help_option_names=[*HELP_NAMES])),
    ):
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
        elif parameter.param_type_name == "argument" and parameter.required:
            pieces = [parameter.metavar or parameter.name]
            parameter.get_usage_pieces = lambda _ctx, pieces=pieces: pieces
    command.format_help = _readable(command.format_help)
    for one in getattr(command, "commands", {}).values():
        tidy_help(one)


def _readable(format_help: Callable[..., None]) -> Callable[..., None]:
    """Returns the function with Typer's yellow and cyan replaced. Its module of styles is imported when help is printed."""

    def formatted(context: Any, formatter: Any) -> None:
        from typer import rich_utils

        for name, style in vars(rich_utils).copy().items():
            if name.startswith("STYLE_") and isinstance(style, str):
                setattr(rich_utils, name, style.replace("cyan", "blue").replace("yellow", "magenta"))
        format_help(context, formatter)

    return formatted
