"""Decides which of two facts about an instance is the newer one. Pure.

Events come twice, late and in any order. An inventory may lag behind an event that has already arrived. So nothing
here counts events or trusts the order of arrival. The stored state and a fact are compared by their own times, and the
result is the same whichever comes first. Where times are equal, the order of an instance's life decides.

A time of the future is not believed. The clock was wrong when it was written, or is wrong now, or somebody wrote it by
hand. Such a time would make everything older for as long as it is ahead.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from seatpool.api.workbench import InstanceState, SourceKind, WorkbenchSource
from seatpool.domain.identity import normalise
from seatpool.domain.instants import NEVER

ACTIVE = frozenset({InstanceState.PENDING, InstanceState.RUNNING})
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
"""Stands for a time that is not known, so that any other one is newer."""
UNNOTICED_RESTART = timedelta(minutes=1)
_AGE = {state: age for age, state in enumerate(InstanceState)}


def later_state(one: InstanceState, other: InstanceState) -> InstanceState:
    """Returns the state that comes later in an instance's life."""
    return max(one, other, key=_AGE.__getitem__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """A statement about an instance, from an event or from EC2."""

    account: str
    region: str
    state: InstanceState
    at: datetime
    """Time of the event, or the latest time that the answer of EC2 surely covers."""
    owner: str | None = None
    type: str | None = None
    launched_at: datetime | None = None
    source: WorkbenchSource | None = None
    """None: EC2."""
    observed: bool = False
    """True: the source itself was asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The content of the Workbench object of an instance."""

    account: str
    region: str
    owner: str
    type: str
    state: InstanceState
    changed_at: datetime
    launched_at: datetime | None
    source: WorkbenchSource | None = None
    """None: EC2, of an object that does not say it."""

    @property
    def kind(self) -> SourceKind:
        """The kind of the source."""
        return self.source.kind if self.source is not None else SourceKind.EC2


class Ignored(StrEnum):
    """Reasons why a fact changes nothing."""

    SAME = "same"
    OLDER = "older"
    UNKNOWN_INSTANCE = "unknown_instance"
    OTHER_ACCOUNT_REGION = "other_place"
    """The object belongs to another account or region."""
    OTHER_SOURCE = "other_source"
    """The object belongs to another machine, which only has the same name here."""


def without_future(stored: Stored, horizon: datetime) -> Stored:
    """Returns the object without its times after the horizon: they are not known. The same object if it has none."""
    launched_at = stored.launched_at
    if launched_at is not None and launched_at > horizon:
        launched_at = None
    changed_at = stored.changed_at if stored.changed_at <= horizon else LONG_AGO
    if (changed_at, launched_at) == (stored.changed_at, stored.launched_at):
        return stored
    return replace(stored, changed_at=changed_at, launched_at=launched_at)


def merge(
    stored: Stored | None, fact: Fact, *, confirmed_at: datetime | None = None, horizon: datetime = NEVER
) -> Stored | Ignored:
    """Returns what the object says after a fact, or why the fact is ignored.

    `confirmed_at` is the time up to which an inventory found the object right. Events before it are not new.
    `horizon` is the latest time that is believed: now, and a tolerance.
    """
    fact = _within(fact, horizon)
    if confirmed_at is not None and confirmed_at > horizon:
        confirmed_at = None
    if stored is None:
        if fact.owner is None or fact.type is None:
            return Ignored.UNKNOWN_INSTANCE
        return Stored(
            account=fact.account,
            region=fact.region,
            owner=fact.owner,
            type=fact.type,
            state=fact.state,
            changed_at=fact.at,
            launched_at=(fact.launched_at or fact.at) if fact.state in ACTIVE else None,
            source=fact.source,
        )
    if _is_other_source(stored.source, fact.source):
        return Ignored.OTHER_SOURCE
    if (stored.account, stored.region) != (fact.account, fact.region):
        return Ignored.OTHER_ACCOUNT_REGION
    if fact.observed:
        return _merge_observed(stored, fact, horizon)
    stored = without_future(stored, horizon)
    if not _is_newer(stored, fact, confirmed_at):
        return Ignored.OLDER if fact.at != stored.changed_at or fact.state != stored.state else Ignored.SAME
    return _changed(stored, fact)


def merge_all(
    stored: Stored | None,
    facts: Iterable[Fact],
    *,
    confirmed_at: datetime | None = None,
    horizon: datetime = NEVER,
) -> Stored | Ignored:
    """Merges several facts of one instance. Returns the last reason if none of them changes anything."""
    result: Stored | Ignored = Ignored.SAME
    for fact in facts:
        merged = merge(stored, fact, confirmed_at=confirmed_at, horizon=horizon)
        if isinstance(merged, Stored):
            stored = result = merged
        elif isinstance(result, Ignored):
            result = merged
    return result


def _within(fact: Fact, horizon: datetime) -> Fact:
    if fact.at > horizon:
        fact = replace(fact, at=horizon)
    if fact.launched_at is not None and fact.launched_at > horizon:
        fact = replace(fact, launched_at=None)
    return fact


def _merge_observed(before: Stored, fact: Fact, horizon: datetime) -> Stored | Ignored:
    stored = without_future(before, horizon)
    if fact.at < stored.changed_at:
        return Ignored.OLDER
    changed = _changed(stored, fact)
    differs = (changed.state, changed.owner, changed.type, changed.launched_at) != (
        stored.state,
        stored.owner,
        stored.type,
        stored.launched_at,
    )
    return changed if differs or stored is not before else Ignored.SAME


def _is_newer(stored: Stored, fact: Fact, confirmed_at: datetime | None) -> bool:
    # No instance leaves terminated, or leaves shutting-down for an earlier state. So no time makes another state newer.
    if stored.state is InstanceState.TERMINATED:
        return False
    if fact.state is InstanceState.TERMINATED:
        return True
    if stored.state is InstanceState.SHUTTING_DOWN:
        return False
    if fact.state is InstanceState.SHUTTING_DOWN:
        return True
    if confirmed_at is not None and fact.at < confirmed_at:
        return False
    if fact.at != stored.changed_at:
        return fact.at > stored.changed_at
    if {stored.state, fact.state} == {InstanceState.RUNNING, InstanceState.STOPPED}:
        # Only a pipeline with these two states starts and stops in one second. An instance that was active before that
        # second was stopped and came back. Another one was started and stopped.
        was_active = stored.launched_at is not None and stored.launched_at < fact.at
        return (fact.state is InstanceState.RUNNING) == was_active
    return _AGE[fact.state] > _AGE[stored.state]


def _changed(stored: Stored, fact: Fact) -> Stored:
    launched_at = stored.launched_at
    if fact.state in ACTIVE and fact.owner is not None and not _is_same_user(fact.owner, stored.owner):
        launched_at = fact.at  # its new owner begins to wait now
    elif fact.state in ACTIVE:
        known = fact.launched_at
        without_break = stored.state in ACTIVE or fact.at == stored.changed_at
        restarted = launched_at is not None and known is not None and known > launched_at + UNNOTICED_RESTART
        if launched_at is None or restarted or not without_break:
            launched_at = known or fact.at
    elif stored.state is fact.state is InstanceState.STOPPED and not fact.observed:
        launched_at = None  # it was not active before that stop, so a start in the same second did not outlive it
    return replace(
        stored,
        owner=fact.owner or stored.owner,
        type=fact.type or stored.type,
        state=fact.state,
        changed_at=max(stored.changed_at, fact.at),
        launched_at=launched_at,
    )


def _is_other_source(one: WorkbenchSource | None, other: WorkbenchSource | None) -> bool:
    if one is None or other is None:  # an EC2 instance, whose id is the name of the object
        return any(known is not None and known.kind is not SourceKind.EC2 for known in (one, other))
    return one != other


def _is_same_user(one: str, other: str) -> bool:
    """Tells whether two owners are spellings of one user. A respelled tag hands nothing over."""
    if one == other:
        return True
    first, second = (normalise(owner, strip_domain=True, fold_case=True, mapping={}) for owner in (one, other))
    return first == second
