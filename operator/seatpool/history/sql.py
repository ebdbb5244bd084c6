"""Runs one SQL query of `seatpool sql` on the views of the history and on nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from seatpool.domain.errors import SeatpoolError
from seatpool.history.store import open_history


class InvalidQuery(SeatpoolError):
    """The SQL is wrong, or is not one SELECT."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Columns and rows of a result."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]


def run_query(folder: Path, sql: str) -> QueryResult:
    """Returns the result of one SELECT. Any other statement is refused before it runs. Raises InvalidQuery."""
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        raise InvalidQuery(f"the SQL cannot be read: {error}") from error
    if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:
        raise InvalidQuery("write one SELECT; the views are sessions, waits, refusals and capacity")
    with open_history(folder) as database:
        try:
            found = database.execute(statements[0])
            columns = tuple(column[0] for column in found.description or ())
            return QueryResult(columns, found.fetchall())
        except (duckdb.Error, OverflowError) as error:
            raise InvalidQuery(str(error)) from error
