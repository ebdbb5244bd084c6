"""The inventories of all accounts and regions at once, and which of them there are while the settings change.

At most so many are taken at the same time: a hundred regions must not become a hundred answers in memory. One that
fails or hangs waits by itself; the others go on.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from seatpool.mirror.ec2.inventory import Inventory
from seatpool.mirror.regions import Source


@dataclass(frozen=True, slots=True)
class _Running:
    source: Source
    inventory: Inventory
    task: asyncio.Task[None]


class Inventories:
    """One task for each region of each account that may be asked."""

    def __init__(
        self, make: Callable[[Source], Inventory], run: Callable[[Inventory], Coroutine[Any, Any, None]]
    ) -> None:
        self._make = make
        self._run = run
        self._running: dict[tuple[str, str], _Running] = {}

    def serve(self, sources: Iterable[Source]) -> None:
        """Take inventories of these and no others; those that are as before go on undisturbed."""
        wanted = {source.place: source for source in sources if source.inventory}
        for place, running in list(self._running.items()):
            if wanted.get(place) != running.source:
                running.task.cancel()
                del self._running[place]
        for place, source in wanted.items():
            if place not in self._running:
                inventory = self._make(source)
                task = asyncio.create_task(self._run(inventory), name=f"inventory {source}")
                self._running[place] = _Running(source, inventory, task)

    def wake(self) -> None:
        """Take all of them now."""
        for running in self._running.values():
            running.inventory.wake()

    async def all_tried(self) -> None:
        """Until each was taken once, whatever came of it."""
        for running in list(self._running.values()):
            await running.inventory.tried.wait()

    async def close(self) -> None:
        tasks = [running.task for running in self._running.values()]
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
