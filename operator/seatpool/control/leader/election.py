"""Which of several processes leads: the one that holds a Lease, renewed for as long as it works.

The `kubernetes` package has an election (`kubernetes.aio.leaderelection`), and it is not used. Tried in 37.0.1: it cannot
create a Lease (a ValidationError for its own argument `pretty`); an API server that refuses connections makes its `run` raise,
while the work that it had started goes on without any Lease; a renewal that hangs is never cut, and the work goes on then too;
local time is written as UTC. Read there: the wall clock decides, so that a step back makes an expired Lease valid; a clean
stop gives nothing back, so the next leader waits the whole Lease out; and a candidate goes by its own duration, not the holder's.

Here a leader that cannot renew is not deposed by that. It pauses by its own clock, and when the API server answers again a
compare-and-swap on its last version tells whether anybody held the Lease meanwhile: if not, it goes on where it was.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from seatpool.control.leader.leadership import Leadership, uptime
from seatpool.control.leader.lease import Lease, Sighting, from_wire, look, released, seconds_left, taken
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import Body
from seatpool.kube.errors import AlreadyExists, Conflict, Forbidden, KubeError, NotFound
from seatpool.kube.leases import LeaseObject
from seatpool.settings.settings import LeaderElectionSettings

LOOK_INTERVAL = 1.0
"""Seconds between two looks at somebody else's Lease; reading is cheap, and a Lease given back is seen by the next one."""
RELEASE_LIMIT = 2.0


class Election:
    """One process' part in it."""

    def __init__(
        self,
        lease: LeaseObject,
        leadership: Leadership,
        *,
        me: str,
        settings: LeaderElectionSettings,
        inventoried: Callable[[], bool],
        metrics: ControlMetrics,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
        rng: random.Random,
        uptime: Callable[[], float] = uptime,
    ) -> None:
        self._object = lease
        self._leadership = leadership
        self._me = me
        self._duration = settings.lease_duration.total_seconds()
        self._deadline = settings.renew_deadline.total_seconds()
        self._retry = settings.retry_period.total_seconds()
        self._inventoried = inventoried
        self._metrics = metrics
        self._log = log.bind(lease=str(lease))
        self._clock = clock
        self._rng = rng
        self._uptime = uptime
        self._sighting: Sighting | None = None
        self._held: Lease | None = None
        """As we last stored it."""
        self._paused = False

    async def run(self) -> None:
        """Until cancelled, or until the leadership is lost."""
        while not self._leadership.lost.is_set():
            pause = await self.turn()
            await asyncio.sleep(pause * self._rng.uniform(0.9, 1.0))

    async def turn(self) -> float:
        """Renew the Lease, or try to come by it; how many seconds may pass until the next turn."""
        try:
            async with asyncio.timeout(self._deadline / 2):
                pause = await (self._renew() if self._held is not None else self._try_to_take())
        except Forbidden as error:
            return self._failed("forbidden", str(error), is_refused=True)
        except (KubeError, TimeoutError) as error:
            return self._failed("no_answer", str(error) or "no answer in time", is_refused=False)
        return pause

    async def release(self) -> None:
        """Give the Lease back, when it is ours, so that nobody has to wait for its end. Nothing may be done after this."""
        held, self._held = self._held, None
        if held is None or self._leadership.lost.is_set():
            return
        self._leadership.end()
        try:
            async with asyncio.timeout(RELEASE_LIMIT):
                lease = await self._read()  # a renewal that was cut may have made a new version
                if lease is None or lease.holder != self._me:
                    return
                await self._store(released(lease, at=self._clock()))
        except (KubeError, TimeoutError) as error:
            self._log.warning("the lease was not given back; the next leader waits for its end", error=str(error))
        else:
            self._log.info("the lease was given back")

    # -- one that leads --------------------------------------------------------------------------------------------

    async def _renew(self) -> float:
        """Put the next version. That succeeds only if nobody else has written one since ours."""
        assert self._held is not None  # noqa: S101
        began = self._uptime()
        try:
            self._held = await self._store(self._made_from(self._held))
        except (Conflict, NotFound):
            return await self._find_out()
        self._renewed(at=began)
        return self._retry

    async def _find_out(self) -> float:
        """The Lease is not what we left: deleted, annotated by somebody, or taken."""
        began, lease = self._uptime(), await self._read()
        if lease is None:
            try:
                self._held = await self._create(self._made_from(self._held))
            except AlreadyExists:
                return 0.0
            self._log.warning("the lease had been deleted and was made again")
            self._renewed(at=began)
            return self._retry
        if lease.holder == self._me:
            self._held = lease
            return 0.0
        self._metrics.lease_writes.labels("lost").inc()
        self._leadership.lose(lease.holder)
        self._log.error("the lease was lost: nothing is sent any more, and this process ends", leader=lease.holder)
        return self._retry

    def _renewed(self, *, at: float) -> None:
        self._metrics.lease_writes.labels("ok").inc()
        self._leadership.renew(at=at)
        if self._paused:
            self._paused = False
            self._log.info("the lease was renewed again, and nobody else had it: sending goes on")

    # -- one that stands by ----------------------------------------------------------------------------------------

    async def _try_to_take(self) -> float:
        lease, now = await self._read(), self._uptime()
        before = self._sighting
        seen = self._sighting = look(before, lease, now=now)
        holder = seen.lease.holder if seen.lease is not None else ""
        left = seconds_left(seen, me=self._me, now=now, unstated=self._duration)
        if before is None or before.lease is None or before.lease.holder != holder:
            self._log.info("standing by", leader=holder or None, respected_for=round(left, 1))
        self._leadership.stand_by(holder)
        if left > 0:
            return min(LOOK_INTERVAL, self._retry, left)
        began = self._uptime()
        is_warm = seen.moved and seen.lease is not None and seen.lease.is_inventoried
        made = taken(
            seen.lease if seen.is_there else None, by=self._me, at=self._clock(), duration=self._duration, inventoried=is_warm
        )  # fmt: skip
        try:
            self._held = await (self._store(made) if seen.is_there else self._create(made))
        except (AlreadyExists, Conflict, NotFound):
            self._metrics.lease_writes.labels("conflict").inc()
            return LOOK_INTERVAL * self._rng.random()
        self._metrics.lease_writes.labels("ok").inc()
        self._log.info("leading", before=holder or None, transitions=made.transitions, warm=is_warm)
        self._leadership.take(at=began, is_warm=is_warm)
        return self._retry

    # -- parts -----------------------------------------------------------------------------------------------------

    def _failed(self, result: str, error: str, *, is_refused: bool) -> float:
        self._metrics.lease_writes.labels(result).inc()
        problem = (
            f"Lease {self._object}: {error}; the operator's ServiceAccount needs get and update of that Lease, and create "
            "of leases, in that namespace"
        )
        if is_refused and self._leadership.problem is None:
            self._log.error("the lease is refused", problem=problem)
        self._leadership.problem = problem if is_refused else None
        if self._held is None:
            return LOOK_INTERVAL
        if not self._leadership.leads and not self._paused:
            self._paused = True
            self._log.error(
                "the lease could not be renewed: nothing is sent until it is",
                seconds=round(self._leadership.unrenewed_for, 1),
                error=error,
            )
            self._leadership.paused()
        return min(LOOK_INTERVAL, self._retry)

    def _made_from(self, before: Lease | None) -> Lease:
        return taken(before, by=self._me, at=self._clock(), duration=self._duration, inventoried=self._inventoried())

    async def _read(self) -> Lease | None:
        raw = await self._object.read()
        return None if raw is None else from_wire(raw)

    async def _create(self, lease: Lease) -> Lease:
        annotations: Body = dict(lease.metadata.get("annotations") or {})
        return from_wire(await self._object.create(annotations=annotations, spec=lease.spec()))

    async def _store(self, lease: Lease) -> Lease:
        return from_wire(await self._object.replace(dict(lease.metadata), spec=lease.spec()))
