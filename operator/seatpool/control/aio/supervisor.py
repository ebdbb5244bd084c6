"""The tasks of one operator. One that fails makes liveness fail, because only a restart brings it back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from structlog.typing import FilteringBoundLogger

from seatpool.control.metrics import ControlMetrics


class Supervisor:
    """Starts them, watches over them, and ends them."""

    def __init__(self, *, metrics: ControlMetrics, log: FilteringBoundLogger) -> None:
        self._metrics = metrics
        self._log = log
        self._running: set[asyncio.Task[None]] = set()
        self._dead: dict[str, str] = {}

    @property
    def dead(self) -> Mapping[str, str]:
        """What became of the tasks that should be running and are not, by name."""
        return self._dead

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """A task that has to run as long as the operator does, unless it is cancelled."""
        return self._start(name, run, vital=True)

    def start_once(self, name: str, run: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """A task that has an end, and whose failure is told and nothing else."""
        return self._start(name, run, vital=False)

    async def end(self) -> None:
        """Cancel all of them, and wait for their ends."""
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
                    self._dead[name] = f"ended: {type(error).__name__}: {error}"

        task = asyncio.create_task(guarded(), name=f"seatpool {name}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
