"""Stores the Parquet files in a folder. A bucket has the same names below its prefix."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from seatpool.history.atomic_write import check_folder, write_atomically
from seatpool.history.writing import FILES, SUFFIX, HistoryFile, HistoryNotWritten, write_lines

LEFT_OVER_AFTER = 3600.0

Days = Mapping[str, tuple[str, ...]]
"""Names of the files of each day."""


class Archive(Protocol):
    """A place for files. Its methods block, and raise HistoryNotWritten if the place cannot be reached or written."""

    name: str
    """Name in messages."""

    def add(self, lines: Path, *, batch: str) -> None:
        """Makes Parquet files of a file of JSON lines. A batch that is added again replaces its files."""

    def days(self, kind: str) -> Days:
        """Returns the names of the files of each day."""

    def fetch(self, kind: str, day: str, names: Iterable[str], *, into: Path) -> list[Path]:
        """Returns the paths of files to read. `into` is an empty folder for an archive that has to copy them."""

    def store(self, file: HistoryFile) -> None:
        """Copies a file that was made elsewhere into the archive."""

    def remove(self, kind: str, day: str, names: Iterable[str]) -> None:
        """Deletes files. A file that is gone already is no error."""

    def clear_leftovers(self) -> None:
        """Deletes half-written files of processes that were killed."""

    def check(self) -> None:
        """Writes a file that is no part of the history, to see that the place can be written."""


class FolderArchive:
    """Archive in a folder on a disk or a shared volume."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = str(folder)

    def add(self, lines: Path, *, batch: str) -> None:
        write_lines(lines, self.folder, batch=batch)

    def days(self, kind: str) -> Days:
        found: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self.folder.glob(f"kind={kind}/day=*/{FILES}")):
            found[path.parent.name.removeprefix("day=")].append(path.name)
        return {day: tuple(names) for day, names in found.items()}

    def fetch(self, kind: str, day: str, names: Iterable[str], *, into: Path) -> list[Path]:
        del into
        return [self._place(kind, day) / name for name in names]

    def store(self, file: HistoryFile) -> None:
        try:
            write_atomically(
                self._place(file.kind, file.day) / file.path.name,
                lambda fresh: fresh.write_bytes(file.path.read_bytes()),
            )
        except OSError as error:
            raise HistoryNotWritten(f"history folder {self.folder}: {error.strerror or error}") from error

    def remove(self, kind: str, day: str, names: Iterable[str]) -> None:
        place = self._place(kind, day)
        try:
            for name in names:
                (place / name).unlink(missing_ok=True)
            if not any(place.iterdir()):
                place.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:
            raise HistoryNotWritten(f"history folder {place}: {error.strerror or error}") from error

    def clear_leftovers(self) -> None:
        oldest = time.time() - LEFT_OVER_AFTER
        try:
            for path in self.folder.glob(f"kind=*/day=*/.*{SUFFIX}*"):
                if path.stat().st_mtime < oldest:
                    path.unlink(missing_ok=True)
        except FileNotFoundError:
            return
        except OSError as error:
            raise HistoryNotWritten(f"history folder {self.folder}: {error.strerror or error}") from error

    def check(self) -> None:
        try:
            check_folder(self.folder)
        except OSError as error:
            raise HistoryNotWritten(f"history folder {self.folder}: {error.strerror or error}") from error

    def _place(self, kind: str, day: str) -> Path:
        return self.folder / f"kind={kind}" / f"day={day}"
