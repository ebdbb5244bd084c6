"""Deletes objects of terminated instances after a while. Until then a late event cannot create such an object again."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from seatpool.kube.errors import KubeError
from seatpool.mirror.rate_limited_log import RateLimitedLog
from seatpool.mirror.workbenches.writer import WorkbenchWriter

LONGEST_PAUSE = 15.0
SHORTEST_PAUSE = 0.1


class Tombstones:
    """Deletes objects whose instance has been terminated for `retention`."""

    def __init__(
        self,
        workbenches: WorkbenchWriter,
        *,
        retention: timedelta,
        log: RateLimitedLog,
        clock: Callable[[], datetime],
    ) -> None:
        self._workbenches = workbenches
        self._retention = retention
        self._log = log
        self._clock = clock

    async def run(self) -> None:
        """Sweeps until cancelled, four times in `retention` and at least every 15 seconds."""
        pause = max(SHORTEST_PAUSE, min(LONGEST_PAUSE, self._retention.total_seconds() / 4))
        while True:
            await asyncio.sleep(pause)
            await self.sweep()

    async def sweep(self) -> None:
        """Deletes what is due now. A failure ends the sweep."""
        for entry in self._workbenches.terminated_before(self._clock() - self._retention):
            try:
                await self._workbenches.delete(entry)
            except KubeError as error:
                self._log.warning("tombstone kept", reason=type(error).__name__, error=str(error))
                return
