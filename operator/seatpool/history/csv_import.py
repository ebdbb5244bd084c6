"""Imports seat intervals from a CSV file, for license servers whose logs Seatpool cannot read.

    user,product,start,end
    ann,matlab,2026-03-02 09:00:00,2026-03-02 17:30:00

The first line names the columns, in any order. The separator is a comma, semicolon or tab. Instants are ISO 8601.
Without an offset they are in the given time zone. An empty `end` means that the interval goes on.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from seatpool.domain.errors import SeatpoolError
from seatpool.history.license_log import CHECKED_IN, IMPORTED, ImportSource
from seatpool.history.schema import Session, fact_id

NEEDED = ("user", "product", "start", "end")
OPTIONAL = ("type", "pool", "server", "account", "waited_s")
SEPARATORS = ",;\t"
LONGEST_VALUE = 256


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
    columns = [column.strip().lower() for column in next(csv.reader([heading], delimiter=separator), [])]
    if missing := [column for column in NEEDED if column not in columns]:
        raise UnusableCsv(
            f"{name}: the first line has no column {', '.join(missing)}; it needs {', '.join(NEEDED)} and may have "
            f"{', '.join(OPTIONAL)}, separated by comma, semicolon or tab"
        )
    for values in csv.reader(every, delimiter=separator):
        if not any(values):
            continue
        if len(values) != len(columns):
            passed_over["bad_line"] += 1
            continue
        try:
            yield _interval(dict(zip(columns, map(str.strip, values), strict=True)), zone=zone, user_of=user_of)
        except (ValueError, OverflowError) as error:
            passed_over[str(error) if str(error).startswith("bad_") else "bad_line"] += 1


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
        waited_s=float(others.get("waited_s") or 0),
        released_at=interval.end,
        release_reason=None if interval.end is None else CHECKED_IN,
    )


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
    if not 0 <= float(others.get("waited_s", "0")) < float("inf"):
        raise ValueError("bad_wait")
    return CsvInterval(user, product, start, end, others)


def _instant(text: str, zone: tzinfo) -> datetime | None:
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("bad_instant") from None
    return (instant if instant.tzinfo is not None else instant.replace(tzinfo=zone)).astimezone(UTC)
