"""What a LicensePool says about itself, made from its standing."""

from datetime import datetime

from seatpool.api.conditions import condition, merge
from seatpool.api.licensepool import (
    SHOWN_DIFFERENCE,
    SHOWN_WAITING,
    LicensePool,
    LicensePoolStatus,
    PoolDifference,
    PoolWaiting,
)
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.api.reasons import SENTENCES, ConditionReason
from seatpool.control.state.pool_state import Failure, PoolState, spoken
from seatpool.domain.allocation import Allocation
from seatpool.domain.listing import list_hash


def pool_status(
    pool: LicensePool, standing: PoolState, *, server: LicenseServer | None, claimant: str, now: datetime
) -> LicensePoolStatus:
    """The whole status."""
    answer = standing.answer
    waiting = () if answer is None else answer.waiting
    in_sync = _in_sync(pool, standing, server, claimant)
    conditions = [
        _ready(in_sync),
        _reconciling(in_sync),
        in_sync,
        _saturated(answer),
        _conflict(pool, standing, claimant),
        _suspended(pool),
    ]
    return LicensePoolStatus(
        observed_generation=pool.metadata.generation,
        seats=pool.spec.seats,
        used=None if answer is None else len(answer.users),
        waiting=None if answer is None else len(waiting),
        oldest_wait=min((one.since for one in waiting), default=None),
        queue=tuple(PoolWaiting(user=one.user, since=one.since, reason=one.reason) for one in waiting[:SHOWN_WAITING]),
        reassignments_used=answer.reassignments_used if answer and pool.spec.max_reassignments else None,
        difference=_difference(pool, standing, now),
        list_hash=None if answer is None else list_hash(answer.users),
        revision=standing.known.revision if standing.known is not None and standing.in_sync else None,
        seat_lengths=standing.lengths.said(pool.status.seat_lengths),
        conditions=merge(
            pool.status.conditions,
            [condition(*parts, generation=pool.metadata.generation, now=now) for parts in conditions],
        ),
    )


def _difference(pool: LicensePool, standing: PoolState, now: datetime) -> PoolDifference | None:
    known, wanted = standing.known, standing.wanted
    if known is None or wanted is None or standing.in_sync:
        return None
    missing = sorted(set(wanted) - set(known.users))
    too_many = sorted({*known.users, *(entry[:128] for entry in known.odd)} - set(wanted))
    before = pool.status.difference
    return PoolDifference(
        add=tuple(missing[:SHOWN_DIFFERENCE]),
        remove=tuple(too_many[:SHOWN_DIFFERENCE]),
        adds=len(missing),
        removes=len(too_many),
        since=now if before is None else before.since,
    )


ConditionParts = tuple[str, bool | None, str, str]


def _parts(kind: str, holds: bool | None, reason: ConditionReason, message: str = "") -> ConditionParts:
    return kind, holds, reason.value, message or SENTENCES[reason]


def _in_sync(pool: LicensePool, standing: PoolState, server: LicenseServer | None, claimant: str) -> ConditionParts:
    if claimant != pool.key:
        return _parts("InSync", False, ConditionReason.ELDER_POOL, _elder_message(pool, claimant))
    if server is None:
        return _parts(
            "InSync", False, ConditionReason.SERVER_MISSING,
            f"spec.serverRef.name: there is no LicenseServer {pool.spec.server_ref.name!r} in namespace "
            f"{pool.metadata.namespace}; create it, or create another pool with the right name",
        )  # fmt: skip
    if pool.metadata.deletion_timestamp is not None:
        return _parts(
            "InSync", False, ConditionReason.DELETING,
            "The list is being emptied because of spec.onDelete: Clear; set it to Retain to delete the pool as it is",
        )  # fmt: skip
    if pool.spec.suspend:
        return _parts("InSync", None, ConditionReason.SUSPENDED)
    if server.spec.suspend:
        return _parts("InSync", None, ConditionReason.SERVER_SUSPENDED)
    trouble = standing.trouble
    if trouble is not None:
        return _parts("InSync", False, trouble.reason, trouble.message)
    if standing.known is None or standing.answer is None:
        return _parts("InSync", False, ConditionReason.NOT_READ_YET)
    if standing.in_sync:
        return _parts("InSync", True, ConditionReason.IN_SYNC)
    if Mode.DRY_RUN in (pool.spec.mode, server.spec.mode):
        return _parts("InSync", False, ConditionReason.DRY_RUN, _dry_run_message(standing))
    return _parts("InSync", False, ConditionReason.APPLYING)


def _dry_run_message(standing: PoolState) -> str:
    assert standing.known is not None  # noqa: S101
    wanted, present = set(standing.wanted or ()), set(standing.known.users)
    added, removed = sorted(wanted - present), sorted(present - wanted)
    return (
        f"DryRun: {len(added)} would be added ({spoken(added) or 'nobody'}), "
        f"{len(removed)} removed ({spoken(removed) or 'nobody'})"
    )


def _ready(in_sync: ConditionParts) -> ConditionParts:
    _, holds, reason, message = in_sync
    if reason in (ConditionReason.DRY_RUN, ConditionReason.SUSPENDED, ConditionReason.SERVER_SUSPENDED):
        return "Ready", True, reason, message
    return "Ready", bool(holds), reason, message


def _reconciling(in_sync: ConditionParts) -> ConditionParts:
    _, _, reason, message = in_sync
    return "Reconciling", reason in (ConditionReason.APPLYING, ConditionReason.NOT_READ_YET), reason, message


def _saturated(answer: Allocation | None) -> ConditionParts:
    if answer is None or not answer.waiting:
        return _parts("Saturated", False, ConditionReason.SEATS_FREE)
    return _parts(
        "Saturated", True, ConditionReason.USERS_WAIT,
        f"{len(answer.waiting)} wait for a seat: {spoken(one.user for one in answer.waiting)}",
    )  # fmt: skip


def _conflict(pool: LicensePool, standing: PoolState, claimant: str) -> ConditionParts:
    if claimant != pool.key:
        return _parts("Conflict", True, ConditionReason.ELDER_POOL, _elder_message(pool, claimant))
    trouble = standing.trouble
    if isinstance(trouble, Failure) and trouble.reason is ConditionReason.FOREIGN_OWNER:
        return _parts("Conflict", True, trouble.reason, trouble.message)
    return _parts("Conflict", False, ConditionReason.SOLE_CLAIM)


def _elder_message(pool: LicensePool, claimant: str) -> str:
    return (
        f"product {pool.spec.product!r} on server {pool.spec.server_ref.name!r} belongs to the elder pool {claimant}; "
        "this pool is not applied. Delete one of the two"
    )


def _suspended(pool: LicensePool) -> ConditionParts:
    if pool.spec.suspend:
        return _parts("Suspended", True, ConditionReason.SUSPENDED)
    return _parts("Suspended", False, ConditionReason.ACTIVE)
