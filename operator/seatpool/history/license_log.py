"""Turns the events of a license server's log into rows: sessions, waits and refusals.

A log counts check-outs, and a named-user license counts users. So what one user has checked out of one feature, on any
number of hosts, is one interval. It lasts from the first check-out to the last check-in. Lines get lost, servers
restart, and a log can begin in the middle of a session. An event that does not fit is counted. An end that is missing
is bounded by `longest`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from seatpool.history.schema import Refusal, Row, Session, Wait, fact_id

IMPORTED = "Imported"
CHECKED_IN = "CheckedIn"
RESTARTED = "ServerRestarted"
LOST = "NeverCheckedIn"
GRANTED = "Granted"
NEED_ENDED = "NeedEnded"
POOL_FULL = "PoolFull"
PATIENCE = timedelta(minutes=30)
"""A try up to so long after a denial belongs to the same wait."""


class LogAction(StrEnum):
    """Kinds of log events."""

    OUT = "OUT"
    IN = "IN"
    FULL = "FULL"
    """Denied because all licenses were in use."""
    DENIED = "DENIED"
    """Denied for another reason."""
    RESTART = "RESTART"
    """The server started again: nothing is checked out any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One line of a log."""

    act: LogAction
    at: datetime
    daemon: str
    feature: str = ""
    user: str = ""
    host: str = ""
    count: int = 1
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """Fields that all rows of one import share."""

    name: str
    """Name of the import. The same log under the same name is never counted twice."""
    server: str
    source: str


@dataclass(slots=True)
class _Held:
    """Check-outs of one user of one feature."""

    since: datetime
    waiting_since: datetime | None
    daemon: str
    on_host: Counter[str] = field(default_factory=Counter)


@dataclass(slots=True)
class _Denied:
    """A denied user who may try again."""

    since: datetime
    last: datetime


class LicenseLog:
    """Turns events in the order of time into rows."""

    def __init__(self, origin: ImportSource, *, longest: timedelta) -> None:
        """Creates an empty log. `longest` bounds an interval whose check-in is missing."""
        self._origin = origin
        self._longest = longest
        self._held: dict[tuple[str, str], _Held] = {}
        self._denied: dict[tuple[str, str], _Denied] = {}
        self._alive: dict[str, datetime] = {}
        self.oddities: Counter[str] = Counter()

    def rows(self, uses: Iterable[LogEvent]) -> Iterator[Row]:
        """Yields all rows. The last ones are those of intervals that were never checked in."""
        last: datetime | None = None
        for use in uses:
            yield from self._rows_of(use)
            last = self._alive[use.daemon] = use.at
        if last is not None:
            yield from self._close_all(last)

    def _rows_of(self, use: LogEvent) -> Iterator[Row]:
        key = (use.feature, use.user)
        match use.act:
            case LogAction.OUT:
                yield from self._check_out(key, use)
            case LogAction.IN:
                yield from self._check_in(key, use)
            case LogAction.RESTART:
                yield from self._restart(use)
            case LogAction.FULL:
                yield from self._end_stale_wait(key, at=use.at)
                self._denied.setdefault(key, _Denied(use.at, use.at)).last = use.at
                yield self._refusal(use, reason=POOL_FULL)
            case LogAction.DENIED:
                yield self._refusal(use, reason=use.reason)

    def _check_out(self, key: tuple[str, str], use: LogEvent) -> Iterator[Row]:
        held = self._held.get(key)
        if held is None:
            yield from self._end_stale_wait(key, at=use.at)
            denied = self._denied.pop(key, None)
            held = self._held[key] = _Held(use.at, None if denied is None else denied.since, use.daemon)
            if denied is not None:
                yield self._wait(key, denied.since, use.at, GRANTED)
        held.on_host[use.host] += use.count

    def _check_in(self, key: tuple[str, str], use: LogEvent) -> Iterator[Row]:
        held = self._held.get(key)
        if held is None or not held.on_host[use.host]:
            self.oddities["in_without_out"] += 1
            return
        held.on_host[use.host] -= use.count
        if held.on_host[use.host] <= 0:
            del held.on_host[use.host]
        if not held.on_host:
            del self._held[key]
            yield self._session(key, held, use.at, CHECKED_IN)

    def _restart(self, use: LogEvent) -> Iterator[Row]:
        over = self._alive.get(use.daemon, use.at)
        for key in [key for key, held in self._held.items() if held.daemon == use.daemon]:
            yield self._session(key, self._held.pop(key), over, RESTARTED)

    def _end_stale_wait(self, key: tuple[str, str], *, at: datetime) -> Iterator[Row]:
        """Ends a wait at its last denial if the next try comes later than PATIENCE. That try is a new wait."""
        denied = self._denied.get(key)
        if denied is not None and at > denied.last + PATIENCE:
            del self._denied[key]
            yield self._wait(key, denied.since, denied.last, NEED_ENDED)

    def _close_all(self, last: datetime) -> Iterator[Row]:
        for key, denied in self._denied.items():
            yield self._wait(key, denied.since, denied.last, NEED_ENDED)
        for key, held in self._held.items():
            self.oddities["out_without_in"] += 1
            yield self._session(key, held, min(last, held.since + self._longest), LOST)

    def _session(self, key: tuple[str, str], held: _Held, end: datetime, why: str) -> Session:
        feature, user = key
        return Session(
            id=fact_id(self._origin.name, Session.kind, feature, user, held.since.isoformat()),
            installation=self._origin.name,
            pool=feature,
            product=feature,
            server=self._origin.server,
            mode="Enforce",
            source=self._origin.source,
            seen_at=max(end, held.since),
            user_id=user,
            workbench_type=feature,
            granted_at=held.since,
            grant_reason=IMPORTED,
            waited_s=0.0 if held.waiting_since is None else (held.since - held.waiting_since).total_seconds(),
            released_at=max(end, held.since),
            release_reason=why,
        )

    def _wait(self, key: tuple[str, str], since: datetime, until: datetime, outcome: str) -> Wait:
        feature, user = key
        return Wait(
            id=fact_id(self._origin.name, Wait.kind, feature, user, since.isoformat()),
            installation=self._origin.name,
            pool=feature,
            product=feature,
            server=self._origin.server,
            mode="Enforce",
            source=self._origin.source,
            seen_at=until,
            user_id=user,
            workbench_type=feature,
            began_at=since,
            reason=POOL_FULL,
            ended_at=until,
            outcome=outcome,
        )

    def _refusal(self, use: LogEvent, *, reason: str | None) -> Refusal:
        return Refusal(
            id=fact_id(self._origin.name, Refusal.kind, use.feature, use.user, use.at.isoformat(), reason),
            installation=self._origin.name,
            pool=use.feature,
            product=use.feature,
            server=self._origin.server,
            mode="Enforce",
            source=self._origin.source,
            seen_at=use.at,
            user_id=use.user,
            workbench_type=use.feature,
            refused_at=use.at,
            reason=reason,
        )
