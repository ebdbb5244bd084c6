"""Prints lines and JSON with foreign text escaped: what tags, events and license servers say never reaches a terminal raw.

The module imports little, because every command imports it, also for `--help`.
"""

import json
from typing import Any

import typer

from seatpool.text import escape_json, escape_unprintable


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Prints a text, escaped, to standard output or standard error. A line feed of the text begins a new line.

    `nl`: whether to print a line feed after it.
    """
    typer.echo(escape_unprintable(text, keep_lines=True), err=err, nl=nl)


def warn(text: str) -> None:
    """Prints a warning, escaped, to standard error, so that what a program reads stays as it is."""
    say(f"seatpool: {text}", err=True)


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """Returns JSON-ready data as JSON, without a line feed at the end. What is not printable is escaped as in JSON."""
    return escape_json(json.dumps(value, indent=indent, ensure_ascii=False))
