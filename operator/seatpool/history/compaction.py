"""Merges the small files of a day into one, and deletes the files of days that are older than the retention.

The files of a day are first written together as one more file and deleted a round later. A reader meanwhile finds every
fact, some of them twice, and merges them by their ids as always. A crash at any point leaves the same.
"""

import tempfile
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

import duckdb

from seatpool.history.archive import Archive
from seatpool.history.database import working_database
from seatpool.history.dedup import dedup_query
from seatpool.history.schema import KINDS, Row, fact_id
from seatpool.history.writing import SUFFIX, HistoryFile, HistoryNotWritten, write_query

MOST_FILES_OF_TODAY = 32
"""A day that is not over keeps up to so many small files."""

Place = tuple[str, str]


class Compactor:
    """Compacts one archive. Its methods block."""

    def __init__(self, archive: Archive, *, retention_days: int | None) -> None:
        self._archive = archive
        self._retention_days = retention_days
        self._superseded: dict[Place, tuple[str, ...]] = {}

    def compact(self, *, today: date) -> None:
        """Does one round. Raises HistoryNotWritten."""
        for (name, day), files in self._superseded.items():
            self._archive.remove(name, day, files)
        self._superseded.clear()
        self._archive.clear_leftovers()
        for kind in KINDS:
            for day, names in self._archive.days(kind.kind).items():
                if self._is_too_old(day, today=today):
                    self._archive.remove(kind.kind, day, names)
                elif len(names) > (1 if day < today.isoformat() else MOST_FILES_OF_TODAY):
                    self._merge(kind, day, names)

    def _is_too_old(self, day: str, *, today: date) -> bool:
        if self._retention_days is None:
            return False
        return day < (today - timedelta(days=self._retention_days)).isoformat()

    def _merge(self, kind: type[Row], day: str, names: Iterable[str]) -> None:
        names = tuple(names)
        with tempfile.TemporaryDirectory(prefix="seatpool-history-") as scratch:
            files = self._archive.fetch(kind.kind, day, names, into=Path(scratch) / "in")
            whole = Path(scratch) / f"day-{fact_id(*names)}{SUFFIX}"
            query = f"{dedup_query(kind, 'read_parquet(' + _listed(files) + ', union_by_name = true)')} ORDER BY id"
            try:
                with working_database() as database:
                    write_query(database, query, whole)
            except duckdb.Error as error:
                raise HistoryNotWritten(
                    f"{self._archive.name}: files of {day} cannot be put together: {error}"
                ) from error
            self._archive.store(HistoryFile(kind.kind, day, whole))
        self._superseded[kind.kind, day] = tuple(name for name in names if name != whole.name)


def _listed(files: Iterable[Path]) -> str:
    return "[" + ", ".join("'" + str(file).replace("'", "''") + "'" for file in files) + "]"
