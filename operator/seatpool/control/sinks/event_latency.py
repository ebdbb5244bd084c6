"""Follows messages to the lists that they change: how long it took, which command carried it, and in which trace.

A message's way ends in another task than it began, and one command answers many. So each pool has a line of those that
have arrived, those that the present pass asks about, and those whose answer is stored; when the license server was seen to
have that answer, they have arrived. What is followed lives in memory: a restart forgets it, and the lists are right anyway.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from seatpool.control.metrics import ControlMetrics
from seatpool.mirror.workbenches.message_context import MessageContext
from seatpool.tracing.spans import Mark, Traces

LONGEST = 2000


class Outcome(StrEnum):
    """How a way ended; also a label."""

    LISTED = "listed"
    """The list was changed, and read back."""
    UNCHANGED = "unchanged"
    """The list was right already, or the person waits for a seat."""
    NOT_WRITTEN = "not_written"
    """The pool or its server is suspended, in DryRun, or gone."""
    NO_POOL = "no_pool"
    """No pool's need is another one now."""
    LOST_SIGHT = "lost_sight"
    """Too many wait for one list; the eldest are followed."""


class TakeContexts(Protocol):
    """As `MessageContexts.take`."""

    def __call__(self, key: str, *, up_to: datetime) -> tuple[MessageContext, ...]: ...


@dataclass(slots=True)
class _Line:
    arrived: list[MessageContext] = field(default_factory=list)
    asked: list[MessageContext] = field(default_factory=list)
    answered: list[MessageContext] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.arrived) + len(self.asked) + len(self.answered)


@dataclass(slots=True)
class _Arrival:
    origin: MessageContext
    outcome: Outcome
    since_event: float
    since_message: float
    pools: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLatency:
    """Of one operator."""

    take: TakeContexts
    metrics: ControlMetrics
    traces: Traces
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    _lines: dict[str, _Line] = field(default_factory=dict, init=False)
    _untold: dict[str, dict[tuple[MessageContext, Outcome], _Arrival]] = field(default_factory=dict, init=False)

    def seen(self, workbench: str, changed_at: datetime, pools: Collection[str]) -> None:
        """A watch brought a workbench, and these pools have to be answered anew."""
        for origin in self.take(workbench, up_to=changed_at):
            if not pools:
                self.metrics.journeys.labels(Outcome.NO_POOL).inc()
            for pool in pools:
                line = self._lines.setdefault(pool, _Line())
                if len(line) < LONGEST:
                    line.arrived.append(origin)
                else:
                    self.metrics.journeys.labels(Outcome.LOST_SIGHT).inc()

    def marks(self, pools: Iterable[str]) -> list[Mark]:
        """Where in their traces those began that have not been answered, the eldest message first."""
        waiting = [
            origin
            for pool in pools
            if (line := self._lines.get(pool)) is not None
            for origin in (*line.asked, *line.arrived)
        ]
        waiting.sort(key=lambda origin: origin.sent_at)
        return list(dict.fromkeys(origin.mark for origin in waiting if origin.mark is not None))

    def asked(self, pool: str) -> None:
        """An answer is being made from all that has arrived."""
        line = self._lines.get(pool)
        if line is not None:
            line.asked += line.arrived
            line.arrived.clear()

    def answered(self, pool: str) -> None:
        """The answer is stored."""
        line = self._lines.get(pool)
        if line is not None:
            line.answered += line.asked
            line.asked.clear()

    def ended(self, pool: str, outcome: Outcome, *, server: str, revision: int = 0, mark: Mark | None = None) -> None:
        """The list is as the stored answer says, or will not be written."""
        line = self._lines.get(pool)
        if line is None:
            return
        for origin in line.answered:
            since_event, since_message = self._end(
                origin, outcome, pool=pool, server=server, revision=revision, mark=mark
            )
            arrivals = self._untold.setdefault(server, {})
            arrival = arrivals.setdefault((origin, outcome), _Arrival(origin, outcome, since_event, since_message))
            arrival.pools.append(pool)
        line.answered.clear()
        if not len(line):
            del self._lines[pool]

    def tell(self, *, server: str) -> None:
        """Log what ended at this server since it was last asked to: a line for each message, however many pools it has."""
        for arrival in self._untold.pop(server, {}).values():
            is_listed = arrival.outcome is Outcome.LISTED
            self.log.info(
                "event is on the list" if is_listed else "event changed no list",
                outcome=arrival.outcome.value,
                message=list(arrival.origin.messages),
                instance=arrival.origin.instance,
                pools=arrival.pools,
                server=server,
                event_at=arrival.origin.event_at.isoformat(),
                seconds_since_event=round(arrival.since_event, 3),
                seconds_since_message=round(arrival.since_message, 3),
            )

    def forget(self, pool: str) -> None:
        """The pool is gone."""
        line = self._lines.pop(pool, None)
        if line is not None:
            self.metrics.journeys.labels(Outcome.NOT_WRITTEN).inc(len(line))

    def _end(
        self, origin: MessageContext, outcome: Outcome, *, pool: str, server: str, revision: int, mark: Mark | None
    ) -> tuple[float, float]:
        """Seconds since the event and since its message."""
        now, metrics = self.clock(), self.metrics
        metrics.journeys.labels(outcome).inc()
        since_event, since_message = (
            max(0.0, (now - began).total_seconds()) for began in (origin.event_at, origin.sent_at)
        )
        if outcome is Outcome.LISTED:
            trace = self.traces.trace_id(origin.mark)
            exemplar = {"trace_id": trace} if trace is not None else None
            metrics.event_to_list.labels(server).observe(since_event, exemplar)
            metrics.message_to_list.labels(server).observe(since_message, exemplar)
        if origin.mark is not None:
            self.traces.record(
                "event to list",
                parent=origin.mark,
                links=() if mark is None else (mark,),
                began=origin.sent_at,
                ended=now,
                facts={
                    "seatpool.pool": pool,
                    "seatpool.server": server,
                    "seatpool.outcome": outcome.value,
                    "seatpool.revision": revision,
                },
            )
        return since_event, since_message
