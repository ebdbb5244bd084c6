"""What a LicenseServer says about itself: the revision that fences its lists, the command under way, and its conditions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seatpool.api.conditions import condition, merge
from seatpool.api.licenseserver import InFlight, LicenseServer, LicenseServerStatus, Mode, ProductState
from seatpool.api.reasons import SENTENCES, ConditionReason
from seatpool.control.state.pool_state import Failure, ObservedList, PoolState
from seatpool.domain.listing import list_hash
from seatpool.policy.guard import HeldChange

ConditionParts = tuple[str, bool | None, ConditionReason, str]
"""A condition's type, whether it holds, why, and in which words."""


@dataclass(slots=True)
class ServerView:
    """What the reconciler knows of its server, beside what the status already says."""

    known: Mapping[str, ObservedList] = field(default_factory=dict)
    standings: Mapping[str, PoolState] = field(default_factory=dict)
    """Of the pools that are applied to it."""
    reached: bool | None = None
    fault: Failure | None = None
    """Why the last command failed as a whole."""
    held: HeldChange | None = None
    lease_problem: str | None = None
    """Why no process may be the leader."""
    uninventoried: tuple[str, ...] = ()
    mirror: tuple[ConditionParts, ...] = ()
    """How current the workbenches are that the lists follow from; the same on every server."""
    last_applied: datetime | None = None
    last_verified: datetime | None = None


def server_status(
    server: LicenseServer,
    view: ServerView,
    *,
    revision: int,
    holder: str | None,
    in_flight: InFlight | None,
    now: datetime,
) -> LicenseServerStatus:
    """The whole status."""
    before = server.status
    applied = tuple(
        ProductState(product=product, hash=list_hash(known.users), count=len(known.users), revision=known.revision)
        for product, known in sorted(view.known.items())
    )
    if not applied and view.standings:
        applied = before.applied  # the lists are being read anew
    kinds = [_ready(server, view), _reachable(view), _in_sync(server, view), _guarded(server, view), *view.mirror]
    return LicenseServerStatus(
        observed_generation=server.metadata.generation,
        revision=revision,
        holder=holder,
        in_flight=in_flight,
        last_applied=view.last_applied or before.last_applied,
        last_verified=view.last_verified or before.last_verified,
        applied=applied,
        users=sum(state.count for state in applied),
        conditions=merge(
            before.conditions,
            [
                condition(kind, holds, reason.value, message, generation=server.metadata.generation, now=now)
                for kind, holds, reason, message in kinds
            ],
        ),
    )


def _parts(kind: str, holds: bool | None, reason: ConditionReason, message: str = "") -> ConditionParts:
    return kind, holds, reason, message or SENTENCES[reason]


def _reachable(view: ServerView) -> ConditionParts:
    if view.fault is not None and view.reached is False:
        return _parts("Reachable", False, view.fault.reason, view.fault.message)
    if view.reached is None:
        return _parts("Reachable", None, ConditionReason.NOT_TRIED_YET)
    return _parts("Reachable", True, ConditionReason.REACHABLE)


def _in_sync(server: LicenseServer, view: ServerView) -> ConditionParts:
    if server.spec.suspend:
        return _parts("InSync", None, ConditionReason.SERVER_SUSPENDED)
    if not view.standings:
        return _parts("InSync", True, ConditionReason.NO_POOLS)
    late = sorted(key for key, standing in view.standings.items() if not standing.in_sync)
    if not late:
        return _parts("InSync", True, ConditionReason.IN_SYNC)
    if server.spec.mode is Mode.DRY_RUN:
        return _parts("InSync", False, ConditionReason.DRY_RUN)
    return _parts("InSync", False, ConditionReason.OUT_OF_SYNC, f"not as they should be: {', '.join(late[:10])}")


def _guarded(server: LicenseServer, view: ServerView) -> ConditionParts:
    if view.held is not None:
        return _parts("Guarded", True, ConditionReason.TOO_MANY_RELEASES, view.held.message(server))
    if view.uninventoried:
        return _parts(
            "Guarded", True, ConditionReason.INVENTORY_UNKNOWN,
            f"{', '.join(view.uninventoried)} has never been inventoried completely; nobody is released until it was",
        )  # fmt: skip
    return _parts("Guarded", False, ConditionReason.WITHIN_LIMITS)


def _ready(server: LicenseServer, view: ServerView) -> ConditionParts:
    if view.lease_problem is not None:
        return _parts("Ready", False, ConditionReason.LEASE_REFUSED, view.lease_problem)
    _, reached, reason, message = _reachable(view)
    if reached is False:
        return _parts("Ready", False, reason, message)
    if view.held is not None:
        return _parts("Ready", False, ConditionReason.TOO_MANY_RELEASES, view.held.message(server))
    _, holds, reason, message = _in_sync(server, view)
    if reason in (ConditionReason.DRY_RUN, ConditionReason.SERVER_SUSPENDED):
        return _parts("Ready", True, reason, message)
    return _parts("Ready", bool(holds), reason, message)
