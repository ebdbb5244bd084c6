"""Turns a standby into the leader.

A standby watches everything and writes nothing. Its memory makes the change quick, and decides nothing: all objects are listed
again, and statuses, ledgers and lists are read as at any start.

The inventory of EC2 is not waited for if the previous leader was seen alive and had made one. Its Workbench objects are then
as new as its last renewal.
"""

import asyncio
import contextlib
import random
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from seatpool.control.aio.supervisor import Supervisor
from seatpool.control.leader.leadership import Leadership
from seatpool.control.runtime.builder import Components
from seatpool.control.runtime.health import Readiness
from seatpool.kube.retry import retry_until_answered

FIRST_INVENTORY_LIMIT = 60.0
"""Seconds to wait for the first inventory. One region that hangs must not stop all others for ever."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLeading:
    """Starts the components that only a leader runs, once in a process."""

    components: Components
    leadership: Leadership
    readiness: Readiness
    supervisor: Supervisor
    watched_namespaces: frozenset[str] | None
    """Namespaces whose objects the mirror receives. None: all."""
    rng: random.Random
    log: FilteringBoundLogger

    async def run(self) -> None:
        """Waits until this process leads, and starts the components."""
        components = self.components
        await self.leadership.acquired.wait()
        components.controller.start()
        components.merged_owners.start()
        self.leadership.subscribe_pause(components.controller.wake_all)
        if components.seat_tags is not None:
            components.seat_tags.start()
        if components.seat_notes is not None:
            components.seat_notes.start()
        await self.readiness.listed.wait()
        if self.leadership.is_elected:
            await retry_until_answered(components.resync.refresh_all, rng=self.rng, log=self.log)
        self._start_tasks()
        if not self.leadership.is_warm:
            await self._wait_for_inventory()
        self.readiness.may_write.set()
        self.log.info("ready", uninventoried=list(components.mirror.unknown_regions()))

    def _start_tasks(self) -> None:
        components, start = self.components, self.supervisor.start_vital
        start("mirror", lambda: components.mirror.run(observed=self.watched_namespaces))
        start("mirror health", components.mirror_health.run)
        start("recorder", components.recorder.run)
        start("outbox", components.outbox.run)
        if (history := components.history) is not None:
            start("history", history.recording.run)
            start("history of what is open", lambda: history.run_note_open(self.readiness.may_write))
        start("pool statuses", components.pool_statuses.run)
        start("workbench statuses", components.workbench_statuses.run)
        start("server statuses", components.server_statuses.run)

    async def _wait_for_inventory(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_INVENTORY_LIMIT):
                await self.components.mirror.ready.wait()
