"""From a batch of messages to what becomes of each.

A message is let go of only after the API server took what it says. A failure that concerns one object, or one account,
leaves its messages to the queue and holds up nobody else's.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from structlog.contextvars import bound_contextvars

from seatpool.kube.errors import Invalid, KubeError
from seatpool.mirror.aws_errors import AWS_ERRORS, describe_fault, reason_of
from seatpool.mirror.messages.parsed import (
    Actionable,
    Askable,
    Flaw,
    Hint,
    Irrelevance,
    Irrelevant,
    KindName,
    Malformed,
    Suspicion,
)
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.queue.ack import DONE, Disposal, Fate
from seatpool.mirror.queue.resolver import Answer, Settling
from seatpool.mirror.queue.sqs_queue import Message
from seatpool.mirror.rate_limited_log import SparingLog, shown
from seatpool.mirror.regions import Source, Sources
from seatpool.mirror.unknown_accounts import RefusedSources
from seatpool.mirror.workbenches.message_context import MessageContext, working_on
from seatpool.mirror.workbenches.writer import Settled
from seatpool.tracing.spans import UNTRACED, Fact, Role, Traces

_NOT_HANDLED = {
    Fate.KEEP: "kept",
    Fate.SOON: "not_visible_yet",
    Fate.LATER: "later",
}


@dataclass(frozen=True, slots=True)
class _Noted:
    message: Message
    kind: KindName
    content: Hint | Suspicion


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """Everything that handling needs; stateless but for its parts."""

    sources: Sources
    registry: Registry
    settling: Settling
    refused: RefusedSources
    metrics: MirrorMetrics
    log: SparingLog
    clock: Callable[[], datetime]
    traces: Traces = UNTRACED

    async def handle(self, messages: Sequence[Message]) -> Mapping[str, Disposal]:
        """What becomes of each message, by its id. Raises nothing but cancellation."""
        disposals: dict[str, Disposal] = {}
        groups: dict[tuple[str, str, str, bool], list[_Noted]] = defaultdict(list)
        for message in messages:
            parsed = self.registry.parse(message.body, now=self.clock())
            self.metrics.received.labels(parsed.kind, type(parsed).__name__.lower()).inc()
            if isinstance(parsed, Irrelevant):
                self.metrics.irrelevant.labels(parsed.reason).inc()
                disposals[message.id] = DONE
            elif isinstance(parsed, Malformed):
                disposals[message.id] = self._report_bad(message, parsed)
            else:
                content = parsed.suspicion if isinstance(parsed, Askable) else parsed.hint
                place = (content.account, content.region, content.instance_id, isinstance(parsed, Actionable))
                groups[place].append(_Noted(message, parsed.kind, content))
        answers = await asyncio.gather(*(self._follow_instance(noted) for noted in groups.values()))
        for answer in answers:
            disposals |= answer
        return disposals

    async def _follow_instance(self, noted: Sequence[_Noted]) -> dict[str, Disposal]:
        """Handle, so that every line, span and list that comes of it can be traced back to the messages."""
        messages = tuple(note.message.id for note in noted)
        newest = max(noted, key=lambda note: note.content.at)
        instance = newest.content.instance_id
        facts: dict[str, Fact] = {
            "messaging.system": "aws_sqs",
            "messaging.operation.type": "process",
            "messaging.message.id": messages[0],
            "messaging.batch.message_count": len(messages),
            "seatpool.instance": instance,
            "seatpool.event.at": newest.content.at.isoformat(),
            "seatpool.message.sent_at": newest.message.sent_at.isoformat(),
        }
        with (
            self.traces.span("message", role=Role.CONSUMER, facts=facts) as mark,
            bound_contextvars(message=list(messages), instance=instance),
            working_on(
                MessageContext(
                    messages=messages,
                    instance=instance,
                    event_at=newest.content.at,
                    sent_at=newest.message.sent_at,
                    mark=mark,
                )
            ),
        ):
            return await self._handle_instance(noted)

    async def _handle_instance(self, noted: Sequence[_Noted]) -> dict[str, Disposal]:
        first = noted[0].content
        source = self.sources.find(first.account, first.region)
        if source is None:
            return self._keep(noted, Flaw.UNKNOWN_ACCOUNT, "taken out of the settings a moment ago")
        try:
            answer = await self._settle(source, noted)
        except Invalid as error:
            return {
                note.message.id: self._report_bad(note.message, Malformed(note.kind, Flaw.REFUSED_BY_API, str(error)))
                for note in noted
            }
        except KubeError as error:
            return self._keep(noted, type(error).__name__, str(error))
        except AWS_ERRORS as error:
            return self._keep(noted, reason_of(error), describe_fault(error))
        return {note.message.id: self._finish(source, note, answer, counted=note is noted[0]) for note in noted}

    def _settle(self, source: Source, noted: Sequence[_Noted]) -> Awaitable[Answer]:
        hints = [note.content for note in noted if isinstance(note.content, Hint)]
        if hints:
            return self.settling.take_hints(source, hints)
        suspicions = [note.content for note in noted if isinstance(note.content, Suspicion)]
        return self.settling.take_suspicion(source, max(suspicions, key=lambda one: (one.retagged, one.due)))

    def _keep(self, noted: Sequence[_Noted], reason: str, detail: str) -> dict[str, Disposal]:
        self.metrics.handled.labels("kept").inc()
        self.log.warning("message kept", reason=reason, error=detail)
        return {
            note.message.id: Disposal(fate=Fate.KEEP, kind=note.kind, reason=reason, detail=detail) for note in noted
        }

    def _finish(self, source: Source, note: _Noted, answer: Answer, *, counted: bool) -> Disposal:
        if isinstance(answer, Disposal):
            if counted:
                self.metrics.handled.labels(_NOT_HANDLED[answer.fate]).inc()
            return answer
        if isinstance(answer, Irrelevance):
            if counted:
                self.metrics.irrelevant.labels(answer).inc()
            return DONE
        if counted:
            self.metrics.handled.labels(answer.settled).inc()
        if answer.settled is Settled.WRITTEN:
            self._observe_times(note)
            if counted and answer.after is not None:
                self.log.info("workbench written", state=answer.after.state.value, event_at=note.content.at.isoformat())
        if counted and answer.settled in (Settled.OTHER_PLACE, Settled.HAND_WRITTEN):
            self.log.warning(
                "object left alone",
                reason=answer.settled,
                source=str(source),
            )
        return DONE

    def _report_bad(self, message: Message, malformed: Malformed) -> Disposal:
        self.metrics.malformed.labels(malformed.flaw).inc()
        if malformed.place is not None:
            self.refused.add(*malformed.place)
        if message.receives <= 1:
            self.log.warning(
                "bad message",
                reason=malformed.flaw,
                kind=malformed.kind,
                detail=shown(malformed.detail),
                body=shown(message.body),
                message=message.id,
            )
        return Disposal(fate=Fate.BAD, kind=malformed.kind, reason=malformed.flaw, detail=malformed.detail)

    def _observe_times(self, note: _Noted) -> None:
        now = self.clock()
        self.metrics.message_age.observe(max(0.0, (now - note.message.sent_at).total_seconds()))
        self.metrics.event_lag.observe(max(0.0, (now - note.content.at).total_seconds()))
