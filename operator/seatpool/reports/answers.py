"""Formats the result of an SQL query for a terminal or for a program."""

import csv
import io
from datetime import date, datetime
from typing import Any

from rich.text import Text

from seatpool.history.sql import QueryResult
from seatpool.terminal.output import console, table
from seatpool.terminal.say import json_text
from seatpool.text import NOT_KNOWN, csv_cell, format_count


def format_result(answer: QueryResult, *, form: str, headers: bool = True) -> str:
    """Formats a result as `table`, `csv` or `json`. `headers` False: a table has no column headings."""
    if form == "json":
        rows = [dict(zip(answer.columns, map(_plain, row), strict=True)) for row in answer.rows]
        return json_text(rows) + "\n"
    if form == "csv":
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([csv_cell(name) for name in answer.columns])
        writer.writerows([csv_cell(_plain(value)) for value in row] for row in answer.rows)
        return text.getvalue()
    return _table(answer, headers=headers)


def _table(answer: QueryResult, *, headers: bool) -> str:
    shown = console(headers=headers)
    numbers = [name for index, name in enumerate(answer.columns) if _holds_numbers(answer, index)]
    drawn = table(*answer.columns, numbers=numbers, fold=True)
    for row in answer.rows:
        drawn.add_row(*(Text(NOT_KNOWN if value is None else str(_plain(value))) for value in row))
    with shown.capture() as captured:
        shown.print(drawn)
        shown.print(format_count(len(answer.rows), "row"))
    return captured.get()


def _holds_numbers(answer: QueryResult, index: int) -> bool:
    return any(isinstance(row[index], int | float) and not isinstance(row[index], bool) for row in answer.rows[:100])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
