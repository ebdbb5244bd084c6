"""Renews a Lease that tells that this process is alive, where there is no election whose Lease would tell it.

It decides nothing: whoever reads it only sees how long ago the process last wrote. It has a name of its own, so that it cannot
take the Lease of an election from its holder.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from seatpool.control.leader.lease import from_wire, with_holder, without_holder
from seatpool.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from seatpool.kube.leases import LeaseObject

SUFFIX = "-alive"
INTERVAL = 5.0
"""Seconds between two renewals."""
DURATION = 10.0
"""Seconds for which a renewal counts, as the Lease says."""
LIMIT = 2.0
"""Seconds for one request."""


class AliveLease:
    """Writes the Lease until it is released."""

    def __init__(
        self, lease: LeaseObject, *, identity: str, clock: Callable[[], datetime], log: FilteringBoundLogger
    ) -> None:
        self._object = lease
        self._identity = identity
        self._clock = clock
        self._log = log.bind(lease=str(lease))
        self._refused = False

    async def run(self) -> None:
        """Renews the Lease until cancelled. A refusal is logged once and stops nothing."""
        while True:
            try:
                async with asyncio.timeout(LIMIT):
                    await self._renew()
            except (AlreadyExists, Conflict, NotFound):
                pass  # another process wrote it: the next renewal reads it again
            except (KubeError, TimeoutError) as error:
                if not self._refused:
                    self._log.warning(
                        "nobody can see that this process is alive: the lease is refused", error=str(error)
                    )
                self._refused = True
            else:
                self._refused = False
            await asyncio.sleep(INTERVAL)

    async def release(self) -> None:
        """Says in the Lease that the process has stopped."""
        try:
            async with asyncio.timeout(LIMIT):
                raw = await self._object.read()
                lease = None if raw is None else from_wire(raw)
                if lease is not None and lease.holder == self._identity:
                    ended = without_holder(lease, at=self._clock())
                    await self._object.replace(dict(ended.metadata), spec=ended.to_wire())
        except (KubeError, TimeoutError) as error:
            self._log.warning("the lease does not say that this process has stopped", error=str(error))

    async def _renew(self) -> None:
        raw = await self._object.read()
        renewed = with_holder(
            None if raw is None else from_wire(raw), identity=self._identity, at=self._clock(), duration=DURATION,
            inventoried=False,
        )  # fmt: skip
        if raw is None:
            await self._object.create(annotations={}, spec=renewed.to_wire())
        else:
            await self._object.replace(dict(renewed.metadata), spec=renewed.to_wire())
