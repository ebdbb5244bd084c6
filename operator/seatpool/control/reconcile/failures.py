"""What goes wrong with a server or with one product, and that it is well again: noted, told once, and tried again later.

One product's trouble never stops the others; the server's stops them all, and is one piece of news and not many.
"""

from datetime import timedelta

from seatpool.api.annotations import TAKE_OVER
from seatpool.api.base import format_duration
from seatpool.api.licensepool import LicensePool
from seatpool.api.reasons import ConditionReason
from seatpool.control.reconcile.server_state import Desk
from seatpool.control.state.pool_state import Failure
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.errors import CommandFault, TransportError

UNASKABLE = frozenset(
    {CommandFault.THROTTLED, CommandFault.ACCESS_DENIED, CommandFault.NO_CREDENTIALS, CommandFault.UNREACHABLE}
)
"""Faults of asking: the command itself may be well, and is asked for again."""


def is_unaskable(error: SeatpoolError) -> bool:
    """Whether nothing is known of the command, because the question was not answered."""
    return isinstance(error, TransportError) and error.reason in UNASKABLE


def server_failed(desk: Desk, error: SeatpoolError) -> None:
    """A command as a whole failed."""
    desk.backoffs.server.failed()
    reason = error.reason if isinstance(error, TransportError) else CommandFault.BAD_OUTPUT
    pause = format_duration(timedelta(seconds=round(desk.backoffs.server.remaining())))
    if desk.view.reached is not False:
        desk.around.announcer.server_unreachable(desk.server, reason.value, str(error))
        desk.log.warning("the license server cannot be reached", reason=reason, error=str(error))
    desk.view.reached = False
    desk.view.fault = Failure(ConditionReason.SERVER_UNREACHABLE, f"{reason.value}: {error}; next try in {pause}")
    for key, standing in desk.view.standings.items():
        if standing.trouble is None:
            standing.trouble = Failure(ConditionReason.SERVER_UNREACHABLE, f"{reason.value}: {error}")
            desk.around.announcer.pool(key)


def server_answered(desk: Desk) -> None:
    """A command came to its end."""
    if desk.view.reached is False:
        desk.around.announcer.server_recovered(desk.server)
        desk.log.info("the license server answers again")
    desk.view.reached, desk.view.fault = True, None
    desk.backoffs.server.succeeded()


def product_failed(desk: Desk, pool: LicensePool, reason: ConditionReason, message: str) -> None:
    """One list is not as it should be; the others go on."""
    standing = desk.standing(pool)
    desk.backoffs.failed(pool.spec.product)
    if standing.trouble is None or standing.trouble.reason is not reason:
        desk.around.announcer.apply_failed(pool, message)
        desk.log.warning("a list is not as it should be", pool=pool.key, reason=reason, message=message)
    standing.trouble = Failure(reason, message)
    desk.around.announcer.pool(pool.key)


def product_is_foreign(desk: Desk, pool: LicensePool, owner: str) -> None:
    """Another installation owns the list."""
    standing = desk.standing(pool)
    message = (
        f"the list of product {pool.spec.product!r} on the license server belongs to installation {owner}, ours is "
        f"{desk.around.installation}; nothing is written. To take it over: kubectl annotate --overwrite "
        f"licenseserver/{pool.spec.server_ref.name} -n {pool.metadata.namespace} {TAKE_OVER}={owner}"
    )
    if standing.trouble is None or standing.trouble.reason is not ConditionReason.FOREIGN_OWNER:
        desk.around.announcer.foreign_owner(pool, message)
    standing.trouble = Failure(ConditionReason.FOREIGN_OWNER, message)
    desk.around.announcer.pool(pool.key)


def product_recovered(desk: Desk, pool: LicensePool) -> None:
    """The list is as it should be, or can be read again."""
    standing = desk.standing(pool)
    desk.backoffs.succeeded(pool.spec.product)
    if standing.trouble is not None and standing.trouble.reason is not ConditionReason.SERVER_UNREACHABLE:
        desk.around.announcer.list_recovered(pool)
    standing.trouble = None
    desk.around.announcer.pool(pool.key)


def end_what_is_over(desk: Desk, pool: LicensePool) -> None:
    """Drop a trouble that the present state contradicts, whoever mended it."""
    standing = desk.standing(pool)
    if standing.trouble is None:
        return
    reason = standing.trouble.reason
    if reason is ConditionReason.SERVER_UNREACHABLE and desk.view.reached:
        standing.trouble = None
        desk.around.announcer.pool(pool.key)
    elif (
        reason in (ConditionReason.APPLY_FAILED, ConditionReason.LIST_DIFFERS)
        and standing.in_sync
        and pool.spec.product not in desk.forced
    ):
        product_recovered(desk, pool)
