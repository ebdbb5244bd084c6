"""Failures of a server or of one product, and their end: recorded once, told once, and tried again later.

A product's failure never stops the others. The server's stops them all, and is one fact and not many.

A failure ends by a success of the same kind of work. A list that was read says nothing of a command that could not write it.
"""

from datetime import timedelta

from seatpool.api.base import format_duration
from seatpool.api.licensepool import LicensePool
from seatpool.api.reasons import ConditionReason, message
from seatpool.backoff import NEVER_FAILED
from seatpool.control.reconcile.pacing import Work
from seatpool.control.reconcile.transition import Transition
from seatpool.control.sinks.facts import (
    ForeignOwnerFound,
    ListFailed,
    ListRecovered,
    ServerRecovered,
    ServerUnreachable,
)
from seatpool.control.state.moment import Moment
from seatpool.control.state.pool_state import Failure
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.errors import CommandFault, TransportError


def is_unaskable(error: SeatpoolError) -> bool:
    """Whether nothing is known of the command, because the question for its result was not answered."""
    return isinstance(error, TransportError) and error.is_unanswered


_WORK_OF = {
    ConditionReason.READ_FAILED: Work.READ,
    ConditionReason.FOREIGN_OWNER: Work.READ,
    ConditionReason.UNREADABLE_ENTRIES: Work.READ,
    ConditionReason.APPLY_FAILED: Work.WRITE,
    ConditionReason.LIST_DIFFERS: Work.WRITE,
    ConditionReason.PARTLY_APPLIED: Work.WRITE,
    ConditionReason.POOL_FAILED: Work.DECIDE,
}
"""The work whose success ends a pool's failure. The others end with the pass or with an answer of the server."""
_LATE_REASONS = {Work.READ: ConditionReason.READ_FAILED, Work.WRITE: ConditionReason.APPLY_FAILED}


def command_failed(to: Transition, error: SeatpoolError, products: tuple[str, ...], work: Work, at: Moment) -> None:
    """Records that a command as a whole failed.

    If it was killed at its time limit, a product of it hangs, and it is not known which one: they are sent in half the
    company. One that was alone is known, and the server is not to blame, unless the command before was killed as well.
    """
    if not products or not isinstance(error, TransportError) or not error.is_overrun:
        server_failed(to, error, work, at)
        return
    to.change(overruns=to.state.overruns + 1)
    if len(products) > 1:
        for product in products:
            to.product_late(product, work, company=len(products) // 2)
        server_failed(to, error, work, at)
        return
    if to.state.overruns > 1:
        server_failed(to, error, work, at)
    pool = to.state.find_pool(products[0])
    if pool is not None:
        reason = _LATE_REASONS[work]
        product_hung(to, pool, reason, message(reason, product=products[0], detail=error), at)


def server_failed(to: Transition, error: SeatpoolError, work: Work, at: Moment) -> None:
    """Records that a license server does not do its work."""
    retry = to.state.server_retry.failed(monotonic=at.monotonic, jitter=at.jitter)
    reason = (error.reason if isinstance(error, TransportError) else CommandFault.BAD_OUTPUT).value
    if to.state.view.reached is not False:
        to.facts.append(ServerUnreachable(server=to.state.server, reason=reason, message=str(error)))
    pause = format_duration(timedelta(seconds=round(retry.remaining(at.monotonic))))
    to.change(server_retry=retry, failed_work=work)
    text = message(ConditionReason.SERVER_UNREACHABLE, fault=reason, error=error)
    to.change_view(reached=False, fault=Failure(ConditionReason.SERVER_UNREACHABLE, f"{text}; next try in {pause}"))
    for pool in to.state.pools:
        if to.pool_state(pool).failure is None:
            to.change_pool(pool, failure=Failure(ConditionReason.SERVER_UNREACHABLE, text))


def server_answered(to: Transition, work: Work) -> None:
    """Records that a command came to its end. Reading does not end what a command that writes has failed with."""
    to.change(overruns=0)
    if to.state.failed_work is Work.WRITE and work is Work.READ:
        return
    if to.state.view.reached is False:
        to.facts.append(ServerRecovered(server=to.state.server))
    to.change(server_retry=NEVER_FAILED, failed_work=None)
    to.change_view(reached=True, fault=None)


def server_refused(to: Transition, why: str | None) -> None:
    """Records whether the operator's settings allow the server; `why` None: they do."""
    was_refused = to.state.refused is not None
    to.change(refused=why)
    if why is not None:
        failure = Failure(ConditionReason.NOT_ALLOWED, message(ConditionReason.NOT_ALLOWED, problem=why))
        if not was_refused:
            reason = CommandFault.NOT_ALLOWED.value
            to.facts.append(ServerUnreachable(server=to.state.server, reason=reason, message=why))
        to.change_view(reached=False, fault=failure)
        for pool in to.state.pools:
            to.change_pool(pool, failure=failure)
    elif was_refused:
        begin_anew(to)


def begin_anew(to: Transition) -> None:
    """Forgets what failed. A server that could not be reached says so until its next command, which follows at once."""
    to.forget_failures()
    to.change(server_retry=NEVER_FAILED, failed_work=None, overruns=0, last_verified=None)
    is_tried_now = to.state.pools and not to.state.server.spec.suspend
    if to.state.view.reached is not False or not is_tried_now:
        to.change_view(reached=None, fault=None)


def product_failed(to: Transition, pool: LicensePool, reason: ConditionReason, text: str, at: Moment) -> None:
    """Records that one list is not as it should be; the others go on."""
    to.product_failed(pool.spec.product, _WORK_OF[reason], at)
    _record(to, pool, Failure(reason, text))


def product_hung(to: Transition, pool: LicensePool, reason: ConditionReason, text: str, at: Moment) -> None:
    """Records that the time limit was too short for one product alone; it is tried again with long pauses."""
    to.product_hung(pool.spec.product, _WORK_OF[reason], at)
    _record(to, pool, Failure(reason, text))


def product_is_foreign(to: Transition, pool: LicensePool, owner: str, revision: int) -> None:
    """Records that another installation owns the list."""
    text = message(
        ConditionReason.FOREIGN_OWNER, product=pool.spec.product, owner=owner, revision=revision,
        installation=to.state.installation, server=pool.spec.server_ref.name, namespace=pool.metadata.namespace,
    )  # fmt: skip
    known = to.pool_state(pool).failure
    if known is None or known.reason is not ConditionReason.FOREIGN_OWNER:
        to.facts.append(ForeignOwnerFound(pool=pool, message=text))
    to.change_pool(pool, failure=Failure(ConditionReason.FOREIGN_OWNER, text))


def product_unreadable(to: Transition, pool: LicensePool, text: str) -> None:
    """Records that a list has entries that are no user ids. Only an admin ends that, so nothing is tried again."""
    _record(to, pool, Failure(ConditionReason.UNREADABLE_ENTRIES, text))


def pool_failed(to: Transition, pool: LicensePool, problem: str, at: Moment) -> None:
    """Records that a pool cannot be computed or stored; the others go on."""
    to.product_failed(pool.spec.product, Work.DECIDE, at)
    _record(to, pool, Failure(ConditionReason.POOL_FAILED, message(ConditionReason.POOL_FAILED, problem=problem)))


def pass_failed(to: Transition, problem: str) -> None:
    """Records that a pass failed: what the statuses said before is not known to be true any more."""
    failure = Failure(ConditionReason.PASS_FAILED, message(ConditionReason.PASS_FAILED, problem=problem))
    to.change_view(pass_failure=failure)
    for pool in to.state.pools:
        if to.pool_state(pool).failure is None:
            to.change_pool(pool, failure=failure)


def pass_succeeded(to: Transition) -> None:
    """Records that a pass came to its end."""
    to.change_view(pass_failure=None)
    for pool in to.state.pools:
        failure = to.pool_state(pool).failure
        if failure is not None and failure.reason is ConditionReason.PASS_FAILED:
            to.change_pool(pool, failure=None)


def _record(to: Transition, pool: LicensePool, failure: Failure) -> None:
    known = to.pool_state(pool).failure
    if known is None or known.reason is not failure.reason:
        to.facts.append(ListFailed(pool=pool, reason=failure.reason, message=failure.message))
    to.change_pool(pool, failure=failure)


def list_is_partial(to: Transition, pool: LicensePool, text: str) -> None:
    """Records that a part of a list's change is made. The rest follows at once, so it is no failure of the product."""
    to.change_pool(pool, failure=Failure(ConditionReason.PARTLY_APPLIED, text))


def product_recovered(to: Transition, pool: LicensePool, *works: Work) -> None:
    """Records that these kinds of work succeeded: a failure of one of them is over."""
    for work in works:
        to.product_succeeded(pool.spec.product, work)
    known = to.pool_state(pool).failure
    if known is not None and _WORK_OF.get(known.reason) in works:
        if known.reason is not ConditionReason.PARTLY_APPLIED:
            to.facts.append(ListRecovered(pool=pool))
        to.change_pool(pool, failure=None)


def end_what_is_over(to: Transition, pool: LicensePool) -> None:
    """Drops a failure that the present state contradicts, however it was mended."""
    state = to.pool_state(pool)
    if state.failure is None:
        return
    reason = state.failure.reason
    if reason is ConditionReason.SERVER_UNREACHABLE and to.state.view.reached:
        to.change_pool(pool, failure=None)
    elif (
        reason in (ConditionReason.APPLY_FAILED, ConditionReason.LIST_DIFFERS, ConditionReason.PARTLY_APPLIED)
        and state.in_sync
        and not to.is_in_doubt(pool.spec.product)
    ):
        product_recovered(to, pool, Work.READ, Work.WRITE)
