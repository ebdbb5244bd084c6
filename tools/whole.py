"""Makes results that are there as a whole or not at all, with any number of processes that make them and are killed."""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from progress import SECONDS_BETWEEN_SIGNS, SetupError, say

__all__ = ["exclusive", "folder"]


@contextmanager
def exclusive(name: str, *, cache: Path) -> Iterator[None]:
    """Lets one process at a time in for this name. The lock ends with its holder, also by SIGKILL."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(cache / f".{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise SetupError(
            f"the cache folder {cache} cannot be written ({error.strerror}); name another: SEATPOOL_CACHE=/path make"
        ) from error
    try:
        _wait_for(descriptor, name)
        yield
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, name: str) -> None:
    began = time.monotonic()
    next_sign = 0.0
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            waited = time.monotonic() - began
            if waited >= next_sign:
                say(f"{name}: another bootstrap is at work on it, waiting ({waited:.0f} s)")
                next_sign += SECONDS_BETWEEN_SIGNS
            time.sleep(0.1)


@contextmanager
def folder(home: Path) -> Iterator[Path]:
    """Yields a new folder that becomes `home` if the block ends without an error. The caller holds the lock of `home`.

    Each attempt has a name of its own, because a compiler that outlived a killed bootstrap must not write into the next
    one. It may still write while the leftovers are deleted, so they are deleted at both ends.
    """
    prefix = f".{home.name}.partial-"
    _clear(home.parent, prefix)
    partial = Path(tempfile.mkdtemp(prefix=prefix, dir=home.parent))
    try:
        partial.chmod(0o755)
        yield partial
        shutil.rmtree(home, ignore_errors=True)
        partial.rename(home)
    finally:
        _clear(home.parent, prefix)


def _clear(parent: Path, prefix: str) -> None:
    for left_behind in parent.glob(f"{prefix}*"):
        shutil.rmtree(left_behind, ignore_errors=True)
