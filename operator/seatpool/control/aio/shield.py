"""Runs a coroutine to its end even if the operator is stopping.

The gap between sending a command and recording its id costs the next process a new revision. A clean stop lets it close.
Then the next process can wait for the command by its id.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class ShieldedTasks:
    """Tasks that a cancelled caller does not cancel."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run_to_end(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs the coroutine and returns its result. If the caller is cancelled, the coroutine goes on without it."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def drain(self, *, limit: float) -> bool:
        """Waits for all tasks and cancels them after `limit` seconds. Returns whether all of them ended by themselves."""
        running = tuple(self._running)
        if not running:
            return True
        _, late = await asyncio.wait(running, timeout=limit)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return not late

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # a cancelled caller never asks for it, and asyncio would log it as not retrieved
