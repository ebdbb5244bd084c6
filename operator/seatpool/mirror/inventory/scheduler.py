"""Runs one inventory task for each place, also while the settings change.

A semaphore limits how many inventories run at the same time. Otherwise a hundred regions would put a hundred answers
into memory. An inventory that fails or hangs does not delay the others.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any

from seatpool.mirror.inventory.inventory import Inventory
from seatpool.mirror.regions import AccountRegion, Place


@dataclass(frozen=True, slots=True)
class _Running:
    served: Place
    inventory: Inventory
    task: asyncio.Task[None]


class InventoryScheduler:
    """One task for each place that may be asked."""

    def __init__(
        self, make: Callable[[Place], Inventory], run: Callable[[Inventory], Coroutine[Any, Any, None]]
    ) -> None:
        self._make = make
        self._run = run
        self._running: dict[AccountRegion, _Running] = {}

    def set_regions(self, regions: Iterable[Place]) -> None:
        """Starts and ends tasks so that exactly these regions have one. Unchanged regions keep their task."""
        wanted = {served.key: served for served in regions if served.inventory}
        for key, running in list(self._running.items()):
            if wanted.get(key) != running.served:
                running.task.cancel()
                del self._running[key]
        for key, served in wanted.items():
            if key not in self._running:
                inventory = self._make(served)
                task = asyncio.create_task(self._run(inventory), name=f"inventory {served}")
                self._running[key] = _Running(served, inventory, task)

    def trigger_all(self) -> None:
        """Starts every inventory now."""
        for running in self._running.values():
            running.inventory.trigger()

    async def wait_until_tried(self) -> None:
        """Waits until each inventory ran once, with any result."""
        for running in list(self._running.values()):
            await running.inventory.tried.wait()

    async def close(self) -> None:
        """Cancels all tasks and waits for their end."""
        tasks = [running.task for running in self._running.values()]
        self._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
