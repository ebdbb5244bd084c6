"""Writes files so that a reader sees either nothing or the whole file, also after a power cut."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_atomically(path: Path, make: Callable[[Path], object]) -> Path:
    """Has `make` write a hidden file, makes it durable, and gives it its name. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        make(fresh)
        fsync_path(fresh)
        fresh.replace(path)
        fsync_path(path.parent)
    finally:
        fresh.unlink(missing_ok=True)
    return path


def check_folder(folder: Path) -> None:
    """Makes a folder if it is missing, and writes a file into it that is gone at once. Raises OSError.

    The file has no name that another process could use: pods have the same process ids.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\n")
        file.flush()
        os.fsync(file.fileno())


def fsync_path(path: Path) -> None:
    """Makes the content of a file, or the names in a folder, durable. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
