"""Objects of terminated instances stay for a while, so that a late event cannot bring one back to life."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from seatpool.kube.errors import KubeError
from seatpool.mirror.rate_limited_log import SparingLog
from seatpool.mirror.workbenches.writer import WorkbenchObjects

LONGEST_PAUSE = 15.0
SHORTEST_PAUSE = 0.1


class Tombstones:
    """Deletes them when their time is over."""

    def __init__(
        self,
        objects: WorkbenchObjects,
        *,
        retention: timedelta,
        log: SparingLog,
        clock: Callable[[], datetime],
    ) -> None:
        self._objects = objects
        self._retention = retention
        self._log = log
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        pause = max(SHORTEST_PAUSE, min(LONGEST_PAUSE, self._retention.total_seconds() / 4))
        while True:
            await asyncio.sleep(pause)
            await self.sweep()

    async def sweep(self) -> None:
        for entry in self._objects.terminated_before(self._clock() - self._retention):
            try:
                await self._objects.remove(entry)
            except KubeError as error:
                self._log.warning("tombstone kept", reason=type(error).__name__, error=str(error))
                return
