"""Writes an answer to standard output: as a table for people, or as JSON or YAML for programs.

Text of tags and license servers must not reach a terminal raw. The console escapes it for people. JSON and YAML use the
escapes of their formats, so a program reads the very text. Plain lines are printed by `terminal.say`.

All forms have the same content. Field names are camelCase as in the resources. Times are RFC 3339 in UTC. A terminal gets
colours and wrapped lines. A pipe gets whole lines, so that a program can search them.
"""

import dataclasses
import os
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any

import typer
import yaml
from pydantic.alias_generators import to_camel
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Span, Text

from seatpool.api.base import Model, format_duration, format_instant
from seatpool.terminal.say import json_text
from seatpool.text import JSON_NAME, NOT_KNOWN, escape_character, escape_unprintable, split_command

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

    @property
    def is_for_people(self) -> bool:
        """Tells whether it is drawn, and not read by a program."""
        return self in (Output.TABLE, Output.WIDE)


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


class EscapingConsole(Console):
    """Escapes every text before it is laid out, so that no control character or line break of a value is printed."""

    def __init__(self, *, headers: bool = True, **options: Any) -> None:
        super().__init__(**options)
        self._headers = headers
        """False: tables have no headings."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        if isinstance(renderable, Table) and not self._headers:
            renderable.show_header = False
        return super().render(_escaped(renderable), options)

    def on_broken_pipe(self) -> None:
        """Raises the BrokenPipeError: the command says which exit code that is."""
        raise


class EscapingTable(Table):
    """Escapes cells before it measures the columns, so that each is as wide as what is shown."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        super().add_row(*(cell if cell is None else _escaped(cell) for cell in cells), **options)


def _escaped(shown: RenderableType) -> RenderableType:
    if isinstance(shown, str):
        return escape_unprintable(shown)
    return _escaped_text(shown) if isinstance(shown, Text) else shown


def _escaped_text(text: Text) -> Text:
    """Returns the text escaped, with its styles where they were."""
    if text.plain.isprintable():
        return text
    pieces = [escape_character(one) for one in text.plain]
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece))
    made = text.blank_copy("".join(pieces))
    made.spans = [Span(starts[span.start], starts[min(span.end, len(pieces))], span.style) for span in text.spans]
    return made


def yaml_text(value: Any) -> str:
    """Returns JSON-ready data as YAML. If a text in it is not printable, everything beyond ASCII is escaped."""
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
    return text if text.replace("\n", "").isprintable() else yaml.safe_dump(value, sort_keys=False, allow_unicode=False)


def console(*, markup: bool = True, wide: bool = False, headers: bool = True) -> Console:
    """Returns standard output as a console. A pipe without a known width is 200 columns wide.

    Set `markup` to False if texts may hold square brackets. `wide`: at least 200 columns. A narrower terminal wraps them.
    `headers` False: tables have no headings.
    """
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    screen = EscapingConsole(highlight=False, markup=markup, width=WIDE_ENOUGH if piped else None, headers=headers)
    if wide and screen.width < WIDE_ENOUGH:
        screen.width = WIDE_ENOUGH
    return screen


def write(answer: Any, *, output: Output, screen: Callable[[Console, bool], object], headers: bool = True) -> None:
    """Prints an answer. `screen` draws it for people; its second argument is True for `-o wide`."""
    if output is Output.JSON:
        typer.echo(json_text(data(answer)))
    elif output is Output.YAML:
        typer.echo(yaml_text(data(answer)), nl=False)
    else:
        screen(console(wide=output is Output.WIDE, headers=headers), output is Output.WIDE)


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a screen. A pipe gets it whole.

    On a terminal it is wrapped at words. A command at its end is a line of its own without line breaks, so that it can be
    copied: the terminal itself wraps it.
    """

    text: str
    style: str = ""
    indent: int = 0
    label: str = ""
    """Stands before the text, whose further lines begin below its first one."""

    def __rich__(self) -> RenderableType:
        told, command = split_command(self.text)
        lines: list[RenderableType] = [self._told(told)]
        if command:
            margin = (0, 0, 0, self._margin)
            lines.append(Padding(Text(command, style="bold", overflow="fold"), margin, expand=False))
        return Group(*lines)

    def print(self, screen: Console) -> None:
        """Prints it as the screen needs it."""
        if not (screen.is_terminal or "COLUMNS" in os.environ):
            label = Text(f"{' ' * self.indent}{self.label}{' ' * GAP if self.label else ''}")
            screen.print(label + Text(self.text, style=self.style), soft_wrap=True)
            return
        told, command = split_command(self.text)
        screen.print(self._told(told))
        if command:
            screen.print(Text(" " * self._margin) + Text(command, style="bold"), soft_wrap=True)

    @property
    def _margin(self) -> int:
        return self.indent + (cell_len(self.label) + GAP if self.label else 0)

    def _told(self, text: str) -> RenderableType:
        shown = Text(text, style=self.style)
        if not self.label:
            return Padding(shown, (0, 0, 0, self.indent), expand=False)
        row = EscapingTable.grid(padding=(0, GAP, 0, 0))
        row.add_column(no_wrap=True)
        row.add_column()
        row.add_row(Text(self.label, style=self.style), shown)
        return Padding(row, (0, 0, 0, self.indent), expand=False)


def print_parts(screen: Console, parts: Iterable[RenderableType]) -> None:
    """Prints the parts of a screen one below the other."""
    for part in parts:
        if isinstance(part, Line):
            part.print(screen)
        else:
            screen.print(part)


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """A column of a table that is fitted into the width of a screen."""

    heading: str
    priority: int = 0
    """0: always shown. Of the others, the one with the highest number is left out first."""


def fitted_table(columns: Sequence[Column], rows: Iterable[Sequence[str | Text]], *, width: int) -> Table:
    """Returns a table with as many of the columns as the width has room for. No cell of it is cut.

    If even those with priority 0 are too wide, the cells of the first column are wrapped.
    """
    every = [[_escaped(cell) for cell in row] for row in rows]
    widths = [
        max([cell_len(column.heading), *(cell_len(_plain(row[number])) for row in every)])
        for number, column in enumerate(columns)
    ]
    shown = list(range(len(columns)))
    while sum(widths[number] + GAP for number in shown) - GAP > width:
        least = max(shown, key=lambda number: columns[number].priority)
        if not columns[least].priority:
            break
        shown.remove(least)
    drawn = table(*(columns[number].heading for number in shown))
    drawn.columns[0].no_wrap, drawn.columns[0].overflow = False, "fold"
    for column, number in zip(drawn.columns[1:], shown[1:], strict=True):
        column.min_width = widths[number]
    for row in every:
        drawn.add_row(*(row[number] for number in shown))
    return drawn


def _plain(cell: RenderableType) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)


def table(*headings: str, numbers: Collection[str] = COUNTS, fold: bool = False, title: str | None = None) -> Table:
    """Returns an empty table in the style of kubectl: no lines, columns two spaces apart.

    Columns in `numbers` are right-aligned. A cell that is too long is cut, or wrapped with `fold`.
    """
    drawn = EscapingTable(
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
