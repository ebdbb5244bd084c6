"""Deletes objects of terminated instances after a while. Until then a late event cannot create such an object again.

Where EC2 may not be asked, the object is the only memory that the instance has ended. So there it stays for as long as an
event may be late.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta

from seatpool.api.workbench import SourceKind
from seatpool.kube.errors import KubeError
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.rate_limited_log import RateLimitedLog
from seatpool.mirror.regions import AccountRegion, ServedRegions
from seatpool.mirror.workbenches.entry import Entry
from seatpool.mirror.workbenches.writer import WorkbenchWriter

LONGEST_PAUSE = 15.0
SHORTEST_PAUSE = 0.1


class Tombstones:
    """Deletes objects whose instance has been terminated for `terminated_retention`."""

    def __init__(
        self,
        workbenches: WorkbenchWriter,
        regions: ServedRegions,
        *,
        config: MirrorConfig,
        log: RateLimitedLog,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._workbenches = workbenches
        self._regions = regions
        self._config = config
        self._log = log
        self._monotonic = monotonic

    async def run(self) -> None:
        """Sweeps until cancelled, four times in `terminated_retention` and at least every 15 seconds."""
        pause = max(SHORTEST_PAUSE, min(LONGEST_PAUSE, self._config.terminated_retention.total_seconds() / 4))
        while True:
            await asyncio.sleep(pause)
            await self.sweep()

    async def sweep(self) -> None:
        """Deletes what is due now. A failure ends the sweep."""
        now = self._monotonic()
        for entry in self._workbenches.terminated():
            if entry.terminated_since is None or now - entry.terminated_since < self._retention(entry).total_seconds():
                continue
            try:
                await self._workbenches.delete(entry)
            except KubeError as error:
                self._log.warning("tombstone kept", reason=type(error).__name__, error=str(error))
                return

    def _retention(self, entry: Entry) -> timedelta:
        served = self._regions.find(AccountRegion(entry.stored.account, entry.stored.region))
        if entry.stored.kind is SourceKind.KUBERNETES or (served is not None and served.inventory):
            return self._config.terminated_retention
        return max(self._config.terminated_retention, self._config.max_event_delay)
