"""Objects of accounts and regions that are not listed any more.

Taking an account out of the settings releases nobody: it may as well be a slip, and then a whole department would lose
its seats. The objects stay as they are and are counted, until somebody deletes them or lists the account again.
"""

import asyncio

from structlog.typing import FilteringBoundLogger

from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.regions import Sources
from seatpool.mirror.workbenches.writer import WorkbenchObjects

INTERVAL = 15.0


class Unlisted:
    """Counts them now and then."""

    def __init__(
        self, objects: WorkbenchObjects, sources: Sources, *, metrics: MirrorMetrics, log: FilteringBoundLogger
    ) -> None:
        self._objects = objects
        self._sources = sources
        self._metrics = metrics
        self._log = log
        self._told: tuple[str, ...] = ()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.count()
            await asyncio.sleep(INTERVAL)

    def count(self) -> None:
        listed = {source.place for source in self._sources}
        others = [place for place in self._objects.places() if place not in listed]
        self._metrics.unlisted_objects.set(len(others))
        names = tuple(sorted({"/".join(place) for place in others}))
        if names != self._told and names:
            self._log.warning(
                "objects of accounts that are not listed", places=names, objects=len(others),
                advice="list the account again, or delete its Workbench objects",
            )  # fmt: skip
        self._told = names
