"""Work that is not to be cut in the middle when the operator stops.

Between asking for a command and noting its id lies the one gap that costs the next process a new revision: a clean stop
lets it close, so that whoever comes next can wait for the command by its id.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class ShieldedTasks:
    """What was begun and is not to be cut."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do it; when the caller is cancelled it goes on without the caller."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    async def settle(self, *, limit: float) -> bool:
        """Wait for what is under way, and cut it after so many seconds; whether all of it came to its end."""
        running = tuple(self._running)
        if not running:
            return True
        _, late = await asyncio.wait(running, timeout=limit)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return not late

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # whoever was cancelled does not ask for it any more
