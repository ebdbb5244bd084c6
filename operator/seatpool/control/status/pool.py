"""Renders the status of a LicensePool from the state of the pool."""

from collections.abc import Sequence
from datetime import datetime

from seatpool.api.conditions import condition, merge
from seatpool.api.licensepool import (
    SHOWN_DIFFERENCE,
    SHOWN_WAITING,
    LicensePool,
    LicensePoolStatus,
    PoolDifference,
    PoolUnlistable,
    PoolWaiting,
)
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.api.reasons import ConditionReason
from seatpool.control.state.pool_state import Failure, PoolState
from seatpool.control.state.server_view import ConditionParts
from seatpool.control.status.condition_parts import parts
from seatpool.control.status.unreadable import SERVER_MEANWHILE
from seatpool.domain.allocation import Allocation
from seatpool.domain.list_hash import list_hash
from seatpool.policy.rule_effects import IneffectiveRule
from seatpool.text import format_names

_ONLY_ADMINS_END = frozenset({ConditionReason.UNREADABLE_ENTRIES, ConditionReason.NOT_ALLOWED})
"""Reasons for which a list that has to be emptied waits until an admin does something."""
SHOWN_UNLISTABLE = 100
SHOWN_WITH_PROBLEM = 5
SHOWN_RULES = 10
"""Rules without effect that are told, at most. A condition's message has at most 2048 characters."""


def pool_status(
    pool: LicensePool,
    state: PoolState,
    *,
    server: LicenseServer | None,
    server_problem: str | None = None,
    owner: LicensePool,
    ineffective: Sequence[IneffectiveRule] = (),
    now: datetime,
) -> LicensePoolStatus:
    """Returns the whole status.

    `server_problem`: why the server cannot be read. `owner`: the pool that manages the list, mostly the pool itself.
    `ineffective`: the pool's rules without effect.
    """
    answer = state.answer
    waiting = () if answer is None else answer.waiting
    in_sync = _in_sync(pool, state, server, server_problem, owner)
    unlistable = _unlistable(pool, state)
    notes = state.observed.notes if state.observed is not None else ()
    conditions = [
        _ready(in_sync),
        _reconciling(in_sync),
        in_sync,
        _saturated(answer),
        _conflict(pool, state, owner),
        _suspended(pool),
        _rules_effective(ineffective),
    ]
    if unlistable or any(one.type == "UsersListable" for one in pool.status.conditions):
        conditions.append(_users_listable(unlistable))
    if notes or any(one.type == "ListEffective" for one in pool.status.conditions):
        conditions.append(_list_effective(notes))
    still = state.observed.still_in_use if state.observed is not None else None
    return LicensePoolStatus(
        observed_generation=pool.metadata.generation,
        seats=pool.spec.seats,
        used=None if answer is None else len(answer.users),
        waiting=None if answer is None else len(waiting),
        oldest_wait=min((one.since for one in waiting), default=None),
        queue=tuple(PoolWaiting(user=one.user, since=one.since, reason=one.reason) for one in waiting[:SHOWN_WAITING]),
        unlistable=unlistable[:SHOWN_UNLISTABLE],
        still_in_use=None if still is None else still[:SHOWN_DIFFERENCE],
        reassignments_used=answer.reassignments_used if answer and pool.spec.max_reassignments else None,
        difference=_difference(pool, state, now),
        list_hash=None if answer is None else list_hash(answer.users),
        revision=state.observed.revision if state.observed is not None and state.in_sync else None,
        seat_lengths=state.durations.summary(pool.status.seat_lengths),
        conditions=merge(
            pool.status.conditions,
            [
                condition(kind, holds, reason.value, message, generation=pool.metadata.generation, now=now)
                for kind, holds, reason, message in conditions
            ],
        ),
    )


def _difference(pool: LicensePool, state: PoolState, now: datetime) -> PoolDifference | None:
    observed, desired = state.observed, state.desired
    if observed is None or desired is None or state.in_sync:
        return None
    missing = sorted(set(desired) - set(observed.users))
    too_many = sorted({*observed.users, *(entry[:128] for entry in observed.odd)} - set(desired))
    before = pool.status.difference
    return PoolDifference(
        add=tuple(missing[:SHOWN_DIFFERENCE]),
        remove=tuple(too_many[:SHOWN_DIFFERENCE]),
        adds=len(missing),
        removes=len(too_many),
        since=now if before is None else before.since,
    )


def _in_sync(
    pool: LicensePool, state: PoolState, server: LicenseServer | None, server_problem: str | None, owner: LicensePool
) -> ConditionParts:
    if owner.key != pool.key:
        return parts("InSync", False, ConditionReason.DUPLICATE_PRODUCT, **_duplicate(pool, owner))
    if server_problem is not None:
        problem = f"LicenseServer {pool.spec.server_ref.name}: {server_problem}"
        return parts("InSync", False, ConditionReason.INVALID_SPEC, problem=problem, meanwhile=SERVER_MEANWHILE)
    if server is None:
        return parts(
            "InSync", False, ConditionReason.SERVER_MISSING,
            server=pool.spec.server_ref.name, namespace=pool.metadata.namespace,
        )  # fmt: skip
    if pool.metadata.deletion_timestamp is not None:
        failure = state.failure
        if failure is not None and failure.reason in _ONLY_ADMINS_END:
            return parts("InSync", False, failure.reason, failure.message)  # only an admin ends it, and so the deletion
        return parts("InSync", False, ConditionReason.DELETING)
    if pool.spec.suspend:
        return parts("InSync", None, ConditionReason.SUSPENDED)
    if server.spec.suspend:
        return parts("InSync", None, ConditionReason.SERVER_SUSPENDED)
    failure = state.failure
    if failure is not None:
        return parts("InSync", False, failure.reason, failure.message)
    if state.observed is None or state.answer is None:
        return parts("InSync", False, ConditionReason.NOT_READ_YET)
    if state.in_sync:
        return parts("InSync", True, ConditionReason.IN_SYNC)
    if Mode.DRY_RUN in (pool.spec.mode, server.spec.mode):
        return parts("InSync", False, ConditionReason.DRY_RUN, **_dry_run(state))
    return parts("InSync", False, ConditionReason.APPLYING)


def _dry_run(state: PoolState) -> dict[str, object]:
    assert state.observed is not None  # noqa: S101
    desired, observed = set(state.desired or ()), set(state.observed.users)
    added, removed = sorted(desired - observed), sorted(observed - desired)
    return {
        "adds": len(added), "add": format_names(added) or "nobody",
        "removes": len(removed), "remove": format_names(removed) or "nobody",
    }  # fmt: skip


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
        return parts("Saturated", False, ConditionReason.SEATS_FREE)
    return parts(
        "Saturated", True, ConditionReason.USERS_WAIT,
        count=len(answer.waiting), users=format_names(one.user for one in answer.waiting),
    )  # fmt: skip


def _conflict(pool: LicensePool, state: PoolState, owner: LicensePool) -> ConditionParts:
    if owner.key != pool.key:
        return parts("Conflict", True, ConditionReason.DUPLICATE_PRODUCT, **_duplicate(pool, owner))
    failure = state.failure
    if isinstance(failure, Failure) and failure.reason is ConditionReason.FOREIGN_OWNER:
        return parts("Conflict", True, failure.reason, failure.message)
    return parts("Conflict", False, ConditionReason.SOLE_CLAIM)


def _duplicate(pool: LicensePool, owner: LicensePool) -> dict[str, object]:
    named = owner.key
    if owner.server_key != pool.server_key:
        named += f" of LicenseServer {owner.server_key}, which names the same machine and state folder"
    return {"product": pool.spec.product, "server": pool.spec.server_ref.name, "owner": named}


def _rules_effective(ineffective: Sequence[IneffectiveRule]) -> ConditionParts:
    if not ineffective:
        return parts("RulesEffective", True, ConditionReason.ALL_EFFECTIVE)
    told = "; ".join(map(str, ineffective[:SHOWN_RULES]))
    more = len(ineffective) - SHOWN_RULES
    rules = f"{told}; and {more} more" if more > 0 else told
    return parts("RulesEffective", False, ConditionReason.RULES_WITHOUT_EFFECT, rules=rules)


def _unlistable(pool: LicensePool, state: PoolState) -> tuple[PoolUnlistable, ...]:
    """Returns the users of the pool who need a seat and whom the server's list cannot have. Without an answer, those known."""
    if state.answer is None:
        return pool.status.unlistable
    return tuple(
        PoolUnlistable(user=user, problem=state.unlistable[user])
        for user in state.answer.denied
        if user in state.unlistable
    )


def _users_listable(unlistable: Sequence[PoolUnlistable]) -> ConditionParts:
    if not unlistable:
        return parts("UsersListable", True, ConditionReason.ALL_LISTABLE)
    told = "; ".join(f"{one.user} ({one.problem})" for one in unlistable[:SHOWN_WITH_PROBLEM])
    more = len(unlistable) - SHOWN_WITH_PROBLEM
    return parts(
        "UsersListable", False, ConditionReason.USERS_NOT_LISTABLE,
        count=len(unlistable), users=f"{told}; and {more} more" if more > 0 else told,
    )  # fmt: skip


def _list_effective(notes: Sequence[str]) -> ConditionParts:
    if not notes:
        return parts("ListEffective", True, ConditionReason.NOTHING_UNDOES_IT)
    told = "; ".join(notes[:SHOWN_RULES])
    more = len(notes) - SHOWN_RULES
    notes_told = f"{told}; and {more} more" if more > 0 else told
    return parts("ListEffective", False, ConditionReason.UNDONE_ELSEWHERE, notes=notes_told)


def _suspended(pool: LicensePool) -> ConditionParts:
    if pool.spec.suspend:
        return parts("Suspended", True, ConditionReason.SUSPENDED)
    return parts("Suspended", False, ConditionReason.ACTIVE)
