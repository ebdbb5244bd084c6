"""Counts objects of accounts, regions, sources and rules that are no longer configured.

Removing one from the settings releases no user. It may be a mistake, and then a whole department would lose its
seats. The objects stay until they are deleted by hand or the account is configured again.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable

from structlog.typing import FilteringBoundLogger

from seatpool.api.workbench import SourceKind
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.regions import AccountRegion, Place
from seatpool.mirror.workbenches.writer import WorkbenchWriter

INTERVAL = 15.0


class Orphans:
    """Counts orphaned objects every 15 seconds. A changed set of accounts and regions is logged once."""

    def __init__(
        self,
        workbenches: WorkbenchWriter,
        places: Callable[[], Iterable[Place]],
        kinds: Collection[SourceKind],
        *,
        metrics: MirrorMetrics,
        log: FilteringBoundLogger,
    ) -> None:
        self._workbenches = workbenches
        self._places = places
        self._kinds = kinds
        self._metrics = metrics
        self._log = log
        self._logged: tuple[str, ...] = ()

    async def run(self) -> None:
        """Counts every 15 seconds until cancelled."""
        while True:
            self.count()
            await asyncio.sleep(INTERVAL)

    def count(self) -> None:
        """Counts once, and logs the orphans if they changed."""
        served = {place.key for place in self._places()}
        orphaned = [
            entry.stored
            for entry in self._workbenches.entries()
            if AccountRegion(entry.stored.account, entry.stored.region) not in served
            or entry.stored.kind not in self._kinds
        ]
        self._metrics.unlisted_objects.set(len(orphaned))
        names = tuple(sorted({str(AccountRegion(one.account, one.region)) for one in orphaned}))
        if names != self._logged and names:
            self._log.warning(
                "objects of accounts that are not listed", account_regions=names, objects=len(orphaned),
                advice="list the account, source or rule again, or delete its Workbench objects",
            )  # fmt: skip
        self._logged = names
