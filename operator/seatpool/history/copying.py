"""Copies a history in S3 into a cache folder of this machine, where DuckDB reads it.

Files never change under their names. So only new ones are copied, and those that are gone from the bucket are deleted.
DuckDB can read S3 only with an extension that it loads from the internet. This way needs no more than the usual
credentials.
"""

import hashlib
import os
from datetime import date
from pathlib import Path

from seatpool.history.archive import Archive
from seatpool.history.schema import KINDS, Capacity
from seatpool.history.writing import SUFFIX, HistoryNotWritten

CACHE = "XDG_CACHE_HOME"


class HistoryNotCopied(HistoryNotWritten):
    """The bucket cannot be read, or the cache cannot be written."""


def cache_folder(location: str) -> Path:
    """Returns the folder that holds the copy of a location."""
    above = Path(os.environ.get(CACHE) or Path.home() / ".cache")
    return above / "seatpool" / "history" / hashlib.sha256(location.encode()).hexdigest()[:16]


def copy_archive(archive: Archive, folder: Path, *, since: date | None) -> Path:
    """Makes the folder equal to the archive from a day on, and returns the folder. Raises HistoryNotWritten."""
    try:
        for kind in KINDS:
            first = "" if since is None or kind is Capacity else since.isoformat()
            there = {day: names for day, names in archive.days(kind.kind).items() if day >= first}
            for day, names in there.items():
                place = folder / f"kind={kind.kind}" / f"day={day}"
                missing = [name for name in names if not (place / name).is_file()]
                if missing:
                    archive.fetch(kind.kind, day, missing, into=place)
            _drop_what_is_gone(folder / f"kind={kind.kind}", {day: set(names) for day, names in there.items()})
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise HistoryNotCopied(
            f"{folder}: {error.strerror or error}; set {CACHE} to a folder that can be written"
        ) from error
    return folder


def _drop_what_is_gone(folder: Path, there: dict[str, set[str]]) -> None:
    for path in folder.glob(f"day=*/*{SUFFIX}"):
        if path.name not in there.get(path.parent.name.removeprefix("day="), ()):
            path.unlink()
