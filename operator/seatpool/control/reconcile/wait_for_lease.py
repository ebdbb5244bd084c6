"""Sleeps while this process holds the Lease no longer and no other was seen to hold it.

If the API server refuses the Lease by its rights, the pause lasts until a person acts. So the status says that.
"""

import asyncio
from collections.abc import Awaitable, Callable

from structlog.typing import FilteringBoundLogger

from seatpool.control.leader.leadership import Leadership
from seatpool.domain.errors import SeatpoolError

LOOK_INTERVAL = 0.2


async def wait_for_lease(
    leadership: Leadership, *, report: Callable[[str], Awaitable[None]], log: FilteringBoundLogger
) -> None:
    """Returns at once for a leader. `report` is called once with each reason why no process may be the leader."""
    reported: str | None = None
    while not leadership.leads:
        problem = leadership.problem
        if problem is not None and problem != reported:
            reported = problem
            try:
                await report(problem)
            except SeatpoolError as error:
                log.warning("the status does not say that the lease is refused", error=str(error))
        await asyncio.sleep(LOOK_INTERVAL)
