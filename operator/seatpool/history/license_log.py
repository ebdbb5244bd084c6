"""Turns the events of a license server's log into rows: sessions, waits and refusals.

A log counts check-outs, and a named-user license counts users. So what one user has checked out of one feature, on any
number of hosts, is one interval. It lasts from the first check-out to the last check-in. A user who has the feature on
one host and is denied it on another waits for nothing.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from seatpool.history.check_outs import CheckOuts, Key, Use, merge_uses
from seatpool.history.log_events import LogAction, LogEvent
from seatpool.history.log_waits import LogWait, WaitingLine
from seatpool.history.schema import Refusal, Row, Session, Wait, fact_id

IMPORTED = "Imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSource:
    """Fields that all rows of one import share."""

    name: str
    """Name of the import. The same log under the same name is never counted twice."""
    server: str
    source: str


class LicenseLog:
    """Turns events in the order of time into rows."""

    def __init__(self, origin: ImportSource, *, longest: timedelta) -> None:
        """Creates an empty log. `longest` bounds an interval whose check-in is missing."""
        self._origin = origin
        self._longest = longest
        self.oddities: Counter[str] = Counter()
        """Events that do not fit to the others, by reason."""

    def rows(self, uses: Iterable[LogEvent]) -> Iterator[Row]:
        """Yields all rows of a log."""
        events = list(uses)
        check_outs = CheckOuts(longest=self._longest)
        check_outs.match(events)
        self.oddities += check_outs.oddities
        tries: dict[Key, list[tuple[int, LogEvent]]] = {}
        for index, event in enumerate(events):
            if event.act in (LogAction.FULL, LogAction.QUEUED, LogAction.DEQUEUED):
                tries.setdefault((event.feature, event.user), []).append((index, event))
            if event.act in (LogAction.FULL, LogAction.DENIED):
                yield self._refusal(event)
        for key in {**check_outs.uses, **tries}:
            held = list(merge_uses(check_outs.uses.get(key, ())))
            line = WaitingLine(held, check_outs.restarts, longest=self._longest)
            waits = line.waits(tries.get(key, ()), last=events[-1].at)
            self.oddities += line.oddities
            granted = {wait.granted: wait for wait in waits if wait.granted is not None}
            for use in held:
                yield self._session(key, use, granted.get(use.begin))
            for wait in waits:
                yield self._wait(key, wait)

    def _session(self, key: Key, use: Use, wait: LogWait | None) -> Session:
        feature, user = key
        (begin, _), (end, _) = use.begin, use.end
        return Session(
            id=fact_id(self._origin.name, Session.kind, feature, user, begin.isoformat(), end.isoformat()),
            installation=self._origin.name,
            pool=feature,
            product=feature,
            server=self._origin.server,
            mode="Enforce",
            source=self._origin.source,
            seen_at=end,
            user_id=user,
            workbench_type=feature,
            granted_at=begin,
            grant_reason=IMPORTED,
            waited_s=0.0 if wait is None else (begin - wait.began).total_seconds(),
            released_at=end,
            release_reason=use.why,
        )

    def _wait(self, key: Key, wait: LogWait) -> Wait:
        feature, user = key
        return Wait(
            id=fact_id(self._origin.name, Wait.kind, feature, user, wait.began.isoformat()),
            installation=self._origin.name,
            pool=feature,
            product=feature,
            server=self._origin.server,
            mode="Enforce",
            source=self._origin.source,
            seen_at=wait.ended,
            user_id=user,
            workbench_type=feature,
            began_at=wait.began,
            reason=wait.reason,
            ended_at=wait.ended,
            outcome=wait.outcome,
        )

    def _refusal(self, use: LogEvent) -> Refusal:
        return Refusal(
            id=fact_id(self._origin.name, Refusal.kind, use.feature, use.user, use.at.isoformat(), use.reason),
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
            reason=use.reason,
        )
