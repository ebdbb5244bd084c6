"""Turns the messages about one instance into a write of its object, and asks EC2 for what they do not say.

A message counts at once if it is about a known instance and not late. EC2 is asked before a late one counts, one of an
unknown instance, or one whose time cannot be. Archives replay events, and a late start could wake what is long gone.

If the API server does not answer, the write is retried without end. Nothing else is received meanwhile, so no good
message uses up its receives and ends in the dead-letter queue.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from seatpool.api.workbench import InstanceState, SourceKind
from seatpool.aws.errors import AWS_ERRORS
from seatpool.backoff import Backoff, retry_call
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.errors import Unavailable
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.event_order import ACTIVE, Fact, later_state
from seatpool.mirror.health import HealthBoard
from seatpool.mirror.inventory.describe_batcher import DescribeBatcher, IgnoredInstances
from seatpool.mirror.messages.parsed import IgnoreReason, RecheckRequest, StateReport
from seatpool.mirror.names import object_name
from seatpool.mirror.queue.ack import RETRY_SOON, Ack, delay
from seatpool.mirror.regions import ServedRegion
from seatpool.mirror.source import Machine
from seatpool.mirror.workbenches.entry import Upsert, UpsertResult
from seatpool.mirror.workbenches.writer import WorkbenchWriter

MAX_FAILURES_OF_ONE = 8
VISIBLE_WITHIN = timedelta(minutes=2)
RECHECK_MARGIN = timedelta(seconds=1)
FIRST_PAUSE = 0.1
MAX_PAUSE = 5.0
_ENDING = frozenset({InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED})

Resolved = Upsert | IgnoreReason | Ack


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolver:
    """Resolves messages to writes. Raises the AWS errors and KubeErrors that concern the one instance."""

    config: MirrorConfig
    workbenches: WorkbenchWriter
    describe: Mapping[SourceKind, DescribeBatcher]
    ignored: IgnoredInstances
    health: HealthBoard
    clock: Callable[[], datetime]
    rng: random.Random

    async def resolve_reports(self, served: ServedRegion, reports: Sequence[StateReport]) -> Resolved:
        """Writes what the reports say, or what EC2 says where they may not count by themselves."""
        if not served.inventory:
            return await self._resolve_without_ec2(served, reports)
        source = reports[0].source
        name = object_name(source)
        facts = _facts(reports)
        is_known = self.workbenches.get(served.namespace, name) is not None
        fresh = [one for one in reports if not self._is_late(one)]
        is_late = len(fresh) < len(reports)
        if not is_late:
            # Without an owner they change a known object, and create none.
            upsert = await self._upsert(served, name, facts if is_known else _nameless(facts))
            if upsert.result is not UpsertResult.UNKNOWN_INSTANCE:
                return upsert
        if not is_known and facts[0].owner is None and name in self.ignored:
            return IgnoreReason.UNTAGGED
        try:
            instance = await self.describe[source.kind].find(served, source.reference)
        except AWS_ERRORS:
            if is_late or facts[0].owner is None:
                raise
            # It is fresh and names the owner, and the next inventory corrects it. So an outage of EC2 delays no user.
            return await self._upsert(served, name, facts)
        # Where EC2 may not know yet what happened a moment ago, the newest event counts, unless it is itself in doubt.
        newest = _facts(fresh)[-1] if fresh else None
        age = self.clock() - newest.at if newest is not None else timedelta.max
        if instance is None:
            ends = [fact for fact in facts if fact.state in _ENDING]
            if is_known and ends:  # EC2 forgets an instance an hour after its end
                return await self._upsert(served, name, ends)
            # A new instance may be announced before EC2 can describe it.
            is_new = newest is not None and age < VISIBLE_WITHIN and newest.state not in _ENDING
            return RETRY_SOON if is_new else IgnoreReason.NO_SUCH_INSTANCE
        if not is_known and not instance.is_workbench:
            if facts[0].owner is not None and not is_late and age < VISIBLE_WITHIN and not instance.tags.excluded:
                return await self._upsert(served, name, facts)  # its tags may come a moment later
            if newest is None or newest.state is not InstanceState.PENDING:
                self.ignored.add(name)
            return IgnoreReason.UNTAGGED
        fact = self._observed(served, instance)
        if newest is not None and age < self.config.describe_lag:
            fact = replace(fact, state=later_state(instance.state, newest.state), at=newest.at, observed=False)
        return await self._upsert(served, name, [fact])

    async def resolve_recheck(self, served: ServedRegion, request: RecheckRequest) -> Resolved:
        """Asks EC2 when the request is due, and writes the answer. An instance that EC2 does not show stays."""
        name = object_name(request.source)
        entry = self.workbenches.get(served.namespace, name)
        if request.retagged:
            self.ignored.discard(name)
        elif entry is None or entry.stored.state in _ENDING:
            return IgnoreReason.NO_OBJECT
        if not served.inventory:
            return IgnoreReason.EVENTS_ONLY
        remaining = request.due - self.clock()
        if remaining > timedelta(0):
            return delay(remaining)
        instance = await self.describe[request.source.kind].find(served, request.source.reference)
        if instance is None:
            return IgnoreReason.NO_SUCH_INSTANCE
        if entry is None and not instance.is_workbench:
            return IgnoreReason.UNTAGGED
        if entry is None and instance.state in _ENDING:
            return IgnoreReason.NO_OBJECT
        upsert = await self._upsert(served, name, [self._observed(served, instance)])
        if upsert.result is UpsertResult.OLDER:
            # A newer event came meanwhile, and EC2's answer may not cover it.
            return delay(self.config.describe_lag + RECHECK_MARGIN)
        return upsert

    async def _resolve_without_ec2(self, served: ServedRegion, reports: Sequence[StateReport]) -> Resolved:
        """Writes what the reports say. Of the late ones only an end of a known instance counts."""
        name = object_name(reports[0].source)
        is_known = self.workbenches.get(served.namespace, name) is not None
        counting = [
            one
            for one in reports
            if one.delay() <= self.config.max_event_delay or (is_known and one.state not in ACTIVE)
        ]
        if not counting:
            return IgnoreReason.TOO_LATE
        upsert = await self._upsert(served, name, _facts(counting))
        return IgnoreReason.EVENTS_ONLY if upsert.result is UpsertResult.UNKNOWN_INSTANCE else upsert

    def _is_late(self, report: StateReport) -> bool:
        """Tells whether a report is too old to count by itself, or has a time that cannot be."""
        limit = self.config.max_event_delay
        age = self.clock() - report.at
        return report.claimed_at is not None or age > limit or report.delay() > limit

    def _observed(self, served: ServedRegion, instance: Machine) -> Fact:
        return instance.as_fact(served.key, at=to_milliseconds(self.clock() - self.config.describe_lag))

    async def _upsert(self, served: ServedRegion, name: str, facts: Sequence[Fact]) -> Upsert:
        """Writes the object. Retries as long as the API server as a whole does not answer."""
        failures = _FailuresOfOne(self.workbenches, self.clock)

        def record(error: Exception) -> None:
            self.health.set_kubernetes(ok=False, reason="Unavailable", message=str(error), now=self.clock())

        upsert = await retry_call(
            lambda: self.workbenches.upsert(served.namespace, name, facts),
            errors=Unavailable,
            backoff=Backoff(self.rng, first=FIRST_PAUSE, longest=MAX_PAUSE),
            on_error=record,
            give_up=failures.are_too_many,
        )
        if upsert.result is UpsertResult.WRITTEN:
            self.health.set_kubernetes(ok=True, reason="Connected", now=self.clock())
        return upsert


class _FailuresOfOne:
    """Counts failures of one object while others are written. Then the object is at fault, not the API server."""

    def __init__(self, workbenches: WorkbenchWriter, clock: Callable[[], datetime]) -> None:
        self._workbenches = workbenches
        self._clock = clock
        self._failed_at: datetime | None = None
        self._count = 0

    def are_too_many(self) -> bool:
        """Records a failure. True: this was the eighth one between successes of others."""
        succeeded_at = self._workbenches.last_success
        if self._failed_at is not None and succeeded_at is not None and succeeded_at > self._failed_at:
            self._count += 1
        self._failed_at = self._clock()
        return self._count >= MAX_FAILURES_OF_ONE


def _nameless(facts: Sequence[Fact]) -> list[Fact]:
    return [replace(fact, owner=None, type=None) for fact in facts]


def _facts(reports: Sequence[StateReport]) -> list[Fact]:
    """Returns the facts of one instance by time. If any report has owner and type, the first fact has them too."""
    facts = sorted(
        (
            Fact(
                account=report.account,
                region=report.region,
                state=report.state,
                at=report.at,
                owner=report.owner,
                type=report.type,
                source=report.source,
            )
            for report in reports
        ),
        key=lambda fact: (fact.at, list(InstanceState).index(fact.state)),
    )
    named = next((fact for fact in reversed(facts) if fact.owner is not None), None)
    if named is None:
        return facts
    first = facts[0]
    return [first if first.owner is not None else replace(first, owner=named.owner, type=named.type), *facts[1:]]
