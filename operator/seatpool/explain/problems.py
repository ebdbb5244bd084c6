"""Finds the problems of pools and servers in their specs and conditions.

A problem makes a list wrong or late, or leaves it unchanged on purpose. `blocks` and `holds_releases` tell what it stops.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from seatpool.api.base import format_duration
from seatpool.api.conditions import Condition, ConditionStatus
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.api.reasons import ConditionReason
from seatpool.explain.messages import Message, MessageId, message
from seatpool.explain.snapshot import Snapshot
from seatpool.text import JSON_NAME, TimeFormat

_LIST_REASONS = frozenset(
    {
        ConditionReason.APPLY_FAILED,
        ConditionReason.READ_FAILED,
        ConditionReason.LIST_DIFFERS,
        ConditionReason.UNREADABLE_ENTRIES,
        ConditionReason.POOL_FAILED,
        ConditionReason.PASS_FAILED,
        ConditionReason.NOT_READ_YET,
    }
)
_ONLY_RELEASES = frozenset({ConditionReason.TOO_MANY_RELEASES, ConditionReason.INVENTORY_UNKNOWN})
_NOT_BLOCKING = frozenset(
    {
        *_ONLY_RELEASES,
        ConditionReason.INVENTORY_STALE,
        ConditionReason.EVENTS_DISCONNECTED,
        ConditionReason.SETTINGS_REFUSED,
        ConditionReason.DRY_RUN,
        ConditionReason.APPLY_FAILED,
        ConditionReason.RULES_WITHOUT_EFFECT,
        ConditionReason.USERS_NOT_LISTABLE,
        ConditionReason.UNDONE_ELSEWHERE,
        MessageId.SPEC_UNSEEN,
        MessageId.NOT_VERIFIED_LATELY,
    }
)


_COMMON_CONDITIONS = (
    ("InventoryFresh", ConditionReason.INVENTORY_STALE),
    ("EventsConnected", ConditionReason.EVENTS_DISCONNECTED),
    ("SettingsApplied", ConditionReason.SETTINGS_REFUSED),
)
_INTENDED = frozenset({ConditionReason.DRY_RUN, ConditionReason.SUSPENDED, ConditionReason.SERVER_SUSPENDED})
_LATE = 3
_LATE_AT_LEAST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason why a list may be wrong, late or left alone."""

    message: Message = field(metadata={JSON_NAME: "said"})
    object: str
    """The object that shows it, as `Kind namespace/name`."""
    detail: str = ""
    """The condition's own message."""

    @property
    def blocks(self) -> bool:
        """Tells whether no seat can come while this lasts."""
        return self.message.id not in _NOT_BLOCKING

    @property
    def holds_releases(self) -> bool:
        """Tells whether no seat is released while this lasts."""
        return self.message.id in _ONLY_RELEASES

    @property
    def is_intended(self) -> bool:
        """Tells whether an admin set it on purpose. Then it is shown as a note."""
        return self.message.id in _INTENDED


Found = tuple[str, datetime | None, str]
"""A message id, the start of the problem, and the condition's message."""


def problems(snapshot: Snapshot, pool: LicensePool, *, times: TimeFormat) -> tuple[Problem, ...]:
    """Returns all problems of a pool and of its server. Those that only an admin can remove come first."""
    owner, key = snapshot.store.owner_pool(pool.key), snapshot.store.server_of(pool.key)
    server = snapshot.server_of(pool.key)
    values = {"pool": pool.key, "product": pool.spec.product, "owner": owner}
    found = [*_in_pool_spec(pool, owner), *_in_pool_conditions(pool)]
    unreadable = snapshot.store.problem_of(LicenseServer, key)
    if unreadable is not None:
        found.append((ConditionReason.INVALID_SPEC, None, unreadable))
    elif server is None:
        found.append((ConditionReason.SERVER_MISSING, None, ""))
    elif server.spec.mode is Mode.DRY_RUN and pool.spec.mode is not Mode.DRY_RUN:
        found.append((ConditionReason.DRY_RUN, None, ""))
    own = _problems(found, f"LicensePool {pool.key}", times, server=key, **values)
    return (*own, *(server_problems(server, times=times) if server is not None else ()))


def server_problems(server: LicenseServer, *, times: TimeFormat) -> tuple[Problem, ...]:
    """Returns the problems that the server itself shows."""
    interval = format_duration(server.spec.verify_interval)
    found = _in_server(server, times.now)
    return _problems(
        found, f"LicenseServer {server.key}", times, server=server.key, name=server.metadata.name,
        namespace=server.metadata.namespace, interval=interval,
    )  # fmt: skip


def _problems(found: Iterable[Found], shown_by: str, times: TimeFormat, **values: str) -> tuple[Problem, ...]:
    return tuple(
        Problem(message(reason, **values, since=times.format_time(since), detail=detail), shown_by, detail)
        for reason, since, detail in found
    )


def _in_pool_spec(pool: LicensePool, owner: str) -> Iterator[Found]:
    if owner != pool.key:
        yield ConditionReason.DUPLICATE_PRODUCT, None, ""
    if pool.metadata.deletion_timestamp is not None:
        yield ConditionReason.DELETING, None, ""
    if pool.spec.suspend:
        yield ConditionReason.SUSPENDED, None, ""
    if pool.spec.mode is Mode.DRY_RUN:
        yield ConditionReason.DRY_RUN, None, ""


_EXPECTED_TRUE = ("RulesEffective", "UsersListable", "ListEffective")
"""Conditions of a pool that an admin has to hear of if they are false, and that stop no list."""


def _in_pool_conditions(pool: LicensePool) -> Iterator[Found]:
    conflict = condition_of(pool.status.conditions, "Conflict")
    if (
        conflict is not None
        and conflict.status is ConditionStatus.TRUE
        and conflict.reason == ConditionReason.FOREIGN_OWNER
    ):
        yield _found(conflict)
    in_sync = condition_of(pool.status.conditions, "InSync")
    if in_sync is not None and in_sync.status is ConditionStatus.FALSE and in_sync.reason in _LIST_REASONS:
        yield _found(in_sync)
    for kind in _EXPECTED_TRUE:
        condition = condition_of(pool.status.conditions, kind)
        if condition is not None and condition.status is ConditionStatus.FALSE:
            yield _found(condition)
    if pool.status.observed_generation < pool.metadata.generation:
        yield MessageId.SPEC_UNSEEN, None, ""


def _in_server(server: LicenseServer, now: datetime) -> Iterator[Found]:
    if server.spec.suspend:
        yield ConditionReason.SERVER_SUSPENDED, None, ""
    guarded = condition_of(server.status.conditions, "Guarded")
    if guarded is not None and guarded.status is ConditionStatus.TRUE and guarded.reason in _ONLY_RELEASES:
        yield _found(guarded)
    for kind, reason in _COMMON_CONDITIONS:
        condition = condition_of(server.status.conditions, kind)
        if condition is not None and condition.status is ConditionStatus.FALSE and condition.reason == reason:
            yield _found(condition)
    if server.spec.suspend:
        return
    reachable = condition_of(server.status.conditions, "Reachable")
    if reachable is not None and reachable.status is ConditionStatus.FALSE:
        refused = reachable.reason == ConditionReason.NOT_ALLOWED
        reason = ConditionReason.NOT_ALLOWED if refused else ConditionReason.SERVER_UNREACHABLE
        yield reason, reachable.last_transition_time, reachable.message
    elif (verified := server.status.last_verified) is not None and now - verified > max(
        _LATE * server.spec.verify_interval, _LATE_AT_LEAST
    ):
        yield MessageId.NOT_VERIFIED_LATELY, verified, ""


def _found(condition: Condition) -> Found:
    return condition.reason, condition.last_transition_time, condition.message


def condition_of(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """Returns the condition of that type. None: the operator has not written it yet."""
    return next((one for one in conditions if one.type == kind), None)
