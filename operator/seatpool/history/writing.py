"""Writes rows to Parquet files, one a kind and day, with DuckDB.

A file is written under a hidden name, made durable and then renamed. So a reader never sees half of one. The caller
names the batch, and the same batch gives the same names. Writing it again after a crash replaces the files.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import duckdb

from seatpool.domain.errors import SeatpoolError
from seatpool.history.atomic_write import write_atomically
from seatpool.history.database import working_database
from seatpool.history.schema import KINDS, Row, columns, fact_id, row_to_json

SUFFIX = ".parquet"
FILES = f"[!.]*{SUFFIX}"
"""Glob of whole files. The names of half-written ones begin with a dot."""
ROWS_AT_ONCE = 100_000


class HistoryNotWritten(SeatpoolError):
    """Rows could not be written to files. They are still where they were."""


@dataclass(frozen=True, slots=True)
class HistoryFile:
    """A Parquet file of the history."""

    kind: str
    day: str
    path: Path

    @property
    def key(self) -> str:
        """Returns the path below the folder of the history."""
        return f"kind={self.kind}/day={self.day}/{self.path.name}"


def write_rows(rows: Iterable[Row], folder: Path) -> list[Path]:
    """Adds rows to the history in a folder and returns the files. Rows that it already has do no harm.

    The batch is named by its rows, so the same rows in the same order replace themselves.
    """
    written: list[Path] = []
    remaining = iter(rows)
    while chunk := list(islice(remaining, ROWS_AT_ONCE)):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as lines:
            texts = [json.dumps(row_to_json(row), ensure_ascii=False) for row in chunk]
            lines.writelines(f"{text}\n" for text in texts)
            lines.flush()
            batch = fact_id(*texts)
            written += [one.path for one in write_lines(Path(lines.name), folder, batch=batch)]
    return written


def write_lines(lines: Path, folder: Path, *, batch: str) -> list[HistoryFile]:
    """Adds the rows of a file of JSON lines. A line that is not JSON, for example after a power cut, is skipped."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with working_database() as database:
            return list(_write_lines(database, lines, folder, batch=batch))
    except (duckdb.Error, OSError) as error:
        raise HistoryNotWritten(f"history folder {folder}: {error}; make room, or let it be written to") from error


def _write_lines(
    database: duckdb.DuckDBPyConnection, lines: Path, folder: Path, *, batch: str
) -> Iterator[HistoryFile]:
    for kind in KINDS:
        known = columns(kind)
        names = ", ".join(known)
        types = ", ".join(f"{name}: '{sql}'" for name, sql in {"kind": "VARCHAR", **known}.items())
        database.execute(
            f"CREATE TABLE {kind.kind} AS SELECT CAST(seen_at AS DATE) AS day, {names} FROM read_json(?, "  # noqa: S608
            f"format = 'newline_delimited', ignore_errors = true, columns = {{{types}}}) "
            "WHERE kind = ? AND id IS NOT NULL AND seen_at IS NOT NULL",
            [str(lines), kind.kind],
        )
        for (day,) in database.execute(f"SELECT DISTINCT day FROM {kind.kind} ORDER BY day").fetchall():  # noqa: S608
            query = f"SELECT {names} FROM {kind.kind} WHERE day = '{day}' ORDER BY id, seen_at"  # noqa: S608
            place = folder / f"kind={kind.kind}" / f"day={day}"
            yield HistoryFile(kind.kind, str(day), write_query(database, query, place / f"{batch}{SUFFIX}"))


def write_query(database: duckdb.DuckDBPyConnection, query: str, path: Path) -> Path:
    """Writes the result of a query to a file, atomically."""

    def make(fresh: Path) -> None:
        database.execute(f"COPY ({query}) TO '{_quoted(fresh)}' (FORMAT parquet, COMPRESSION zstd)")

    return write_atomically(path, make)


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
