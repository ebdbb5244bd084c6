"""Decides which of several processes leads: the one that holds a Lease and keeps renewing it.

The `kubernetes` package has an election (`kubernetes.aio.leaderelection`). It is not used. Tried in 37.0.1:

- It cannot create a Lease (a ValidationError for its own argument `pretty`).
- If the API server refuses connections, its `run` raises, and the work that it had started goes on without any Lease.
- It never cuts a renewal that hangs, and the work goes on then too.
- It writes local time as UTC.

Read in its source:

- The wall clock decides, so a step back makes an expired Lease valid.
- A clean stop gives nothing back, so the next leader waits for the whole Lease duration.
- A candidate goes by its own duration, not the holder's.

Here a leader that cannot renew is not deposed by that. It pauses by its own clock. If the API server answers again, a
compare-and-swap on its last version tells whether another process held the Lease meanwhile. If none did, it goes on.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from seatpool.control.leader.leadership import Leadership, uptime
from seatpool.control.leader.lease import (
    Lease,
    ObservedLease,
    from_wire,
    observe,
    seconds_left,
    with_holder,
    without_holder,
)
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import Body
from seatpool.kube.errors import AlreadyExists, Conflict, Forbidden, KubeError, NotFound
from seatpool.kube.leases import LeaseObject
from seatpool.settings.settings import LeaderElectionSettings

READ_INTERVAL = 1.0
"""Seconds between two reads of another holder's Lease. Reading is cheap, and a released Lease is seen by the next read."""
RELEASE_LIMIT = 2.0
"""Seconds for giving the Lease back at the end."""


class Election:
    """Acquires, renews and releases the Lease for one process."""

    def __init__(
        self,
        lease: LeaseObject,
        leadership: Leadership,
        *,
        identity: str,
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
        self._identity = identity
        self._duration = settings.lease_duration.total_seconds()
        self._deadline = settings.renew_deadline.total_seconds()
        self._retry = settings.retry_period.total_seconds()
        self._inventoried = inventoried
        self._metrics = metrics
        self._log = log.bind(lease=str(lease))
        self._clock = clock
        self._rng = rng
        self._uptime = uptime
        self._observed: ObservedLease | None = None
        self._held: Lease | None = None
        """The Lease as this process last stored it. None: it does not hold it."""
        self._paused = False

    async def run(self) -> None:
        """Runs until cancelled or until the leadership is lost."""
        while not self._leadership.lost.is_set():
            pause = await self.acquire_or_renew()
            await asyncio.sleep(pause * self._rng.uniform(0.9, 1.0))

    async def acquire_or_renew(self) -> float:
        """Tries once to renew the Lease or to acquire it. Returns the seconds until the next try."""
        try:
            async with asyncio.timeout(self._deadline / 2):
                pause = await (self._renew() if self._held is not None else self._try_to_acquire())
        except Forbidden as error:
            return self._failed("forbidden", str(error), is_refused=True)
        except (KubeError, TimeoutError) as error:
            return self._failed("no_answer", str(error) or "no answer in time", is_refused=False)
        return pause

    async def release(self) -> None:
        """Gives the Lease back if this process holds it, so that the next leader need not wait.

        The process may write nothing after this call.
        """
        held, self._held = self._held, None
        if held is None or self._leadership.lost.is_set():
            return
        self._leadership.end()
        try:
            async with asyncio.timeout(RELEASE_LIMIT):
                lease = await self._read()  # a renewal that was cut may have made a new version
                if lease is None or lease.holder != self._identity:
                    return
                await self._replace(without_holder(lease, at=self._clock()))
        except (KubeError, TimeoutError) as error:
            self._log.warning("the lease was not given back; the next leader waits for its end", error=str(error))
        else:
            self._log.info("the lease was given back")

    # -- the leader ------------------------------------------------------------------------------------------------

    async def _renew(self) -> float:
        """Writes the next version. That succeeds only if no other process wrote one since ours."""
        assert self._held is not None  # noqa: S101
        began = self._uptime()
        try:
            self._held = await self._replace(self._with_this_holder(self._held))
        except (Conflict, NotFound):
            return await self._resolve_conflict()
        self._renewed(at=began)
        return self._retry

    async def _resolve_conflict(self) -> float:
        """Reads a Lease that is not what this process stored: it was deleted, annotated by an admin, or acquired."""
        began, lease = self._uptime(), await self._read()
        if lease is None:
            try:
                self._held = await self._create(self._with_this_holder(self._held))
            except AlreadyExists:
                return 0.0
            self._log.warning("the lease had been deleted and was made again")
            self._renewed(at=began)
            return self._retry
        if lease.holder == self._identity:
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

    # -- a standby -------------------------------------------------------------------------------------------------

    async def _try_to_acquire(self) -> float:
        lease, now = await self._read(), self._uptime()
        before = self._observed
        observed = self._observed = observe(before, lease, now=now)
        holder = observed.lease.holder if observed.lease is not None else ""
        left = seconds_left(observed, identity=self._identity, now=now, default_duration=self._duration)
        if before is None or before.lease is None or before.lease.holder != holder:
            self._log.info("standing by", leader=holder or None, respected_for=round(left, 1))
        self._leadership.stand_by(holder)
        if left > 0:
            return min(READ_INTERVAL, self._retry, left)
        began = self._uptime()
        is_warm = observed.has_changed and observed.lease is not None and observed.lease.is_inventoried
        desired = with_holder(
            observed.lease if observed.exists else None, identity=self._identity, at=self._clock(),
            duration=self._duration, inventoried=is_warm,
        )  # fmt: skip
        try:
            self._held = await (self._replace(desired) if observed.exists else self._create(desired))
        except (AlreadyExists, Conflict, NotFound):
            self._metrics.lease_writes.labels("conflict").inc()
            return READ_INTERVAL * self._rng.random()
        self._metrics.lease_writes.labels("ok").inc()
        self._log.info("leading", before=holder or None, transitions=desired.transitions, warm=is_warm)
        self._leadership.acquire(at=began, is_warm=is_warm)
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
            return READ_INTERVAL
        if not self._leadership.leads and not self._paused:
            self._paused = True
            self._log.error(
                "the lease could not be renewed: nothing is sent until it is",
                seconds=round(self._leadership.unrenewed_for, 1),
                error=error,
            )
            self._leadership.notify_paused()
        return min(READ_INTERVAL, self._retry)

    def _with_this_holder(self, before: Lease | None) -> Lease:
        return with_holder(
            before, identity=self._identity, at=self._clock(), duration=self._duration, inventoried=self._inventoried()
        )

    async def _read(self) -> Lease | None:
        raw = await self._object.read()
        return None if raw is None else from_wire(raw)

    async def _create(self, lease: Lease) -> Lease:
        annotations: Body = dict(lease.metadata.get("annotations") or {})
        return from_wire(await self._object.create(annotations=annotations, spec=lease.to_wire()))

    async def _replace(self, lease: Lease) -> Lease:
        return from_wire(await self._object.replace(dict(lease.metadata), spec=lease.to_wire()))
