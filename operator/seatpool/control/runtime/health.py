"""What the probes answer: live is what only a restart can mend, ready is that everything has been seen once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from seatpool.api.base import Resource
from seatpool.control.aio.supervisor import Supervisor
from seatpool.control.leader.leadership import Leadership
from seatpool.control.runtime import crd_check
from seatpool.control.watch.heartbeats import WatchHeartbeats
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import KubeError

CRDS_FIT = 60.0
CRDS_DO_NOT_FIT = 5.0
STALE_LEASE = 15.0


@dataclass(kw_only=True)
class Readiness:
    """Of one operator."""

    heartbeats: WatchHeartbeats
    heartbeat_limit: float
    tasks: Supervisor
    log: FilteringBoundLogger
    leadership: Leadership
    listed: asyncio.Event = field(default_factory=asyncio.Event)
    """Everything was listed once."""
    watching: asyncio.Event = field(default_factory=asyncio.Event)
    """The watches are open."""
    may_write: asyncio.Event = field(default_factory=asyncio.Event)
    """EC2 was asked for all workbenches, or has had its time."""
    crd_problem: str | None = "not looked at yet"

    def live(self) -> Mapping[str, str | None]:
        """What is looked at for /healthz, each with what is wrong or None."""
        checks: dict[str, str | None] = {"loop": None, **self.tasks.dead}
        if self.watching.is_set():
            checks |= self.heartbeats.problems(limit=self.heartbeat_limit)
        return checks

    def ready(self) -> Mapping[str, str | None]:
        """What is looked at for /readyz, each with what is wrong or None."""
        checks = {
            "listed": None if self.listed.is_set() else "the first list of all objects is not complete",
            "crds": self.crd_problem,
            "watching": None if self.watching.is_set() else "watches are not open yet",
        }
        if self.leadership.is_elected:
            checks |= self._election()
        if self.leadership.taken.is_set():
            asked = self.may_write.is_set()
            checks["inventory"] = None if asked else "EC2 has not been asked for all workbenches yet"
        return checks

    def _election(self) -> dict[str, str | None]:
        """Standing by is being ready, else no rollout would come to its end; not getting at the Lease is not."""
        leadership = self.leadership
        if leadership.problem is not None:
            return {"lease": leadership.problem}
        if leadership.unrenewed_for > STALE_LEASE:
            return {"lease": f"neither read nor renewed for {leadership.unrenewed_for:.0f} s"}
        if leadership.leads:
            return {"leads": None}
        return {f"stands by, {leadership.other or 'nobody'} leads": None}

    async def check_crds(self, kube: KubeClient, kinds: Sequence[type[Resource]]) -> None:
        """Until cancelled."""
        while True:
            try:
                problem = await crd_check.outdated(kube, kinds)
            except KubeError as error:
                problem = str(error)
            if problem is not None and problem != self.crd_problem:
                self.log.error("the CRDs do not fit", problem=problem)
            self.crd_problem = problem
            await asyncio.sleep(CRDS_FIT if problem is None else CRDS_DO_NOT_FIT)
