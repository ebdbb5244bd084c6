"""Imports seat intervals from a CSV file, for license servers whose logs Seatpool cannot read.

    user,product,start,end
    ann,matlab,2026-03-02 09:00:00,2026-03-02 17:30:00

The first line names the columns, in any order. The separator is a comma, semicolon or tab. Instants are ISO 8601.
Without an offset they are in the given time zone. An empty `end` means that the interval goes on.

Each line is read by itself. So a quotation mark too many spoils its own line and not those that follow.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

from seatpool.domain.errors import SeatpoolError
from seatpool.history.check_outs import CHECKED_IN
from seatpool.history.license_log import IMPORTED, ImportSource
from seatpool.history.schema import YEARS, Session, fact_id

NEEDED = ("user", "product", "start", "end")
OPTIONAL = ("type", "pool", "server", "account", "waited_s")
SEPARATORS = ",;\t"
LONGEST_VALUE = 256
LONGEST_LINE = 16_000
LONGEST_WAIT = timedelta(days=366)


class UnusableCsv(SeatpoolError):
    """The file lacks a column that is needed."""


@dataclass(frozen=True, slots=True)
class CsvInterval:
    """One line of the file."""

    user: str
    product: str
    start: datetime
    end: datetime | None
    others: Mapping[str, str]


def read_csv(
    lines: Iterable[str], *, name: str, zone: tzinfo, user_of: Callable[[str], str], passed_over: Counter[str]
) -> Iterator[CsvInterval]:
    """Yields the intervals of a file. Lines that cannot be read are counted in `passed_over`."""
    every = iter(lines)
    heading = next(every, "")
    separator = max(SEPARATORS, key=heading.count)
    columns = [column.strip().lower() for column in _cells(heading, separator) or ()]
    if missing := [column for column in NEEDED if column not in columns]:
        raise UnusableCsv(
            f"{name}: the first line has no column {', '.join(missing)}; it needs {', '.join(NEEDED)} and may have "
            f"{', '.join(OPTIONAL)}, separated by comma, semicolon or tab"
        )
    for line in every:
        cells = _cells(line, separator)
        if cells is not None and not any(cells):
            continue
        if cells is None or len(cells) != len(columns):
            passed_over["too_long" if len(line) > LONGEST_LINE else "bad_line"] += 1
            continue
        try:
            yield _interval(dict(zip(columns, map(str.strip, cells), strict=True)), zone=zone, user_of=user_of)
        except (ValueError, OverflowError) as error:
            passed_over[str(error) if str(error).startswith("bad_") else "bad_line"] += 1


def merge_overlapping(intervals: Iterable[CsvInterval]) -> list[CsvInterval]:
    """Merges the intervals in which one user has one pool several times at once, because that is one seat.

    What else the lines say is taken from the first.
    """
    merged: dict[tuple[str | None, str, str], list[CsvInterval]] = {}
    for interval in sorted(intervals, key=lambda one: one.start):
        others = interval.others
        known = merged.setdefault((others.get("server"), others.get("pool") or interval.product, interval.user), [])
        if known and _overlap(known[-1], interval):
            ends = (known[-1].end, interval.end)
            known[-1] = replace(known[-1], end=None if None in ends else max(end for end in ends if end is not None))
        else:
            known.append(interval)
    return [interval for one in merged.values() for interval in one]


def _overlap(earlier: CsvInterval, later: CsvInterval) -> bool:
    return earlier.end is None or later.start < earlier.end or later.start == earlier.start


def session_row(interval: CsvInterval, origin: ImportSource, *, last: datetime) -> Session:
    """Returns the row of an interval. `last` is the latest instant in all files."""
    others = interval.others
    server, pool = others.get("server") or origin.server, others.get("pool") or interval.product
    return Session(
        id=fact_id(origin.name, Session.kind, server, pool, interval.user, interval.start.isoformat()),
        installation=origin.name,
        pool=pool,
        product=interval.product,
        server=server,
        mode="Enforce",
        source=origin.source,
        seen_at=interval.end or max(last, interval.start),
        user_id=interval.user,
        workbench_type=others.get("type") or interval.product,
        account=others.get("account") or None,
        granted_at=interval.start,
        grant_reason=IMPORTED,
        waited_s=float(others["waited_s"]) if "waited_s" in others else None,
        released_at=interval.end,
        release_reason=None if interval.end is None else CHECKED_IN,
    )


def _cells(line: str, separator: str) -> list[str] | None:
    """Returns the values of a line. None: it is no CSV."""
    if len(line) > LONGEST_LINE:
        return None
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return None


def _interval(values: dict[str, str], *, zone: tzinfo, user_of: Callable[[str], str]) -> CsvInterval:
    if any(len(value) > LONGEST_VALUE or not value.isprintable() for value in values.values()):
        raise ValueError("bad_line")
    user, product = user_of(values["user"]), values["product"]
    if not user or not product:
        raise ValueError("bad_user" if not user else "bad_product")
    start, end = _instant(values["start"], zone), _instant(values["end"], zone)
    if start is None or (end is not None and end < start):
        raise ValueError("bad_interval")
    others = {name: values[name] for name in OPTIONAL if values.get(name)}
    if not 0 <= float(others.get("waited_s", "0")) <= LONGEST_WAIT.total_seconds():
        raise ValueError("bad_wait")
    return CsvInterval(user, product, start, end, others)


def _instant(text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("bad_instant") from None
    if instant.year not in YEARS:
        raise ValueError("bad_year")
    return (instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)).astimezone(UTC)
