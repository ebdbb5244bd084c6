"""Matches check-ins of a license server's log to check-outs, each by feature, user and host.

Lines get lost, servers restart, and a log can begin or end in the middle of a session. A check-in ends the newest
check-out of its host. So one that is lost leaves an older check-out open, and later ones are as long as they were. What is
open at a restart or at the end of the log was lost, and ends after `longest` at the latest. A check-in that is there ends
its check-out however long that was: the server writes one only for a license that is out.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.domain.instants import after
from seatpool.history.daemons import DaemonStates
from seatpool.history.log_events import LogAction, LogEvent

CHECKED_IN = "CheckedIn"
RESTARTED = "ServerRestarted"
LOST = "NeverCheckedIn"

Position = tuple[datetime, int]
"""An instant, and the number of the line in the log. It keeps the order of lines of one second."""
Key = tuple[str, str]
"""Feature and user."""
_BEFORE_ALL_LINES = -1


@dataclass(frozen=True, slots=True)
class Use:
    """A user has a feature, from a check-out to its end."""

    begin: Position
    end: Position
    why: str
    """Reason of the end, in one word."""


@dataclass(frozen=True, slots=True)
class Restart:
    """A daemon was started again."""

    index: int
    daemon: str
    over: datetime
    """When it was last heard of before."""


@dataclass(slots=True, eq=False)
class _Open:
    """A check-out that has no end yet."""

    begin: Position
    count: int
    daemon: str


class CheckOuts:
    """Matches the events of one log."""

    def __init__(self, *, longest: timedelta) -> None:
        """Creates an empty log. `longest` bounds a check-out whose check-in is missing."""
        self._longest = longest
        self._open: dict[tuple[Key, str], list[_Open]] = {}
        self.uses: dict[Key, list[Use]] = {}
        """Check-outs of each user and feature that have ended."""
        self.restarts: list[Restart] = []
        self.oddities: Counter[str] = Counter()

    def match(self, events: Sequence[LogEvent]) -> None:
        """Takes all events of a log, in the order of time."""
        daemons = DaemonStates(events)
        for index, event in enumerate(events):
            match event.act:
                case LogAction.OUT:
                    self._check_out(index, event)
                case LogAction.IN:
                    self._check_in(index, event)
                case _:
                    for daemon in daemons.ended_by(index, event):
                        self._restart(Restart(index, daemon, daemons.alive[daemon]))
            daemons.heard(event)
        for (key, _), found in self._open.items():
            for one in found:
                self._lose(key, one, (events[-1].at, len(events)))

    def _check_out(self, index: int, event: LogEvent) -> None:
        key = (event.feature, event.user)
        opened = _Open((event.at, index), event.count, event.daemon)
        self._open.setdefault((key, event.host), []).append(opened)

    def _check_in(self, index: int, event: LogEvent) -> None:
        key = (event.feature, event.user)
        found, count = self._open.get((key, event.host)), event.count
        if not found:
            self.oddities["in_without_out"] += 1
            return
        while found and count:
            newest = found[-1]
            taken = min(count, newest.count)
            newest.count, count = newest.count - taken, count - taken
            if not newest.count:
                self._end(key, found.pop(), (event.at, index), CHECKED_IN)

    def _restart(self, restart: Restart) -> None:
        self.restarts.append(restart)
        for (key, _), found in self._open.items():
            for one in [one for one in found if one.daemon == restart.daemon]:
                found.remove(one)
                if after(one.begin[0], self._longest) <= restart.over:
                    self._lose(key, one, (restart.over, restart.index))
                else:
                    self._end(key, one, (restart.over, restart.index), RESTARTED)

    def _lose(self, key: Key, one: _Open, latest: Position) -> None:
        """Ends a check-out whose check-in is missing."""
        self.oddities["out_without_in"] += 1
        self._end(key, one, min((after(one.begin[0], self._longest), _BEFORE_ALL_LINES), latest), LOST)

    def _end(self, key: Key, one: _Open, end: Position, why: str) -> None:
        self.uses.setdefault(key, []).append(Use(one.begin, max(one.begin, end), why))


def merge_uses(uses: Sequence[Use]) -> Iterator[Use]:
    """Merges the uses that overlap. A use that begins with the line at which another ended is one of its own."""
    current: Use | None = None
    for use in sorted(uses, key=lambda use: use.begin):
        if current is None or use.begin > current.end:
            if current is not None:
                yield current
            current = use
        elif use.end > current.end:
            current = Use(current.begin, use.end, use.why)
    if current is not None:
        yield current
