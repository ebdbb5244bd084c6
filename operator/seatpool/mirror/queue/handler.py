"""Handles a batch of messages, and returns an Ack for each.

A message is deleted only after the API server stored what it says. A failure that concerns one object or one account
delays only its own messages.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from structlog.contextvars import bound_contextvars

from seatpool.aws.errors import AWS_ERRORS, describe_error, reason_of
from seatpool.kube.errors import Invalid, KubeError
from seatpool.mirror.messages.parsed import (
    Actionable,
    Askable,
    IgnoreReason,
    Irrelevant,
    KindName,
    Malformed,
    RecheckRequest,
    RejectReason,
    StateReport,
)
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.names import object_name
from seatpool.mirror.queue.ack import DELETE, Ack, AckAction
from seatpool.mirror.queue.resolver import Resolved, Resolver
from seatpool.mirror.queue.sqs_queue import Message
from seatpool.mirror.rate_limited_log import RateLimitedLog, escaped
from seatpool.mirror.regions import AccountRegion, ServedRegion, ServedRegions
from seatpool.mirror.unknown_accounts import UnknownAccounts
from seatpool.mirror.workbenches.entry import NOT_WRITTEN, UpsertResult
from seatpool.mirror.workbenches.message_context import MessageContext, caused_by
from seatpool.tracing.spans import UNTRACED, Fact, Role, Traces

_RESULT_LABELS = {
    AckAction.RETRY: "kept",
    AckAction.RETRY_SOON: "not_visible_yet",
    AckAction.DELAY: "later",
}


@dataclass(frozen=True, slots=True)
class _Parsed:
    message: Message
    kind: KindName
    content: StateReport | RecheckRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageHandler:
    """Handles messages. It keeps no state of its own."""

    regions: ServedRegions
    registry: Registry
    resolver: Resolver
    unknown_accounts: UnknownAccounts
    metrics: MirrorMetrics
    log: RateLimitedLog
    clock: Callable[[], datetime]
    traces: Traces = UNTRACED

    async def handle(self, messages: Sequence[Message]) -> Mapping[str, Ack]:
        """Returns an Ack for each message id. Raises nothing but cancellation."""
        acks: dict[str, Ack] = {}
        groups: dict[tuple[str, str, str, bool], list[_Parsed]] = defaultdict(list)
        for message in messages:
            parsed = self.registry.parse(message.body, now=self.clock())
            self.metrics.received.labels(parsed.kind, type(parsed).__name__.lower()).inc()
            if isinstance(parsed, Irrelevant):
                self.metrics.irrelevant.labels(parsed.reason).inc()
                acks[message.id] = DELETE
            elif isinstance(parsed, Malformed):
                acks[message.id] = self._reject(message, parsed)
            else:
                content = parsed.request if isinstance(parsed, Askable) else parsed.report
                group = (content.account, content.region, object_name(content.source), isinstance(parsed, Actionable))
                if content.claimed_at is not None:
                    self._tell_future(message, parsed.kind, object_name(content.source), content.claimed_at)
                if isinstance(content, StateReport):
                    content = replace(content, sent_at=message.sent_at)
                groups[group].append(_Parsed(message, parsed.kind, content))
        for handled in await asyncio.gather(*(self._handle_traced(batch) for batch in groups.values())):
            acks |= handled
        return acks

    async def _handle_traced(self, batch: Sequence[_Parsed]) -> dict[str, Ack]:
        """Handles the messages of one instance. Log lines, spans and writes carry the message ids."""
        messages = tuple(one.message.id for one in batch)
        newest = max(batch, key=lambda one: one.content.at)
        instance = object_name(newest.content.source)
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
            caused_by(
                MessageContext(
                    messages=messages,
                    instance=instance,
                    event_at=newest.content.at,
                    sent_at=newest.message.sent_at,
                    mark=mark,
                )
            ),
        ):
            return await self._handle_instance(batch)

    async def _handle_instance(self, batch: Sequence[_Parsed]) -> dict[str, Ack]:
        first = batch[0].content
        served = self.regions.find(AccountRegion(first.account, first.region))
        if served is None:
            return self._retry(batch, RejectReason.UNKNOWN_ACCOUNT, "taken out of the settings a moment ago")
        try:
            resolved = await self._resolve(served, batch)
        except Invalid as error:
            return {
                one.message.id: self._reject(one.message, Malformed(one.kind, RejectReason.REFUSED_BY_API, str(error)))
                for one in batch
            }
        except KubeError as error:
            return self._retry(batch, type(error).__name__, str(error))
        except AWS_ERRORS as error:
            return self._retry(batch, reason_of(error), describe_error(error))
        return {one.message.id: self._finish(served, one, resolved, counted=one is batch[0]) for one in batch}

    def _resolve(self, served: ServedRegion, batch: Sequence[_Parsed]) -> Awaitable[Resolved]:
        reports = [one.content for one in batch if isinstance(one.content, StateReport)]
        if reports:
            return self.resolver.resolve_reports(served, reports)
        requests = [one.content for one in batch if isinstance(one.content, RecheckRequest)]
        return self.resolver.resolve_recheck(served, max(requests, key=lambda one: (one.retagged, one.due)))

    def _retry(self, batch: Sequence[_Parsed], reason: str, detail: str) -> dict[str, Ack]:
        self.metrics.handled.labels(_RESULT_LABELS[AckAction.RETRY]).inc()
        self.log.warning("message kept", reason=reason, error=detail)
        return {
            one.message.id: Ack(action=AckAction.RETRY, kind=one.kind, reason=reason, detail=detail) for one in batch
        }

    def _finish(self, served: ServedRegion, one: _Parsed, resolved: Resolved, *, counted: bool) -> Ack:
        if isinstance(resolved, Ack):
            if counted:
                self.metrics.handled.labels(_RESULT_LABELS[resolved.action]).inc()
            return resolved
        if isinstance(resolved, IgnoreReason):
            if counted:
                self.metrics.irrelevant.labels(resolved).inc()
            return DELETE
        if counted:
            self.metrics.handled.labels(resolved.result).inc()
        if resolved.result is UpsertResult.WRITTEN:
            self._observe_times(one)
            if counted and resolved.after is not None:
                self.log.info(
                    "workbench written", state=resolved.after.state.value, event_at=one.content.at.isoformat()
                )
        if counted and resolved.result in NOT_WRITTEN:
            self.log.warning("workbench not written", reason=resolved.result, account_region=str(served))
        return DELETE

    def _reject(self, message: Message, malformed: Malformed) -> Ack:
        self.metrics.malformed.labels(malformed.reason).inc()
        if malformed.unknown is not None:
            self.unknown_accounts.add(malformed.unknown)
        if message.receives <= 1:
            self.log.warning(
                "bad message",
                reason=malformed.reason,
                kind=malformed.kind,
                detail=escaped(malformed.detail),
                body=escaped(message.body),
                message=message.id,
            )
        return Ack(action=AckAction.DEAD_LETTER, kind=malformed.kind, reason=malformed.reason, detail=malformed.detail)

    def _tell_future(self, message: Message, kind: KindName, instance: str, claimed_at: datetime) -> None:
        if message.receives <= 1:
            self.metrics.future_times.labels("event").inc()
            self.log.warning(
                "time of the future not believed", reason="event", kind=kind, instance=instance,
                event_at=claimed_at.isoformat(), message=message.id,
                advice="compare the clocks of the sender and of the operator",
            )  # fmt: skip

    def _observe_times(self, one: _Parsed) -> None:
        now = self.clock()
        self.metrics.message_age.observe(max(0.0, (now - one.message.sent_at).total_seconds()))
        self.metrics.event_lag.observe(max(0.0, (now - one.content.at).total_seconds()))
