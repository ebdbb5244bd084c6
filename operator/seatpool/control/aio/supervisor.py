"""Runs the background tasks of an operator. If one of them fails, liveness fails: only a restart brings it back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from structlog.typing import FilteringBoundLogger

from seatpool.control.metrics import ControlMetrics


class Supervisor:
    """Starts tasks, records failed ones, and cancels all of them at the end."""

    def __init__(self, *, metrics: ControlMetrics, log: FilteringBoundLogger) -> None:
        self._metrics = metrics
        self._log = log
        self._running: set[asyncio.Task[None]] = set()
        self._failed: dict[str, str] = {}

    @property
    def failed(self) -> Mapping[str, str]:
        """Vital tasks that failed: name -> error."""
        return self._failed

    def start_vital(self, name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Starts a task that has to run as long as the operator. If it fails, liveness fails."""
        return self._start(name, run, vital=True)

    def start_job(self, name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Starts a task that ends by itself. If it fails, that is logged and counted, and liveness holds."""
        return self._start(name, run, vital=False)

    async def cancel_all(self) -> None:
        """Cancels all tasks and waits for their ends."""
        running = tuple(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    def _start(self, name: str, run: Callable[[], Awaitable[None]], *, vital: bool) -> asyncio.Task[None]:
        async def guarded() -> None:
            try:
                await run()
            except Exception as error:  # noqa: BLE001
                self._metrics.restarts.labels(name.split(" of ")[0]).inc()
                self._log.error("a task ended", task=name, exc_info=True)
                if vital:
                    self._failed[name] = f"ended: {type(error).__name__}: {error}"

        task = asyncio.create_task(guarded(), name=f"seatpool {name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
