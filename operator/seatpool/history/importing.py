"""Imports logs that a site already has, for reports and plans before anything is installed."""

import gzip
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from seatpool.domain.errors import SeatpoolError
from seatpool.history.csv_import import CsvInterval, read_csv, session_row
from seatpool.history.flexnet import ParsedLog, decode_lines, merge_logs, parse_log
from seatpool.history.license_log import ImportSource, LicenseLog
from seatpool.history.schema import Row, Session
from seatpool.history.writing import write_rows

GZIP = b"\x1f\x8b"
UNKNOWN_SERVER = "unknown"


class NothingImported(SeatpoolError):
    """The files cannot be read, or have nothing that can be imported."""


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """Counts of an import, and what could not be used."""

    lines: int
    rows: Counter[str]
    """Number of rows by kind."""
    people: int
    features: tuple[str, ...]
    since: datetime
    until: datetime
    passed_over: Counter[str]
    undated: tuple[str, ...] = field(default=())
    """Files in which no line names a date."""


@dataclass(frozen=True, kw_only=True)
class LogImport:
    """One import: its files, the target folder, and how to read the files."""

    files: Sequence[Path]
    into: Path
    name: str
    server: str | None
    zone: tzinfo
    user_of: Callable[[str], str]
    longest: timedelta

    def import_flexnet(self) -> ImportResult:
        """Imports FlexNet debug logs. Pieces of one log may come in any order. Raises NothingImported."""
        logs = [parse_log(_lines(file), zone=self.zone, user_of=self.user_of) for file in self.files]
        servers = sorted(frozenset().union(*(log.servers for log in logs)))
        origin = ImportSource(
            name=self.name, server=self.server or ", ".join(servers) or UNKNOWN_SERVER, source="flexnet"
        )
        log = LicenseLog(origin, longest=self.longest)
        rows = list(log.rows(merge_logs(logs)))
        passed_over = sum((one.passed_over for one in logs), Counter[str]()) + log.oddities
        undated = tuple(file.name for file, one in zip(self.files, logs, strict=True) if not one.dated)
        return self._write(rows, lines=_count(logs), passed_over=passed_over, undated=undated)

    def import_csv(self) -> ImportResult:
        """Imports CSV files with one seat interval a line. Raises NothingImported."""
        passed_over: Counter[str] = Counter()
        intervals: list[CsvInterval] = []
        for file in self.files:
            intervals += read_csv(
                _lines(file), name=str(file), zone=self.zone, user_of=self.user_of, passed_over=passed_over
            )
        origin = ImportSource(name=self.name, server=self.server or UNKNOWN_SERVER, source="csv")
        last = max((interval.end or interval.start for interval in intervals), default=datetime.now(UTC))
        rows = [session_row(interval, origin, last=last) for interval in intervals]
        return self._write(rows, lines=len(rows) + passed_over.total(), passed_over=passed_over, undated=())

    def _write(
        self, rows: Sequence[Row], *, lines: int, passed_over: Counter[str], undated: tuple[str, ...]
    ) -> ImportResult:
        sessions = [row for row in rows if isinstance(row, Session)]
        if not sessions:
            told = (
                ", ".join(f"{count} {reason}" for reason, count in passed_over.most_common()) or "nothing odd in them"
            )
            days = f"; no line of {', '.join(undated)} says which day it is" if undated else ""
            raise NothingImported(f"no seat interval in {lines} lines ({told}){days}; is this the right --format?")
        write_rows(rows, self.into)
        return ImportResult(
            lines=lines,
            rows=Counter(row.kind for row in rows),
            people=len({session.user_id for session in sessions}),
            features=tuple(sorted({session.product for session in sessions})),
            since=min(session.granted_at for session in sessions),
            until=max(session.seen_at for session in sessions),
            passed_over=passed_over,
            undated=undated,
        )


def _lines(file: Path) -> Iterator[str]:
    try:
        with file.open("rb") as raw:
            packed = raw.read(len(GZIP)) == GZIP
        with gzip.open(file, "rb") if packed else file.open("rb") as lines:
            yield from decode_lines(lines)
    except (OSError, EOFError, zlib.error) as error:
        raise NothingImported(f"{file}: cannot be read: {error}") from error


def _count(logs: Sequence[ParsedLog]) -> int:
    return sum(log.lines for log in logs)
