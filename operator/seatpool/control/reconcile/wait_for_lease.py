"""Waits while this process cannot renew the Lease and has not seen another one hold it.

If the API server refuses access to the Lease, the pause lasts until an admin acts. So the status shows the problem.
"""

import asyncio
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from seatpool.control.leader.leadership import Leadership
from seatpool.domain.errors import SeatpoolError

CHECK_INTERVAL = 0.2
"""Seconds between two checks whether this process leads again."""


async def wait_for_lease(
    leadership: Leadership, *, report: Callable[[str], Awaitable[None]], log: FilteringBoundLogger
) -> None:
    """Waits until this process leads. Calls `report` once for each problem of the Lease."""
    reported: str | None = None
    while not leadership.leads:
        problem = leadership.problem
        if problem is not None and problem != reported:
            reported = problem
            try:
                await report(problem)
            except SeatpoolError as error:
                log.warning("the status does not say that the lease is refused", error=str(error))
        await asyncio.sleep(CHECK_INTERVAL)
