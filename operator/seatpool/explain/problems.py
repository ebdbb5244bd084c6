"""What stands between a pool's answer and the license server, told from the objects' specs and conditions."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.api.base import format_duration
from seatpool.api.conditions import Condition, ConditionStatus
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.api.reasons import ConditionReason
from seatpool.explain.messages import Said, Say, say
from seatpool.explain.snapshot import Snapshot
from seatpool.text import Speech

_OF_THE_LIST = frozenset(
    {
        ConditionReason.APPLY_FAILED,
        ConditionReason.READ_FAILED,
        ConditionReason.LIST_DIFFERS,
        ConditionReason.NOT_READ_YET,
    }
)
_ONLY_RELEASES = frozenset({ConditionReason.TOO_MANY_RELEASES, ConditionReason.INVENTORY_UNKNOWN})
_NO_HINDRANCE = frozenset(
    {
        *_ONLY_RELEASES,
        ConditionReason.INVENTORY_STALE,
        ConditionReason.EVENTS_DISCONNECTED,
        ConditionReason.DRY_RUN,
        ConditionReason.APPLY_FAILED,
        Say.SPEC_UNSEEN,
        Say.NOT_VERIFIED_LATELY,
    }
)


_OF_THE_MIRROR = (
    ("InventoryFresh", ConditionReason.INVENTORY_STALE),
    ("EventsConnected", ConditionReason.EVENTS_DISCONNECTED),
)
_BY_CHOICE = frozenset({ConditionReason.DRY_RUN, ConditionReason.SUSPENDED, ConditionReason.SERVER_SUSPENDED})
_LATE = 3
_LATE_AT_LEAST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Something that an admin may have to look at."""

    said: Said
    object: str
    """The object that shows it, as `Kind namespace/name`."""
    detail: str = ""
    """The condition's own message."""

    @property
    def blocks(self) -> bool:
        """Whether no seat can come while it is there."""
        return self.said.id not in _NO_HINDRANCE

    @property
    def keeps_everybody(self) -> bool:
        """Whether nobody loses a seat while it is there."""
        return self.said.id in _ONLY_RELEASES

    @property
    def is_chosen(self) -> bool:
        """Whether somebody wants it so: worth showing, and no fault."""
        return self.said.id in _BY_CHOICE


Found = tuple[str, datetime | None, str]
"""A sentence's id, since when, and the condition's message."""


def obstacles(snapshot: Snapshot, pool: LicensePool, *, speech: Speech) -> tuple[Obstacle, ...]:
    """All that stand in this pool's way, those that only a person can remove first."""
    claimant, key = snapshot.store.owner_pool(pool.key), snapshot.store.server_of(pool.key)
    server = snapshot.server_of(pool.key)
    values = {"pool": pool.key, "product": pool.spec.product, "claimant": claimant}
    of_pool = [*_of_the_pools_spec(pool, claimant), *_of_the_list(pool)]
    if server is None:
        of_pool.append((ConditionReason.SERVER_MISSING, None, ""))
    elif server.spec.mode is Mode.DRY_RUN and pool.spec.mode is not Mode.DRY_RUN:
        of_pool.append((ConditionReason.DRY_RUN, None, ""))
    mine = _told(of_pool, f"LicensePool {pool.key}", speech, server=key, **values)
    return (*mine, *(server_obstacles(server, speech=speech) if server is not None else ()))


def server_obstacles(server: LicenseServer, *, speech: Speech) -> tuple[Obstacle, ...]:
    """All that the server itself shows."""
    interval = format_duration(server.spec.verify_interval)
    found = _of_the_server(server, speech.now)
    return _told(
        found, f"LicenseServer {server.key}", speech, server=server.key, name=server.metadata.name, interval=interval
    )


def _told(found: Iterable[Found], shown_by: str, speech: Speech, **values: str) -> tuple[Obstacle, ...]:
    return tuple(
        Obstacle(say(reason, **values, since=speech.at(since)), shown_by, message) for reason, since, message in found
    )


def _of_the_pools_spec(pool: LicensePool, claimant: str) -> Iterator[Found]:
    if claimant != pool.key:
        yield ConditionReason.ELDER_POOL, None, ""
    if pool.metadata.deletion_timestamp is not None:
        yield ConditionReason.DELETING, None, ""
    if pool.spec.suspend:
        yield ConditionReason.SUSPENDED, None, ""
    if pool.spec.mode is Mode.DRY_RUN:
        yield ConditionReason.DRY_RUN, None, ""


def _of_the_list(pool: LicensePool) -> Iterator[Found]:
    conflict = condition_of(pool.status.conditions, "Conflict")
    if (
        conflict is not None
        and conflict.status is ConditionStatus.TRUE
        and conflict.reason == ConditionReason.FOREIGN_OWNER
    ):
        yield _found(conflict)
    in_sync = condition_of(pool.status.conditions, "InSync")
    if in_sync is not None and in_sync.status is ConditionStatus.FALSE and in_sync.reason in _OF_THE_LIST:
        yield _found(in_sync)
    if pool.status.observed_generation < pool.metadata.generation:
        yield Say.SPEC_UNSEEN, None, ""


def _of_the_server(server: LicenseServer, now: datetime) -> Iterator[Found]:
    if server.spec.suspend:
        yield ConditionReason.SERVER_SUSPENDED, None, ""
    guarded = condition_of(server.status.conditions, "Guarded")
    if guarded is not None and guarded.status is ConditionStatus.TRUE and guarded.reason in _ONLY_RELEASES:
        yield _found(guarded)
    for kind, reason in _OF_THE_MIRROR:
        condition = condition_of(server.status.conditions, kind)
        if condition is not None and condition.status is ConditionStatus.FALSE and condition.reason == reason:
            yield _found(condition)
    if server.spec.suspend:
        return
    reachable = condition_of(server.status.conditions, "Reachable")
    if reachable is not None and reachable.status is ConditionStatus.FALSE:
        yield ConditionReason.SERVER_UNREACHABLE, reachable.last_transition_time, reachable.message
    elif (verified := server.status.last_verified) is not None and now - verified > max(
        _LATE * server.spec.verify_interval, _LATE_AT_LEAST
    ):
        yield Say.NOT_VERIFIED_LATELY, verified, ""


def _found(condition: Condition) -> Found:
    return condition.reason, condition.last_transition_time, condition.message


def condition_of(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """The condition of that type."""
    return next((one for one in conditions if one.type == kind), None)
