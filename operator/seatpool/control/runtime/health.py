"""Answers the probes. A failed liveness check needs a restart; readiness means that everything was listed once."""

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

CRDS_FIT_INTERVAL = 60.0
"""Seconds between two checks of the CRDs while they fit."""
CRDS_OUTDATED_INTERVAL = 5.0
"""Seconds between two checks of the CRDs while they do not fit."""
STALE_LEASE = 15.0
"""Seconds without a read or renewal of the Lease after which the process is not ready."""


@dataclass(kw_only=True)
class Readiness:
    """Collects the checks of /healthz and /readyz."""

    heartbeats: WatchHeartbeats
    heartbeat_limit: float
    tasks: Supervisor
    log: FilteringBoundLogger
    leadership: Leadership
    listed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once all objects were listed."""
    watching: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the watches are open."""
    may_write: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once EC2 was asked for all workbenches, or had 60 s to answer."""
    crd_problem: str | None = "not looked at yet"

    def live_checks(self) -> Mapping[str, str | None]:
        """Returns the checks of /healthz by name, each with its problem. None: the check passes."""
        checks: dict[str, str | None] = {"loop": None, **self.tasks.failed}
        if self.watching.is_set():
            checks |= self.heartbeats.problems(limit=self.heartbeat_limit)
        return checks

    def ready_checks(self) -> Mapping[str, str | None]:
        """Returns the checks of /readyz by name, each with its problem. None: the check passes."""
        checks = {
            "listed": None if self.listed.is_set() else "the first list of all objects is not complete",
            "crds": self.crd_problem,
            "watching": None if self.watching.is_set() else "watches are not open yet",
        }
        if self.leadership.is_elected:
            checks |= self._election_checks()
        if self.leadership.acquired.is_set():
            checks["inventory"] = None if self.may_write.is_set() else "EC2 has not been asked for all workbenches yet"
        return checks

    def _election_checks(self) -> dict[str, str | None]:
        """Returns the check of the Lease.

        A standby is ready, otherwise no rollout would end. A process that can neither read nor renew the Lease is not.
        """
        leadership = self.leadership
        if leadership.problem is not None:
            return {"lease": leadership.problem}
        if leadership.unrenewed_for > STALE_LEASE:
            return {"lease": f"neither read nor renewed for {leadership.unrenewed_for:.0f} s"}
        if leadership.leads:
            return {"leads": None}
        return {f"stands by, {leadership.other_holder or 'nobody'} leads": None}

    async def run_crd_check(self, kube: KubeClient, kinds: Sequence[type[Resource]]) -> None:
        """Checks the CRDs again and again, until cancelled."""
        while True:
            try:
                problem = await crd_check.find_problem(kube, kinds)
            except KubeError as error:
                problem = str(error)
            if problem is not None and problem != self.crd_problem:
                self.log.error("the CRDs do not fit", problem=problem)
            self.crd_problem = problem
            await asyncio.sleep(CRDS_FIT_INTERVAL if problem is None else CRDS_OUTDATED_INTERVAL)
