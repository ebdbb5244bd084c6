"""From standing by to leading.

A process that stands by watches everything and writes nothing. What it has in memory makes the change quick, and decides
nothing: everything is listed once more, statuses and memories are read as at any start, and the lists on the license servers too.
Only EC2 is not waited for, when the one before had asked it for everything and was seen alive: its Workbench objects
are as new as its last breath.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLeading:
    """Of one process, once."""

    parts: Components
    leadership: Leadership
    readiness: Readiness
    tasks: Supervisor
    observed: frozenset[str] | None
    """Namespaces whose objects the mirror was shown; None is all of them."""
    rng: random.Random
    log: FilteringBoundLogger

    async def run(self) -> None:
        """Wait for the leadership, and begin everything that is the leader's to do."""
        await self.leadership.taken.wait()
        self.parts.reactions.attach()
        self.leadership.on_pause = self.parts.reactions.wake_all
        if self.parts.seat_signal is not None:
            self.parts.seat_signal.attach()
        await self.readiness.listed.wait()
        if self.leadership.is_elected:
            await retry_until_answered(self.parts.audit.catch_up, rng=self.rng, log=self.log)
        self._start()
        if not self.leadership.is_warm:
            await self._wait_for_inventory()
        self.readiness.may_write.set()
        self.log.info("ready", uninventoried=list(self.parts.mirror.unknown_sources()))

    def _start(self) -> None:
        parts, start = self.parts, self.tasks.start
        start("mirror", lambda: parts.mirror.run(observed=self.observed))
        start("mirror watch", parts.mirror_watch.run)
        start("recorder", parts.recorder.run)
        start("outbox", parts.outbox.run)
        if (chronicle := parts.chronicle) is not None:
            start("history", chronicle.recording.run)
            start("history of what is open", lambda: chronicle.keep_seeing(self.readiness.may_write))
        start("pool statuses", parts.pool_statuses.run)
        start("workbench statuses", parts.workbench_statuses.run)

    async def _wait_for_inventory(self) -> None:
        """Nothing is decided from half a picture, but neither does one region that hangs stop everybody for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FIRST_INVENTORY_LIMIT):
                await self.parts.mirror.ready.wait()
