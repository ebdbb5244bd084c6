"""Defines what a report is about: the window, the time zone, the pools, and the price of a seat."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from seatpool.api.base import format_instant, parse_duration
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.globs import matcher
from seatpool.history.schema import YEARS

USUAL_LENGTH = timedelta(days=30)


class By(StrEnum):
    """Kinds of rows of a report."""

    POOL = "pool"
    USER = "user"
    TEAM = "team"
    TYPE = "type"
    ACCOUNT = "account"
    HOUR = "hour"

    @property
    def column(self) -> str:
        """Returns the column that holds the name of a row."""
        return {By.USER: "user_id", By.TYPE: "workbench_type"}.get(self, self.value)


class UnclearQuestion(SeatpoolError):
    """An option of a report cannot be understood."""


@dataclass(frozen=True, slots=True)
class PerPool:
    """A number for all pools, or one for each of some pools."""

    usual: float | None = None
    of_pool: Mapping[str, float] = field(default_factory=dict)

    def for_pool(self, pool: str) -> float | None:
        """Returns the number of a pool. A pool may be named without its namespace."""
        return self.of_pool.get(pool, self.of_pool.get(pool.rpartition("/")[2], self.usual))

    @property
    def is_given(self) -> bool:
        return self.usual is not None or bool(self.of_pool)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Everything that a report depends on, apart from the history and the teams."""

    since: datetime
    until: datetime
    zone: tzinfo = UTC
    pools: tuple[str, ...] = ()
    """Glob patterns of names with or without namespace. Empty: all pools."""
    dry_run: bool = False
    """Tells whether seats in DryRun count too, which were on no license server."""
    price: PerPool = PerPool()
    """Price of a seat in a year."""
    seats: PerPool = PerPool()
    """Numbers of seats where the history does not know them."""

    @property
    def begin_s(self) -> int:
        return int(self.since.timestamp())

    @property
    def end_s(self) -> int:
        return int(self.until.timestamp())

    @property
    def first_day(self) -> date:
        """Returns the first partition of the history in which something of the window can be, a day in UTC."""
        return self.since.astimezone(UTC).date()

    @property
    def hours(self) -> float:
        return (self.end_s - self.begin_s) / 3600

    def includes(self, pool: str) -> bool:
        """Tells whether a pool belongs to the report."""
        if not self.pools:
            return True
        matches = matcher(self.pools)
        return matches(pool) or matches(pool.rpartition("/")[2])


def read_window(
    since: str | None, until: str | None, *, zone: tzinfo, first: datetime, last: datetime
) -> tuple[datetime, datetime]:
    """Parses begin and end: dates, instants, or a length before the end. Raises UnclearQuestion.

    Default: the last 30 days of the history.
    """
    end = _possible("--until", last if until is None else _instant("--until", until, zone))
    begin = max(end - USUAL_LENGTH, min(first, end)) if since is None else _since(since, zone, end)
    _possible("--since", begin)
    if begin >= end:
        raise UnclearQuestion(
            f"--since {since or format_instant(begin)}: nothing lies between it and {until or 'the end'} "
            f"({format_instant(end)}); the history has {format_instant(first)} to {format_instant(last)}"
        )
    return begin, end


def read_zone(name: str) -> tzinfo:
    """Parses a time zone such as `Europe/Berlin`. Raises UnclearQuestion."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnclearQuestion(f"--time-zone {name}: write a name such as Europe/Berlin or UTC") from None


def read_per_pool(option: str, texts: Iterable[str]) -> PerPool:
    """Parses `1200` for all pools and `matlab=1200` for one. Raises UnclearQuestion."""
    usual: float | None = None
    of_pool: dict[str, float] = {}
    for text in texts:
        pool, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e12:
            raise UnclearQuestion(f"{option} {text}: write a number, or POOL=NUMBER")
        if pool:
            of_pool[pool] = value
        else:
            usual = value
    return PerPool(usual, of_pool)


def _since(text: str, zone: tzinfo, end: datetime) -> datetime:
    try:
        return end - parse_duration(text)
    except (ValueError, OverflowError):
        return _instant("--since", text, zone)


def _possible(option: str, instant: datetime) -> datetime:
    if instant.year not in YEARS:
        raise UnclearQuestion(f"{option}: the year {instant.year} is not from {YEARS[0]} to {YEARS[-1]}")
    return instant


def _instant(option: str, text: str, zone: tzinfo) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        length = ", or a length of time such as 90d" if option == "--since" else ""
        raise UnclearQuestion(f"{option} {text}: write a date such as 2026-01-31{length}") from None
    return instant.replace(tzinfo=zone) if instant.tzinfo is None else instant
