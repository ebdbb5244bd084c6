"""What is on the disk before anything else goes on."""

import os
from collections.abc import Callable
from pathlib import Path


def write_atomically(path: Path, make: Callable[[Path], object]) -> Path:
    """Let a file be made under a name that begins with a dot, and appear when it is whole and durable. OSError."""
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


def fsync_path(path: Path) -> None:
    """Of a file its content, of a folder the names in it. OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
