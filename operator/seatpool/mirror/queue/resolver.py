"""What messages say of one instance, made into its object: by what they tell, and by asking EC2 for the rest.

While the API server does not answer, writing is tried again for as long as it takes: nothing else is received
meanwhile, so no good message uses up its receives and ends in the dead-letter queue.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from seatpool.api.workbench import InstanceState
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.errors import Unavailable
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.ec2.describe import Seen
from seatpool.mirror.ec2.describe_batcher import Enquiries, Strangers
from seatpool.mirror.event_order import Fact, further
from seatpool.mirror.health import HealthBoard
from seatpool.mirror.messages.parsed import Hint, Irrelevance, Suspicion
from seatpool.mirror.queue.ack import NOT_VISIBLE_YET, Disposal, later
from seatpool.mirror.regions import Source
from seatpool.mirror.workbenches.writer import Outcome, Settled, WorkbenchObjects

HOPELESS_ATTEMPTS = 8
VISIBLE_WITHIN = timedelta(minutes=2)
A_MOMENT = timedelta(seconds=1)
_ENDING = frozenset({InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED})

Answer = Outcome | Irrelevance | Disposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Raises AWS errors and KubeErrors that concern the one instance."""

    config: MirrorConfig
    objects: WorkbenchObjects
    enquiries: Enquiries
    strangers: Strangers
    health: HealthBoard
    clock: Callable[[], datetime]

    async def take_hints(self, source: Source, hints: Sequence[Hint]) -> Answer:
        """Write what the hints say; ask EC2 when they do not say whose a new instance is."""
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
            fresh = age < VISIBLE_WITHIN and newest.state not in _ENDING
            return NOT_VISIBLE_YET if fresh else Irrelevance.NO_SUCH_INSTANCE
        if not seen.is_workbench:
            if newest.state is not InstanceState.PENDING:  # one that is being launched may get its tags a moment later
                self.strangers.add(name)
            return Irrelevance.UNTAGGED
        recent = age < self.config.describe_lag
        fact = self._observed(source, seen)
        if recent:
            fact = replace(fact, state=further(seen.state, newest.state), at=newest.at, observed=False)
        return await self._write(source, name, [fact])

    async def take_suspicion(self, source: Source, suspicion: Suspicion) -> Answer:
        """Ask EC2 when it is due, and write what it says. That the instance is not shown releases nobody."""
        name = suspicion.instance_id
        entry = self.objects.get(source.namespace, name)
        if suspicion.retagged:
            self.strangers.discard(name)
        elif entry is None or entry.held.state in _ENDING:
            return Irrelevance.NOT_HELD
        if not source.inventory:
            return Irrelevance.EVENTS_ONLY
        remaining = suspicion.due - self.clock()
        if remaining > timedelta(0):
            return later(remaining)
        seen = await self.enquiries.find(source, name)
        if seen is None:
            return Irrelevance.NO_SUCH_INSTANCE
        if entry is None and not seen.is_workbench:
            return Irrelevance.UNTAGGED
        if entry is None and seen.state in _ENDING:
            return Irrelevance.NOT_HELD
        outcome = await self._write(source, name, [self._observed(source, seen)])
        if outcome.settled is Settled.OLDER:
            # Something newer came meanwhile, of which this answer may know nothing.
            return later(self.config.describe_lag + A_MOMENT)
        return outcome

    def _observed(self, source: Source, seen: Seen) -> Fact:
        return Fact(
            account=source.account.account,
            region=source.region,
            owner=seen.owner,
            type=seen.type,
            launched_at=seen.launched_at,
            state=seen.state,
            at=to_milliseconds(self.clock() - self.config.describe_lag),
            observed=True,
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
