"""Which of two pieces of news about an instance is the newer one.

Events come twice, late and in any order, and an inventory may lag behind an event that has already arrived. So nothing
here counts or trusts an order of arrival: what an object says is compared with a fact by the time each one tells, and
the answer is the same whichever comes first. Where the time alone cannot decide, the order of an instance's life does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from seatpool.api.workbench import InstanceState

ACTIVE = frozenset({InstanceState.PENDING, InstanceState.RUNNING})
UNNOTICED_RESTART = timedelta(minutes=1)
_AGE = {state: age for age, state in enumerate(InstanceState)}


def further(one: InstanceState, other: InstanceState) -> InstanceState:
    """The state that comes later in an instance's life."""
    return max(one, other, key=_AGE.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What an event or a look at EC2 says about an instance."""

    account: str
    region: str
    state: InstanceState
    at: datetime
    """When it was so: the event's own time, or the instant that a look at EC2 surely covers."""
    owner: str | None = None
    type: str | None = None
    launched_at: datetime | None = None
    observed: bool = False
    """EC2 itself was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the Workbench object says."""

    account: str
    region: str
    owner: str
    type: str
    state: InstanceState
    changed_at: datetime
    launched_at: datetime | None


class Ignored(StrEnum):
    """Why a fact changes nothing."""

    SAME = "same"
    OLDER = "older"
    UNKNOWN_INSTANCE = "unknown_instance"
    OTHER_PLACE = "other_place"
    """The instance is known in another account or region."""


def decide(held: Held | None, fact: Fact, *, confirmed_at: datetime | None = None) -> Held | Ignored:
    """What the object has to say after a fact, or why it stays as it is.

    `confirmed_at` is the instant up to which an inventory found the object right: events before it are no news.
    """
    if held is None:
        if fact.owner is None or fact.type is None:
            return Ignored.UNKNOWN_INSTANCE
        return Held(
            account=fact.account,
            region=fact.region,
            owner=fact.owner,
            type=fact.type,
            state=fact.state,
            changed_at=fact.at,
            launched_at=(fact.launched_at or fact.at) if fact.state in ACTIVE else None,
        )
    if (held.account, held.region) != (fact.account, fact.region):
        return Ignored.OTHER_PLACE
    if fact.observed:
        return _after_observation(held, fact)
    if not _is_newer(held, fact, confirmed_at):
        return Ignored.OLDER if fact.at != held.changed_at or fact.state != held.state else Ignored.SAME
    return _changed(held, fact)


def decide_all(held: Held | None, facts: Iterable[Fact], *, confirmed_at: datetime | None = None) -> Held | Ignored:
    """`decide` for several facts of one instance; the last reason when none of them changes anything."""
    answer: Held | Ignored = Ignored.SAME
    for fact in facts:
        step = decide(held, fact, confirmed_at=confirmed_at)
        if isinstance(step, Held):
            held = answer = step
        elif isinstance(answer, Ignored):
            answer = step
    return answer


def _after_observation(held: Held, fact: Fact) -> Held | Ignored:
    if fact.at < held.changed_at:
        return Ignored.OLDER
    changed = _changed(held, fact)
    differs = (changed.state, changed.owner, changed.type, changed.launched_at) != (
        held.state,
        held.owner,
        held.type,
        held.launched_at,
    )
    return changed if differs else Ignored.SAME


def _is_newer(held: Held, fact: Fact, confirmed_at: datetime | None) -> bool:
    # Nothing comes back from these two, so no clock can make another state newer.
    if held.state is InstanceState.TERMINATED:
        return False
    if fact.state is InstanceState.TERMINATED:
        return True
    if held.state is InstanceState.SHUTTING_DOWN:
        return False
    if fact.state is InstanceState.SHUTTING_DOWN:
        return True
    if confirmed_at is not None and fact.at < confirmed_at:
        return False
    if fact.at != held.changed_at:
        return fact.at > held.changed_at
    if {held.state, fact.state} == {InstanceState.RUNNING, InstanceState.STOPPED}:
        # Only the two-state events of a pipeline can start and stop in one second. Who was active before that second
        # was stopped and came back; who was not started and stopped.
        was_active = held.launched_at is not None and held.launched_at < fact.at
        return (fact.state is InstanceState.RUNNING) == was_active
    return _AGE[fact.state] > _AGE[held.state]


def _changed(held: Held, fact: Fact) -> Held:
    launched_at = held.launched_at
    if fact.state in ACTIVE:
        known = fact.launched_at
        without_break = held.state in ACTIVE or fact.at == held.changed_at
        restarted = launched_at is not None and known is not None and known > launched_at + UNNOTICED_RESTART
        if launched_at is None or restarted or not without_break:
            launched_at = known or fact.at
    elif held.state is fact.state is InstanceState.STOPPED and not fact.observed:
        launched_at = None  # it was not active before that stop: a start in the same second did not outlive it
    return replace(
        held,
        owner=fact.owner or held.owner,
        type=fact.type or held.type,
        state=fact.state,
        changed_at=max(held.changed_at, fact.at),
        launched_at=launched_at,
    )
