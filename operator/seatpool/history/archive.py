"""Where the Parquet files lie: a folder, or a bucket with the same names in it."""

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from seatpool.history.atomic_write import write_atomically
from seatpool.history.writing import FILES, SUFFIX, HistoryFile, HistoryNotWritten, write_lines

LEFT_OVER_AFTER = 3600.0

Days = Mapping[str, tuple[str, ...]]
"""Names of the files of each day."""


class Archive(Protocol):
    """A place for files. All of it blocks, and raises HistoryNotWritten when the place cannot be reached or written."""

    name: str
    """How it is called in messages."""

    def add(self, lines: Path, *, batch: str) -> None:
        """Make files of a file of lines; a batch that is added again replaces what it was."""

    def days(self, kind: str) -> Days:
        """Which files there are."""

    def fetch(self, kind: str, day: str, names: Iterable[str], *, into: Path) -> list[Path]:
        """The files to read; `into` is an empty folder for an archive that needs one."""

    def store(self, file: HistoryFile) -> None:
        """Take over a file that was made elsewhere."""

    def remove(self, kind: str, day: str, names: Iterable[str]) -> None:
        """Delete files; those that are gone do no harm."""

    def clear_leftovers(self) -> None:
        """Delete what a process that was killed has left half written."""


class FolderArchive:
    """A folder on a disk or a shared volume."""

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

    def _place(self, kind: str, day: str) -> Path:
        return self.folder / f"kind={kind}" / f"day={day}"
