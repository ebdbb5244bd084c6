"""Prints lines and JSON with foreign text escaped: what tags, events and license servers say never reaches a terminal raw.

The module imports little, because every command imports it, also for `--help`.
"""

import json
from typing import Any

import typer

from seatpool.text import escape_unprintable


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Prints a text, escaped, to standard output or standard error. A line feed of the text begins a new line.

    `nl`: whether to print a line feed after it.
    """
    typer.echo(escape_unprintable(text, keep_lines=True), err=err, nl=nl)


def json_text(value: Any, *, indent: int | None = 2) -> str:
    """Returns JSON-ready data as JSON, without a line feed at the end. What is not printable is escaped as in JSON."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return "".join(one if one == "\n" or one.isprintable() else _json_escape(one) for one in text)


def _json_escape(one: str) -> str:
    units = one.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[index : index + 4]}" for index in range(0, len(units), 4))
