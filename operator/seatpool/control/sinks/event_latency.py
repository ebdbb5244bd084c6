"""Measures the delay from an SQS message to the list that it changed, and links its trace to the pass that changed it.

One command can serve many messages, and another task sends it than received them. So each pool keeps three queues: received,
computing, stored. A message is done when the list was read back. The queues are in memory only. A restart loses them, and the
lists are right anyway.
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

MAX_FOLLOWED = 2000
"""Messages that are followed for one pool."""


class PopContexts(Protocol):
    """Removes and returns the messages behind the writes of an object, up to an instant."""

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
    """Follows messages to the lists that they change, for one operator."""

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.AnswerStored,
        facts.EventsServed,
        facts.PassEnded,
    )

    pop_contexts: PopContexts
    metrics: ControlMetrics
    traces: Traces
    log: FilteringBoundLogger
    clock: Callable[[], datetime]
    _queues: dict[str, _Queues] = field(default_factory=dict, init=False)
    _unlogged: dict[str, dict[tuple[MessageContext, LatencyOutcome], _Done]] = field(default_factory=dict, init=False)

    def handle(self, fact: facts.Fact) -> None:
        """Handles one fact."""
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
        """Queues the messages behind a changed workbench for the pools that it affects."""
        for context in self.pop_contexts(workbench, up_to=changed_at):
            if not pools:
                self.metrics.events_followed.labels(LatencyOutcome.NO_POOL).inc()
            for pool in pools:
                queues = self._queues.setdefault(pool, _Queues())
                if len(queues) < MAX_FOLLOWED:
                    queues.received.append(context)
                else:
                    self.metrics.events_followed.labels(LatencyOutcome.LOST_SIGHT).inc()

    def marks(self, pools: Iterable[str]) -> list[Mark]:
        """Returns where the traces of unanswered messages began, the oldest message first."""
        waiting = [
            context
            for pool in pools
            if (queues := self._queues.get(pool)) is not None
            for context in (*queues.computing, *queues.received)
        ]
        waiting.sort(key=lambda context: context.sent_at)
        return list(dict.fromkeys(context.mark for context in waiting if context.mark is not None))

    def computing(self, pool: str) -> None:
        """Moves received messages to computing: an answer is computed from them now."""
        queues = self._queues.get(pool)
        if queues is not None:
            queues.computing += queues.received
            queues.received.clear()

    def stored(self, pool: str) -> None:
        """Moves computing messages to stored: the ledger has their answer."""
        queues = self._queues.get(pool)
        if queues is not None:
            queues.stored += queues.computing
            queues.computing.clear()

    def done(
        self, pool: str, outcome: LatencyOutcome, *, server: str, revision: int = 0, mark: Mark | None = None
    ) -> None:
        """Ends the stored messages: the list was read back, or will not be written."""
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
        """Logs the messages of this server that ended since the last call. One line a message, with all its pools."""
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
        """Ends all messages of a pool without an answer: it is suspended or being deleted."""
        self.computing(pool)
        self.stored(pool)
        self.done(pool, LatencyOutcome.NOT_WRITTEN, server=server, mark=mark)

    def drop_pool(self, pool: str) -> None:
        """Drops the messages of a pool that was deleted or is not applied."""
        queues = self._queues.pop(pool, None)
        if queues is not None:
            self.metrics.events_followed.labels(LatencyOutcome.NOT_WRITTEN).inc(len(queues))

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
        metrics.events_followed.labels(outcome).inc()
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
