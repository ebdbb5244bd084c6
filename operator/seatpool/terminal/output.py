"""Writes an answer to standard output: as a table for people, or as JSON or YAML for programs.

All forms have the same content. Field names are camelCase as in the resources. Times are RFC 3339 in UTC. A terminal gets
colours and wrapped lines. A pipe gets whole lines, so that a program can search them.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any

import yaml
from pydantic.alias_generators import to_camel
from rich.console import Console
from rich.table import Table

from seatpool.api.base import Model, format_duration, format_instant
from seatpool.text import JSON_NAME, NOT_KNOWN

WIDE_ENOUGH = 200
GAP = 2
"""Columns between two cells."""
COUNTS = frozenset({"LISTS", "PEOPLE", "REVISION", "SEATS", "USED", "WAITING", "CHANGES"})
"""Headings of numbers."""


class Output(StrEnum):
    """Values of `-o`."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


def data(value: Any) -> Any:
    """Returns a dataclass, model or container as JSON-ready data. Absent values stay absent."""
    if isinstance(value, Model):
        return value.wire()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {
            field.metadata.get(JSON_NAME) or to_camel(field.name): data(inner)
            for field, inner in fields
            if inner is not None and not field.name.startswith("_")
        }
    if isinstance(value, Mapping):
        return {str(key): data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [data(inner) for inner in value]
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    return value.value if isinstance(value, Enum) else value


def console(*, markup: bool = True) -> Console:
    """Returns standard output as a console. A pipe without a known width is 200 columns wide.

    Set `markup` to False if texts may hold square brackets.
    """
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, markup=markup, width=WIDE_ENOUGH if piped else None)


def write(answer: Any, *, output: Output, screen: Callable[[Console, bool], object]) -> None:
    """Prints an answer. `screen` draws it for people; its second argument is True for `-o wide`."""
    if output is Output.JSON:
        print(json.dumps(data(answer), indent=2, ensure_ascii=False))  # noqa: T201
    elif output is Output.YAML:
        print(yaml.safe_dump(data(answer), sort_keys=False, allow_unicode=True), end="")  # noqa: T201
    else:
        screen(console(), output is Output.WIDE)


def table(*headings: str, numbers: Collection[str] = COUNTS, fold: bool = False, title: str | None = None) -> Table:
    """Returns an empty table in the style of kubectl: no lines, columns two spaces apart.

    Columns in `numbers` are right-aligned. A cell that is too long is cut, or wrapped with `fold`.
    """
    drawn = Table(
        box=None, pad_edge=False, header_style="bold", padding=(0, GAP, 0, 0), title=title, title_justify="left"
    )
    for heading in headings:
        drawn.add_column(
            heading,
            justify="right" if heading in numbers else "left",
            no_wrap=not fold,
            overflow="fold" if fold else "ellipsis",
        )
    return drawn


def count_cell(value: int | None) -> str:
    """Returns a number as text, or `-` if it is not known."""
    return NOT_KNOWN if value is None else str(value)
