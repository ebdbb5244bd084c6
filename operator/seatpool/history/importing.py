"""Imports logs that a site already has, for reports and plans before anything is installed."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from seatpool.domain.errors import SeatpoolError
from seatpool.history import csv_import, flexnet
from seatpool.history.csv_import import CsvInterval, merge_overlapping, read_csv, session_row
from seatpool.history.flexnet import merge_logs, parse_log
from seatpool.history.imported_files import EarlierImport, ImportedFile
from seatpool.history.license_log import ImportSource, LicenseLog
from seatpool.history.schema import Row, Session
from seatpool.history.text_lines import read_lines
from seatpool.history.writing import HistoryNotWritten, write_rows

UNKNOWN_SERVER = "unknown"


class NothingImported(SeatpoolError):
    """The files cannot be read, or have nothing that can be imported."""


@dataclass(frozen=True, kw_only=True)
class ImportResult:
    """Counts of an import, and what could not be used."""

    lines: int
    """Number of lines, without headings and empty lines of CSV files."""
    rows: Counter[str]
    """Number of rows by kind."""
    people: int
    features: tuple[str, ...]
    since: datetime
    until: datetime
    passed_over: Counter[str]
    """Lines that could not be used, by reason."""
    oddities: Counter[str] = field(default_factory=Counter)
    """Lines that were used and do not fit to the others, by reason."""
    messages: int = 0
    """Lines in which the license server says something else."""
    undated: tuple[str, ...] = field(default=())
    """Files in which no line names a date."""


@dataclass(frozen=True, kw_only=True)
class LogImport:
    """One import: its files, the target folder, and how to read the files.

    What an earlier import of the same name left in the folder is replaced.
    """

    files: Sequence[Path]
    into: Path
    name: str
    server: str | None
    zone: tzinfo
    user_of: Callable[[str], str]
    longest: timedelta
    replace: bool = False
    """Whether files of the earlier import may be missing."""

    def import_flexnet(self) -> ImportResult:
        """Imports FlexNet debug logs. Pieces of one log may come in any order. Raises SeatpoolError."""
        logs = [
            parse_log(_lines(file, longest=flexnet.LONGEST_LINE), zone=self.zone, user_of=self.user_of)
            for file in self.files
        ]
        servers = sorted(frozenset().union(*(log.servers for log in logs)))
        origin = ImportSource(
            name=self.name, server=self.server or ", ".join(servers) or UNKNOWN_SERVER, source="flexnet"
        )
        log = LicenseLog(origin, longest=self.longest)
        return self._write(
            list(log.rows(merge_logs(logs))),
            lines=sum(one.lines for one in logs),
            passed_over=sum((one.passed_over for one in logs), Counter[str]()),
            oddities=log.oddities,
            messages=sum(one.messages for one in logs),
            undated=tuple(file.name for file, one in zip(self.files, logs, strict=True) if not one.dated),
        )

    def import_csv(self) -> ImportResult:
        """Imports CSV files with one seat interval a line. Raises SeatpoolError."""
        passed_over: Counter[str] = Counter()
        intervals: list[CsvInterval] = []
        for file in self.files:
            intervals += read_csv(
                _lines(file, longest=csv_import.LONGEST_LINE),
                name=str(file),
                zone=self.zone,
                user_of=self.user_of,
                passed_over=passed_over,
            )
        origin = ImportSource(name=self.name, server=self.server or UNKNOWN_SERVER, source="csv")
        last = max((interval.end or interval.start for interval in intervals), default=datetime.now(UTC))
        rows = [session_row(interval, origin, last=last) for interval in merge_overlapping(intervals)]
        return self._write(rows, lines=len(intervals) + passed_over.total(), passed_over=passed_over)

    def _write(
        self,
        rows: Sequence[Row],
        *,
        lines: int,
        passed_over: Counter[str],
        oddities: Counter[str] | None = None,
        messages: int = 0,
        undated: tuple[str, ...] = (),
    ) -> ImportResult:
        oddities = oddities or Counter()
        sessions = [row for row in rows if isinstance(row, Session)]
        if not sessions:
            told = format_reasons(passed_over + oddities) or "nothing odd in them"
            days = f"; no line of {', '.join(undated)} says which day it is" if undated else ""
            raise NothingImported(f"no seat interval in {lines} lines ({told}){days}; is this the right --format?")
        self._replace_rows(rows)
        return ImportResult(
            lines=lines,
            rows=Counter(row.kind for row in rows),
            people=len({session.user_id for session in sessions}),
            features=tuple(sorted({session.product for session in sessions})),
            since=min(session.granted_at for session in sessions),
            until=max(session.seen_at for session in sessions),
            passed_over=passed_over,
            oddities=oddities,
            messages=messages,
            undated=undated,
        )

    def _replace_rows(self, rows: Sequence[Row]) -> None:
        """Writes the rows before those of the earlier import are dropped, so a crash loses none."""
        earlier = EarlierImport(self.into, self.name)
        files = self._checked_files(earlier)
        try:
            earlier.remember(files)
        except OSError as error:
            raise HistoryNotWritten(f"history folder {self.into}: {error.strerror or error}") from error
        earlier.drop_rows(but=write_rows(rows, self.into))

    def _checked_files(self, earlier: EarlierImport) -> list[ImportedFile]:
        try:
            return earlier.check_files(self.files, replace=self.replace)
        except OSError as error:
            raise NothingImported(f"{', '.join(map(str, self.files))}: cannot be read: {error}") from error


def format_reasons(counts: Counter[str]) -> str:
    """Formats reasons as `3 bad_line, 1 too_long`, the most frequent first."""
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common())


def _lines(file: Path, *, longest: int) -> Iterator[str]:
    try:
        yield from read_lines(file, longest=longest)
    except OSError as error:
        raise NothingImported(f"{file}: cannot be read: {error}") from error
