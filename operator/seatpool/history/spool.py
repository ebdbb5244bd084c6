"""Keeps rows that are in no Parquet file yet, on a local disk. They are durable when `append` returns.

A spool is a folder of *segments*. A process appends to one of its own and holds a lock on it. A kill ends the lock.
Every other segment is finished, whichever process wrote it, and can be made into Parquet files and removed. After an
error the process starts a new segment. So only the last line of a segment can be torn.
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path

from seatpool.history.atomic_write import check_folder, fsync_path

SUFFIX = ".jsonl"


class Spool:
    """Spool of one process. It blocks on the disk, so call it from a thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: FileIO | None = None
        self._path: Path | None = None

    def append(self, lines: Iterable[str]) -> Path:
        """Makes lines durable and returns their segment.

        After OSError the caller must take all of them for not written.
        """
        path, file = self._segment()
        try:
            _write_all(file, "".join(f"{line}\n" for line in lines).encode())
            os.fsync(file.fileno())
        except OSError:
            self.cut()
            raise
        return path

    def cut(self) -> None:
        """Finishes the current segment. The next lines go into a new one."""
        if self._open is not None:
            with contextlib.suppress(OSError):
                self._open.close()
        self._open = self._path = None

    def check(self) -> None:
        """Writes a file that is no segment, to see that the folder can be written. Raises OSError."""
        check_folder(self.folder)

    def finished(self) -> list[Path]:
        """Returns the segments that no process appends to any more, the oldest first."""
        found = sorted(self.folder.glob(f"*{SUFFIX}")) if self.folder.is_dir() else []
        return [path for path in found if path != self._path and not _is_in_use(path)]

    def _segment(self) -> tuple[Path, FileIO]:
        if self._open is None or self._path is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}{SUFFIX}"
            fresh = path.with_suffix(".new")
            file = FileIO(fresh, "xb")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fresh.rename(path)  # another process can take it for a segment only now, when it is locked
            fsync_path(self.folder)
            self._open, self._path = file, path
        return self._path, self._open


def _write_all(file: FileIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file.fileno(), view) :]


def _is_in_use(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:  # another process has archived it
        return True
    return False
