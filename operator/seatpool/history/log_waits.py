"""Finds out from a license server's log who waited for a license, from when to when.

A user waits who is denied because there is no license, and tries again, or who is in the server's own queue.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.domain.instants import NEVER, after
from seatpool.history.check_outs import Position, Restart, Use
from seatpool.history.log_events import LogAction, LogEvent

GRANTED = "Granted"
NEED_ENDED = "NeedEnded"
POOL_FULL = "PoolFull"
PATIENCE = timedelta(minutes=30)
"""A try up to so long after a denial belongs to the same wait."""
_END: Position = (NEVER, sys.maxsize)


@dataclass(frozen=True, slots=True)
class LogWait:
    """A wait that ended."""

    began: datetime
    ended: datetime
    reason: str
    outcome: str
    granted: Position | None = None
    """Begin of the use that ended the wait. None: there was none."""


@dataclass(slots=True)
class _Waiting:
    """A user who was denied and may try again, or who is in the queue."""

    began: datetime
    last: Position
    reason: str
    queued: bool
    daemon: str


class WaitingLine:
    """The waits of one user for one feature."""

    def __init__(self, held: Sequence[Use], restarts: Sequence[Restart], *, longest: timedelta) -> None:
        """`held`: when the user has the feature, in order. `longest` bounds the time in the queue."""
        self._held = held
        self._restarts = restarts
        self._longest = longest
        self._waiting: _Waiting | None = None
        self._waits: list[LogWait] = []
        self.oddities: Counter[str] = Counter()

    def waits(self, tries: Iterable[tuple[int, LogEvent]], *, last: datetime) -> list[LogWait]:
        """Returns all waits. `tries` are denials and lines about the queue, `last` is the end of the log."""
        uses = iter(self._held)
        use = next(uses, None)
        for index, event in tries:
            here = (event.at, index)
            while use is not None and use.begin < here:
                self._granted(use)
                if use.end > here:
                    break  # the user has it now
                use = next(uses, None)
            if use is None or use.begin > here:
                self._try(here, event)
        while use is not None:
            self._granted(use)
            use = next(uses, None)
        self._end_before(_END, last=last)
        return self._waits

    def _try(self, here: Position, event: LogEvent) -> None:
        self._end_before(here, last=event.at)
        waiting = self._waiting
        queued = event.act is LogAction.QUEUED
        if event.act is LogAction.DEQUEUED:
            if waiting is None or not waiting.queued:
                self.oddities["dequeued_without_queued"] += 1
                return
        elif waiting is None:
            waiting = _Waiting(event.at, here, event.reason or POOL_FULL, queued, event.daemon)
            self._waiting = waiting
        waiting.last, waiting.queued, waiting.daemon = here, queued, event.daemon

    def _granted(self, use: Use) -> None:
        self._end_before(use.begin, last=use.begin[0])
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._waits.append(LogWait(waiting.began, use.begin[0], waiting.reason, GRANTED, use.begin))

    def _end_before(self, here: Position, *, last: datetime) -> None:
        """Ends a wait at its last denial if nothing follows within PATIENCE. The next try is a new wait.

        A user in the queue need not try. There the wait lasts at most `longest`, and not beyond a restart.
        """
        waiting = self._waiting
        if waiting is None:
            return
        for restart in self._restarts:
            if waiting.queued and restart.daemon == waiting.daemon and waiting.last[1] < restart.index < here[1]:
                waiting.last, waiting.queued = (max(waiting.last[0], restart.over), restart.index), False
        over = after(waiting.last[0], self._longest if waiting.queued else PATIENCE)
        if here[0] > over:
            self._waiting = None
            ended = min(over, last) if waiting.queued else waiting.last[0]
            self._waits.append(LogWait(waiting.began, ended, waiting.reason, NEED_ENDED))
