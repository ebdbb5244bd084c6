"""What a reconciler does while its process holds the Lease no longer, and nobody else was seen to hold it: nothing.

Only when the API server refuses the Lease by its rights, a pause that lasts until a person acts, the status says so.
"""

import asyncio

from seatpool.control.reconcile.server_state import Desk
from seatpool.domain.errors import SeatpoolError

LOOK_INTERVAL = 0.2


async def wait_until_leading(desk: Desk) -> None:
    """Return at once for a leader."""
    leadership, told = desk.around.leadership, None
    while not leadership.leads:
        problem = leadership.problem
        if problem is not None and problem != told:
            try:
                await _tell(desk, problem)
                told = problem
            except SeatpoolError as error:
                desk.log.warning("the status does not say that the lease is refused", error=str(error))
                told = problem
        await asyncio.sleep(LOOK_INTERVAL)
    desk.view.lease_problem = None


async def _tell(desk: Desk, problem: str) -> None:
    opened = await desk.book.open()
    if opened is None:
        return
    server, foreign = opened
    if foreign:
        return  # somebody leads after all
    desk.look_round(server)
    desk.view.lease_problem = problem
    await desk.book.settle(desk.view, doubted=desk.forced)
