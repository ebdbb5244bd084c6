"""Groups the commands in the help, and tidies what Typer makes: a switch takes no value, and an argument has no braces."""

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
    for one in getattr(command, "commands", {}).values():
        tidy_help(one)
