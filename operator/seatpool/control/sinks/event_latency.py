"""Measures the delay from an SQS message to the list that it changed, and joins its trace to the pass that changed it.

One command can serve many messages, and it is sent by another task than received them. So each pool keeps three queues:
received, computing, stored. A message is done when the list was read back. What is followed lives in memory: a restart
forgets it, and the lists are right anyway.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from structlog.typing import FilteringBoundLogger

from seatpool.cache.store import StoreHandler
from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks import facts
from seatpool.control.sinks.facts import LatencyOutcome
from seatpool.mirror.workbenches.message_context import MessageContext
from seatpool.tracing.spans import Mark, Traces

LONGEST = 2000
"""So many messages are followed for one pool."""


class TakeContexts(Protocol):
    """Takes the messages behind a write, as `MessageContexts.pop`."""

    def __call__(self, key: str, *, up_to: datetime) -> tuple[MessageContext, ...]: ...


@dataclass(slots=True)
class _Queues:
    received: list[MessageContext] = field(default_factory=list)
    computing: list[MessageContext] = field(default_factory=list)
    stored: list[MessageContext] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.received) + len(self.computing) + len(self.stored)


@dataclass(slots=True)
class _Done:
    context: MessageContext
    outcome: LatencyOutcome
    since_event: float
    since_message: float
    pools: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLatency(StoreHandler):
    """Follows the messages of one operator."""

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.AnswerStored,
        facts.EventsServed,
        facts.PassEnded,
    )

    take: TakeContexts
    metrics: ControlMetrics
    traces: Traces
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    _queues: dict[str, _Queues] = field(default_factory=dict, init=False)
    _unlogged: dict[str, dict[tuple[MessageContext, LatencyOutcome], _Done]] = field(default_factory=dict, init=False)

    def handle(self, fact: facts.Fact) -> None:
        """Takes one fact."""
        match fact:
            case facts.AnswerStored():
                self.stored(fact.pool.key)
            case facts.EventsServed():
                self.done(
                    fact.pool.key, fact.outcome, server=fact.pool.server_key, revision=fact.revision, mark=fact.mark
                )
            case facts.PassEnded():
                self.log_done(server=fact.server.key)
            case _:
                pass

    def workbench_moved(self, workbench: str, changed_at: datetime, pools: Collection[str]) -> None:
        """Takes the messages behind a workbench that a watch brought. These pools have to be answered anew."""
        for context in self.take(workbench, up_to=changed_at):
            if not pools:
                self.metrics.journeys.labels(LatencyOutcome.NO_POOL).inc()
            for pool in pools:
                queues = self._queues.setdefault(pool, _Queues())
                if len(queues) < LONGEST:
                    queues.received.append(context)
                else:
                    self.metrics.journeys.labels(LatencyOutcome.LOST_SIGHT).inc()

    def marks(self, pools: Iterable[str]) -> list[Mark]:
        """Returns the places in traces where unanswered messages began, the oldest message first."""
        waiting = [
            context
            for pool in pools
            if (queues := self._queues.get(pool)) is not None
            for context in (*queues.computing, *queues.received)
        ]
        waiting.sort(key=lambda context: context.sent_at)
        return list(dict.fromkeys(context.mark for context in waiting if context.mark is not None))

    def computing(self, pool: str) -> None:
        """Moves all received messages on: an answer is being computed from them."""
        queues = self._queues.get(pool)
        if queues is not None:
            queues.computing += queues.received
            queues.received.clear()

    def stored(self, pool: str) -> None:
        """Moves all messages in computation on: their answer is stored."""
        queues = self._queues.get(pool)
        if queues is not None:
            queues.stored += queues.computing
            queues.computing.clear()

    def done(
        self, pool: str, outcome: LatencyOutcome, *, server: str, revision: int = 0, mark: Mark | None = None
    ) -> None:
        """Ends the messages whose answer is stored: the list was read back, or will not be written."""
        queues = self._queues.get(pool)
        if queues is None:
            return
        for context in queues.stored:
            since_event, since_message = self._end(
                context, outcome, pool=pool, server=server, revision=revision, mark=mark
            )
            dones = self._unlogged.setdefault(server, {})
            done = dones.setdefault((context, outcome), _Done(context, outcome, since_event, since_message))
            done.pools.append(pool)
        queues.stored.clear()
        if not len(queues):
            del self._queues[pool]

    def log_done(self, *, server: str) -> None:
        """Logs what was done at this server since the last call: one line a message, however many pools it concerns."""
        for done in self._unlogged.pop(server, {}).values():
            is_listed = done.outcome is LatencyOutcome.LISTED
            self.log.info(
                "event is on the list" if is_listed else "event changed no list",
                outcome=done.outcome.value,
                message=list(done.context.messages),
                instance=done.context.instance,
                pools=done.pools,
                server=server,
                event_at=done.context.event_at.isoformat(),
                seconds_since_event=round(done.since_event, 3),
                seconds_since_message=round(done.since_message, 3),
            )

    def not_written(self, pool: str, *, server: str, mark: Mark | None) -> None:
        """Ends all messages of a pool for which nothing is decided: it is suspended or being deleted."""
        self.computing(pool)
        self.stored(pool)
        self.done(pool, LatencyOutcome.NOT_WRITTEN, server=server, mark=mark)

    def forget(self, pool: str) -> None:
        """Drops the messages of a pool that is gone or not applied."""
        queues = self._queues.pop(pool, None)
        if queues is not None:
            self.metrics.journeys.labels(LatencyOutcome.NOT_WRITTEN).inc(len(queues))

    def _end(
        self,
        context: MessageContext,
        outcome: LatencyOutcome,
        *,
        pool: str,
        server: str,
        revision: int,
        mark: Mark | None,
    ) -> tuple[float, float]:
        """Ends one message. Returns the seconds since its event and since it was sent."""
        now, metrics = self.clock(), self.metrics
        metrics.journeys.labels(outcome).inc()
        since_event, since_message = (
            max(0.0, (now - began).total_seconds()) for began in (context.event_at, context.sent_at)
        )
        if outcome is LatencyOutcome.LISTED:
            trace = self.traces.trace_id(context.mark)
            exemplar = {"trace_id": trace} if trace is not None else None
            metrics.event_to_list.labels(server).observe(since_event, exemplar)
            metrics.message_to_list.labels(server).observe(since_message, exemplar)
        if context.mark is not None:
            self.traces.record(
                "event to list",
                parent=context.mark,
                links=() if mark is None else (mark,),
                began=context.sent_at,
                ended=now,
                facts={
                    "seatpool.pool": pool,
                    "seatpool.server": server,
                    "seatpool.outcome": outcome.value,
                    "seatpool.revision": revision,
                },
            )
        return since_event, since_message
