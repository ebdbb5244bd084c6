"""Renders the status of a LicenseServer: its revision, the command in flight, its lists and its conditions."""

from datetime import datetime

from seatpool.api.conditions import condition, merge
from seatpool.api.licenseserver import (
    InFlight,
    LicenseServer,
    LicenseServerStatus,
    Mode,
    OperatorStatus,
    ProductState,
)
from seatpool.api.reasons import ConditionReason
from seatpool.control.state.server_view import ConditionParts, ServerView
from seatpool.control.status.condition_parts import parts
from seatpool.domain.list_hash import list_hash


def server_status(
    server: LicenseServer,
    view: ServerView,
    *,
    revision: int,
    holder: str | None,
    operator: OperatorStatus | None,
    in_flight: InFlight | None,
    now: datetime,
) -> LicenseServerStatus:
    """Returns the whole status."""
    before = server.status
    applied = tuple(
        ProductState(
            product=product, hash=list_hash(observed.users), count=len(observed.users), revision=observed.revision
        )
        for product, observed in sorted(view.observed.items())
    )
    if not applied and view.pool_states:
        applied = before.applied  # the lists are being read again
    kinds = [_ready(server, view), _reachable(view), _in_sync(server, view), _guarded(server, view), *view.common]
    return LicenseServerStatus(
        observed_generation=server.metadata.generation,
        revision=revision,
        holder=holder,
        in_flight=in_flight,
        last_applied=view.last_applied or before.last_applied,
        last_verified=view.last_verified or before.last_verified,
        applied=applied,
        users=sum(state.count for state in applied),
        guard=view.guard or before.guard,
        operator=operator or before.operator,
        conditions=merge(
            before.conditions,
            [
                condition(kind, holds, reason.value, message, generation=server.metadata.generation, now=now)
                for kind, holds, reason, message in kinds
            ],
        ),
    )


def _reachable(view: ServerView) -> ConditionParts:
    if view.fault is not None and view.reached is False:
        return parts("Reachable", False, view.fault.reason, view.fault.message)
    if view.reached is None:
        return parts("Reachable", None, ConditionReason.NOT_TRIED_YET)
    return parts("Reachable", True, ConditionReason.REACHABLE)


def _in_sync(server: LicenseServer, view: ServerView) -> ConditionParts:
    if server.spec.suspend:
        return parts("InSync", None, ConditionReason.SERVER_SUSPENDED)
    if view.fault is not None and view.fault.reason is ConditionReason.NOT_ALLOWED:
        return parts("InSync", None, view.fault.reason, view.fault.message)
    if not view.pool_states and view.duplicates:
        named = ", ".join(view.duplicates[:10])
        return parts("InSync", False, ConditionReason.NO_LIST_OF_ITS_OWN, pools=named)
    if not view.pool_states:
        return parts("InSync", True, ConditionReason.NO_POOLS)
    out_of_sync = sorted(key for key, state in view.pool_states.items() if not state.in_sync)
    if not out_of_sync:
        return parts("InSync", True, ConditionReason.IN_SYNC)
    if server.spec.mode is Mode.DRY_RUN:
        return parts("InSync", False, ConditionReason.DRY_RUN)
    late = [key for key in out_of_sync if view.pool_states[key].is_late]
    if late:
        return parts("InSync", False, ConditionReason.OUT_OF_SYNC, pools=", ".join(late[:10]))
    return parts("InSync", True, ConditionReason.LISTS_LEFT_ALONE, pools=", ".join(out_of_sync[:10]))


def _guarded(server: LicenseServer, view: ServerView) -> ConditionParts:
    if view.held is not None:
        return parts("Guarded", True, ConditionReason.TOO_MANY_RELEASES, view.held.message(server))
    if view.uninventoried:
        return parts("Guarded", True, ConditionReason.INVENTORY_UNKNOWN, accounts=", ".join(view.uninventoried))
    return parts("Guarded", False, ConditionReason.WITHIN_LIMITS)


def _ready(server: LicenseServer, view: ServerView) -> ConditionParts:
    if view.pass_failure is not None:
        return parts("Ready", False, view.pass_failure.reason, view.pass_failure.message)
    if view.lease_problem is not None:
        return parts("Ready", False, ConditionReason.LEASE_REFUSED, view.lease_problem)
    _, reached, reason, message = _reachable(view)
    if reached is False:
        return parts("Ready", False, reason, message)
    if view.held is not None:
        return parts("Ready", False, ConditionReason.TOO_MANY_RELEASES, view.held.message(server))
    _, holds, reason, message = _in_sync(server, view)
    if reason in (ConditionReason.DRY_RUN, ConditionReason.SERVER_SUSPENDED):
        return parts("Ready", True, reason, message)
    return parts("Ready", bool(holds), reason, message)
