"""Remembers which files each import of a history was made from, and replaces what an earlier import of that name left.

A log that is live grows, a time zone is corrected: so an import is made again under its name. Its rows are then those
that the files have now, and none of the earlier ones. That is only right if everything that was imported before is among
the files, so a file that is missing is refused. Names of files and digests of their content lie in `.imports` in the
history's folder.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from seatpool.domain.errors import SeatpoolError
from seatpool.history.atomic_write import write_atomically
from seatpool.history.database import working_database
from seatpool.history.schema import KINDS, columns, fact_id
from seatpool.history.text_lines import open_content
from seatpool.history.writing import FILES, SUFFIX, HistoryNotWritten, write_query
from seatpool.text import format_names

FOLDER = ".imports"
_AT_ONCE = 1 << 20


class EarlierFilesMissing(SeatpoolError):
    """The import had other files before, which are not among those that are given now."""


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """A file as it was when it was imported."""

    file: str
    """Its name, for messages."""
    size: int
    """Bytes, unpacked."""
    digest: str
    """SHA-256 of these bytes."""


class EarlierImport:
    """What a history has of an import of this name."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._record = folder / FOLDER / f"{fact_id(name)}.json"

    def check_files(self, files: Sequence[Path], *, replace: bool) -> list[ImportedFile]:
        """Returns what is to be remembered of the files. Raises EarlierFilesMissing, HistoryNotWritten and OSError.

        Unless `replace`, each file of the earlier import has to be the beginning of one of the files.
        """
        earlier = self._files()
        sizes = sorted({one.size for one in earlier or ()})
        found, beginnings = [], set[tuple[int, str]]()
        for file in files:
            size, digest, parts = _digests(file, sizes)
            found.append(ImportedFile(file.name, size, digest))
            beginnings |= parts
        if replace:
            return found
        if earlier is None and self._has_rows():
            raise EarlierFilesMissing(
                f"history folder {self._folder}: it has an import {self._name!r}, and it is not known of which files; "
                "give another --name, or --replace to drop what is there"
            )
        missing = [one.file for one in earlier or () if (one.size, one.digest) not in beginnings]
        if missing:
            raise EarlierFilesMissing(
                f"history folder {self._folder}: the import {self._name!r} was made from other files too, of which "
                f"{format_names(missing)} is not given now or does not begin as it did; give all files of the import, "
                "or another --name, or --replace to drop what is there"
            )
        return found

    def remember(self, files: Iterable[ImportedFile]) -> None:
        """Writes down the files. Raises OSError."""
        content = json.dumps({"name": self._name, "files": [asdict(one) for one in files]}, indent=1)
        write_atomically(self._record, lambda fresh: fresh.write_text(content, encoding="utf-8"))

    def drop_rows(self, *, but: Iterable[Path]) -> None:
        """Deletes the rows of the import from all files but these. Raises HistoryNotWritten."""
        kept = {path.resolve() for path in but}
        try:
            with working_database() as database:
                for path in self._paths(database):
                    if path.resolve() not in kept:
                        self._drop_rows_of(database, path)
        except (duckdb.Error, OSError) as error:
            raise HistoryNotWritten(f"history folder {self._folder}: {error}") from error

    def _files(self) -> list[ImportedFile] | None:
        try:
            return [ImportedFile(**one) for one in json.loads(self._record.read_text(encoding="utf-8"))["files"]]
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _has_rows(self) -> bool:
        try:
            with working_database() as database:
                return bool(self._paths(database))
        except duckdb.Error as error:
            raise HistoryNotWritten(f"history folder {self._folder}: {error}") from error

    def _paths(self, database: duckdb.DuckDBPyConnection) -> list[Path]:
        """Returns the files that have rows of the import."""
        found = []
        for kind in KINDS:
            pattern = f"kind={kind.kind}/day=*/{FILES}"
            if next(self._folder.glob(pattern), None) is not None:
                found += database.execute(
                    "SELECT DISTINCT filename FROM read_parquet(?, filename = true, hive_partitioning = false) "  # noqa: S608
                    f"WHERE {_OWN} ORDER BY 1",
                    [str(self._folder / pattern), self._name],
                ).fetchall()
        return [Path(path) for (path,) in found]

    def _drop_rows_of(self, database: duckdb.DuckDBPyConnection, path: Path) -> None:
        kind = next(kind for kind in KINDS if path.parent.parent.name == f"kind={kind.kind}")
        rows = f"read_parquet('{_quoted(path)}', hive_partitioning = false)"
        others = f"FROM {rows} WHERE NOT ({_OWN.replace('?', _literal(self._name))})"
        if database.execute(f"SELECT count(*) {others}").fetchall()[0][0]:
            write_query(
                database,
                f"SELECT {', '.join(columns(kind))} {others} ORDER BY id",
                path.with_name(f"day-{fact_id(path.name, self._name)}{SUFFIX}"),
            )
        path.unlink(missing_ok=True)
        with suppress(OSError):
            path.parent.rmdir()


_OWN = "installation = ? AND source <> 'operator'"


def _digests(file: Path, sizes: Sequence[int]) -> tuple[int, str, set[tuple[int, str]]]:
    """Returns size and digest of the content, and the digests of its beginnings of these sizes."""
    running, size, parts = hashlib.sha256(), 0, set[tuple[int, str]]()
    remaining = list(sizes)
    with open_content(file) as content:
        while True:
            wanted = min(_AT_ONCE, remaining[0] - size) if remaining else _AT_ONCE
            if remaining and not wanted:
                parts.add((remaining.pop(0), running.hexdigest()))
                continue
            block = content.read(wanted)
            if not block:
                return size, running.hexdigest(), parts
            running.update(block)
            size += len(block)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
