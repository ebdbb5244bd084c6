"""Renders the status of a Workbench from the states of the pools that serve it."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from seatpool.api.conditions import condition, merge
from seatpool.api.reasons import ConditionReason, message
from seatpool.api.workbench import SeatPhase, WorkbenchSeat, WorkbenchStatus
from seatpool.cache.store import WorkbenchView
from seatpool.control.state.pool_state import PoolState
from seatpool.domain.reasons import Reason
from seatpool.text import format_names, format_ordinal


def workbench_status(
    view: WorkbenchView,
    *,
    serving: Iterable[str],
    active: Mapping[str, bool],
    states: Mapping[str, PoolState],
    now: datetime,
) -> WorkbenchStatus:
    """Returns the whole status.

    `serving`: keys of the pools that serve the workbench. `active`: whether the workbench is active for each of them.
    """
    pools = sorted(serving)
    stored = {seat.pool: seat for seat in view.status.seats}
    rendered = (
        _seat(pool, view.user, states.get(pool), active=active.get(pool, False), stored=stored.get(pool))
        for pool in pools
        if view.user is not None
    )
    seats = tuple(seat for seat in rendered if seat is not None)
    ready = _ready(view, seats, served=bool(pools), active=any(active.values()))
    return WorkbenchStatus(
        observed_generation=view.generation,
        user=view.user,
        summary=_summary(view, seats, served=bool(pools), active=any(active.values())),
        seats=seats,
        conditions=merge(view.conditions, [condition("Ready", *ready, generation=view.generation, now=now)]),
    )


def _seat(
    pool: str, user: str, state: PoolState | None, *, active: bool, stored: WorkbenchSeat | None
) -> WorkbenchSeat | None:
    """Returns the owner's seat of one pool. None: there is nothing to show.

    Until the pool has its first answer, the stored seat stays. So a restarted operator does not write every workbench twice,
    and a suspended pool does not look empty.
    """
    undecided = WorkbenchSeat(pool=pool, phase=SeatPhase.WAITING, reason=ConditionReason.UNDECIDED.value)
    if state is None or state.answer is None:
        return stored if stored is not None else (undecided if active else None)
    answer = state.answer
    held = answer.seats.get(user)
    if held is not None and not active:
        return WorkbenchSeat(pool=pool, phase=SeatPhase.RELEASING, since=held.since, reason=held.reason)
    if not active:
        return None
    if held is not None and state.confirmed(user):
        return WorkbenchSeat(pool=pool, phase=SeatPhase.ASSIGNED, since=held.since, reason=held.reason)
    if held is not None:
        return WorkbenchSeat(
            pool=pool, phase=SeatPhase.WAITING, since=held.since, reason=ConditionReason.LIST_PENDING.value
        )
    for waiting in answer.waiting:
        if waiting.user == user:
            return WorkbenchSeat(
                pool=pool,
                phase=SeatPhase.WAITING,
                position=waiting.position,
                since=waiting.since,
                reason=waiting.reason,
            )
    if user in answer.denied:
        return WorkbenchSeat(pool=pool, phase=SeatPhase.DENIED, reason=answer.denial(user).value)
    return undecided


def _ready(
    view: WorkbenchView, seats: tuple[WorkbenchSeat, ...], *, served: bool, active: bool
) -> tuple[bool, str, str]:
    if view.problem is not None:
        return False, *_reason(ConditionReason.INVALID_OWNER, problem=view.problem)
    if not served:
        kind = {"type": view.fact.type, "namespace": view.fact.namespace}
        return False, *_reason(ConditionReason.NO_POOL, **kind)
    if not active:
        return True, *_reason(ConditionReason.INACTIVE)
    missing = _missing(seats)
    refused = [seat for seat in missing if seat.phase is SeatPhase.DENIED]
    pools = {
        ConditionReason.DENIED: [seat.pool for seat in refused if seat.reason != Reason.NOT_LISTABLE],
        ConditionReason.NOT_LISTABLE: [seat.pool for seat in refused if seat.reason == Reason.NOT_LISTABLE],
        ConditionReason.SOME_WAIT: [_waiting_in_words(seat) for seat in missing if seat.phase is not SeatPhase.DENIED],
    }
    told = [_reason(reason, pools=format_names(named)) for reason, named in pools.items() if named]
    if not told:
        return True, *_reason(ConditionReason.ALL_ASSIGNED)
    return False, told[0][0], ". ".join(text for _, text in told)


def _missing(seats: Iterable[WorkbenchSeat]) -> list[WorkbenchSeat]:
    """Returns the seats that the owner misses.

    If the workbench is not active for a pool any more, its seat is being released, and the owner does not miss it.
    """
    return [seat for seat in seats if seat.phase not in (SeatPhase.ASSIGNED, SeatPhase.RELEASING)]


def _waiting_in_words(seat: WorkbenchSeat) -> str:
    return f"{seat.pool} ({seat.reason}{f', position {seat.position}' if seat.position else ''})"


def _summary(view: WorkbenchView, seats: Sequence[WorkbenchSeat], *, served: bool, active: bool) -> str:
    """Returns what `kubectl get` shows: it prints the first value only of a list."""
    if view.problem is not None:
        return "invalid owner"
    if not served:
        return "no pool"
    if not active:
        return "releasing" if seats else "not active"
    wanted = [seat for seat in seats if seat.phase is not SeatPhase.RELEASING]
    missing = _missing(wanted)
    return "; ".join((f"{len(wanted) - len(missing)} of {len(wanted)}", *(_short(view, seat) for seat in missing)))


def _short(view: WorkbenchView, seat: WorkbenchSeat) -> str:
    place = format_ordinal(seat.position) if seat.position else ""
    why = ", ".join(filter(None, (place, seat.reason)))
    return f"{seat.pool.removeprefix(f'{view.metadata.namespace}/')}: {why}"


def _reason(reason: ConditionReason, **values: object) -> tuple[str, str]:
    return reason.value, message(reason, **values)
