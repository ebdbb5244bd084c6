"""From a batch of messages to Workbench objects, and to what becomes of each message.

A message is let go of only after the API server took what it says. While the API server does not answer, a batch is
held here and tried again: nothing else is received meanwhile, so no good message uses up its receives and
ends in the dead-letter queue. A failure that concerns one object only leaves its message to the queue instead.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, auto

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from seatpool.api.workbench import InstanceState
from seatpool.kube.errors import Invalid, KubeError, Unavailable
from seatpool.mirror.aws_faults import AWS_ERRORS, describe_fault, reason_of
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.ec2 import Seen
from seatpool.mirror.enquiries import Enquiries, Strangers
from seatpool.mirror.health import HealthBoard
from seatpool.mirror.messages.outcome import Actionable, Flaw, Hint, Irrelevance, Irrelevant, KindName, Malformed
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.newer import Fact, further, to_millisecond
from seatpool.mirror.objects import Outcome, Settled, WorkbenchObjects
from seatpool.mirror.queue import Message
from seatpool.mirror.sources import Source, Sources
from seatpool.mirror.sparing_log import SparingLog, shown

HOPELESS_ATTEMPTS = 8
NOT_VISIBLE_YET = timedelta(minutes=2)
_ENDING = frozenset({InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED})


class Disposal(Enum):
    """What becomes of a message."""

    DELETE = auto()
    KEEP = auto()
    """It comes back when its visibility timeout is over."""
    BACK_SOON = auto()
    BAD = auto()
    """For the dead-letter queue."""


@dataclass(frozen=True, slots=True)
class _Noted:
    message: Message
    kind: KindName
    hint: Hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Handling:
    """Everything that handling needs; stateless but for its parts."""

    config: MirrorConfig
    sources: Sources
    registry: Registry
    objects: WorkbenchObjects
    enquiries: Enquiries
    strangers: Strangers
    health: HealthBoard
    metrics: MirrorMetrics
    log: SparingLog
    clock: Callable[[], datetime]

    async def handle(self, messages: Sequence[Message]) -> Mapping[str, Disposal]:
        """What becomes of each message, by its id. Raises nothing but cancellation."""
        disposals: dict[str, Disposal] = {}
        groups: dict[tuple[str, str, str], list[_Noted]] = defaultdict(list)
        for message in messages:
            parsed = self.registry.parse(message.body, now=self.clock())
            self.metrics.received.labels(parsed.kind, type(parsed).__name__.lower()).inc()
            if isinstance(parsed, Actionable):
                hint = parsed.hint
                groups[hint.account, hint.region, hint.instance_id].append(_Noted(message, parsed.kind, hint))
            elif isinstance(parsed, Irrelevant):
                self.metrics.irrelevant.labels(parsed.reason).inc()
                disposals[message.id] = Disposal.DELETE
            else:
                self._report_bad(message, parsed)
                disposals[message.id] = Disposal.BAD
        answers = await asyncio.gather(*(self._handle_instance(noted) for noted in groups.values()))
        for noted, disposal in zip(groups.values(), answers, strict=True):
            for note in noted:
                disposals[note.message.id] = disposal
        return disposals

    async def _handle_instance(self, noted: Sequence[_Noted]) -> Disposal:
        hint = noted[0].hint
        source = self.sources.find(hint.account, hint.region)
        assert source is not None  # noqa: S101
        try:
            answer = await self._settle(source, [note.hint for note in noted])
        except Invalid as error:
            for note in noted:
                self._report_bad(note.message, Malformed(note.kind, Flaw.REFUSED_BY_API, str(error)))
            return Disposal.BAD
        except KubeError as error:
            self.metrics.handled.labels("kept").inc()
            self.log.warning("message kept", reason=type(error).__name__, instance=hint.instance_id, error=str(error))
            return Disposal.KEEP
        except AWS_ERRORS as error:
            self.metrics.handled.labels("kept").inc()
            self.log.warning(
                "message kept", reason=reason_of(error), instance=hint.instance_id, error=describe_fault(error)
            )
            return Disposal.KEEP
        if isinstance(answer, Disposal):
            self.metrics.handled.labels("not_visible_yet").inc()
            return answer
        if isinstance(answer, Irrelevance):
            self.metrics.irrelevant.labels(answer).inc()
            return Disposal.DELETE
        self.metrics.handled.labels(answer.settled).inc()
        if answer.settled is Settled.WRITTEN:
            for note in noted:
                self._observe_times(note)
        if answer.settled in (Settled.OTHER_PLACE, Settled.HAND_WRITTEN):
            self.log.warning("object left alone", reason=answer.settled, instance=hint.instance_id, source=str(source))
        return Disposal.DELETE

    async def _settle(self, source: Source, hints: Sequence[Hint]) -> Outcome | Irrelevance | Disposal:
        name = hints[0].instance_id
        facts = _facts(hints)
        outcome = await self._write(source, name, facts)
        if outcome.settled is not Settled.UNKNOWN_INSTANCE:
            return outcome
        if not source.inventory:
            return Irrelevance.EVENTS_ONLY
        if name in self.strangers:
            return Irrelevance.UNTAGGED
        seen = await self.enquiries.find(source, name)
        newest = facts[-1]
        age = self.clock() - newest.at
        if seen is None:
            # A new instance may be announced before it can be described.
            fresh = age < NOT_VISIBLE_YET and newest.state not in _ENDING
            return Disposal.BACK_SOON if fresh else Irrelevance.NO_SUCH_INSTANCE
        if not seen.is_workbench:
            if newest.state is not InstanceState.PENDING:  # one that is being launched may get its tags a moment later
                self.strangers.add(name)
            return Irrelevance.UNTAGGED
        return await self._write(source, name, [self._fact_from(source, seen, newest, age)])

    def _fact_from(self, source: Source, seen: Seen, newest: Fact, age: timedelta) -> Fact:
        recent = age < self.config.describe_lag
        return Fact(
            account=source.account.account,
            region=source.region,
            owner=seen.owner,
            type=seen.type,
            launched_at=seen.launched_at,
            state=further(seen.state, newest.state) if recent else seen.state,
            at=newest.at if recent else to_millisecond(self.clock() - self.config.describe_lag),
            observed=not recent,
        )

    async def _write(self, source: Source, name: str, facts: Sequence[Fact]) -> Outcome:
        """Settle, and go on trying for as long as it is the API server as a whole that does not answer."""
        patience = _Patience(self.objects, self.clock)

        def note(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome is not None else None
            self.health.kubernetes(ok=False, reason="Unavailable", message=str(error), now=self.clock())

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(Unavailable),
            stop=patience.is_over,
            wait=wait_exponential_jitter(multiplier=0.1, max=5, jitter=0.2),
            before_sleep=note,
            reraise=True,
        )
        outcome: Outcome = await retrying(self.objects.settle, source.namespace, name, facts)
        if outcome.settled is Settled.WRITTEN:
            self.health.kubernetes(ok=True, reason="Connected", now=self.clock())
        return outcome

    def _report_bad(self, message: Message, malformed: Malformed) -> None:
        self.metrics.malformed.labels(malformed.flaw).inc()
        if message.receives <= 1:
            self.log.warning(
                "bad message",
                reason=malformed.flaw,
                kind=malformed.kind,
                detail=shown(malformed.detail),
                body=shown(message.body),
                message=message.id,
            )

    def _observe_times(self, note: _Noted) -> None:
        now = self.clock()
        self.metrics.message_age.observe(max(0.0, (now - note.message.sent_at).total_seconds()))
        self.metrics.event_lag.observe(max(0.0, (now - note.hint.at).total_seconds()))


class _Patience:
    """Ends when one object fails again and again while others are written: then it is not the API server."""

    def __init__(self, objects: WorkbenchObjects, clock: Callable[[], datetime]) -> None:
        self._objects = objects
        self._clock = clock
        self._failed_at: datetime | None = None
        self._failures_among_successes = 0

    def is_over(self, _state: RetryCallState) -> bool:
        succeeded_at = self._objects.last_success
        if self._failed_at is not None and succeeded_at is not None and succeeded_at > self._failed_at:
            self._failures_among_successes += 1
        self._failed_at = self._clock()
        return self._failures_among_successes >= HOPELESS_ATTEMPTS


def _facts(hints: Sequence[Hint]) -> list[Fact]:
    """The facts of one instance by time; those that do not say whose it is learn it from those that do."""
    facts = sorted(
        (
            Fact(
                account=hint.account, region=hint.region, state=hint.state, at=hint.at, owner=hint.owner, type=hint.type
            )
            for hint in hints
        ),
        key=lambda fact: (fact.at, list(InstanceState).index(fact.state)),
    )
    named = next((fact for fact in reversed(facts) if fact.owner is not None), None)
    if named is None:
        return facts
    first = facts[0]
    return [first if first.owner is not None else replace(first, owner=named.owner, type=named.type), *facts[1:]]
