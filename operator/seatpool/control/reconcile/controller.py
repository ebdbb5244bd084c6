"""Maps changes of the cache to work: statuses to render, a reconciler for each server, and a way out for dying pools."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from seatpool.api.base import Resource, key_of
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import EventReason, message
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store, StoreHandler
from seatpool.control.aio.supervisor import Supervisor
from seatpool.control.metrics import ControlMetrics
from seatpool.control.reconcile.finalizer import Finalizer
from seatpool.control.reconcile.reconciler import ServerReconciler
from seatpool.control.sinks.event_latency import EventLatency
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.state.pool_states import PoolStates
from seatpool.control.status.writer import StatusWriter
from seatpool.kube.retry import retry_until_answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller(StoreHandler):
    """Starts and stops the reconcilers of one operator."""

    store: Store
    pool_states: PoolStates
    latency: EventLatency
    metrics: ControlMetrics
    recorder: EventRecorder
    finalizer: Finalizer
    pool_statuses: StatusWriter
    workbench_statuses: StatusWriter
    server_statuses: StatusWriter
    """Writes the statuses of servers that cannot be read. Those of the others are written by their reconcilers."""
    supervisor: Supervisor
    make_reconciler: Callable[[str], ServerReconciler]
    rng: random.Random
    log: FilteringBoundLogger
    _reconcilers: dict[str, tuple[ServerReconciler, "asyncio.Task[None]"]] = field(default_factory=dict, init=False)

    def start(self) -> None:
        """Follows every change from now on, and takes in everything that is there already."""
        self.store.subscribe(self)
        for server in self.store.servers:
            self.server_changed(server)
        for pool in self.store.pools:
            self.pool_changed(pool)
        for workbench in self.store.workbenches:
            self.workbench_changed(workbench)
        for found in tuple(self.store.unreadable.values()):
            self.readability_changed(found.resource, key_of(found.raw["metadata"]))

    def wake_all(self) -> None:
        """Has a pass made for every server."""
        for reconciler, _ in self._reconcilers.values():
            reconciler.wake()

    # -- changes of the cache --------------------------------------------------------------------------------------

    def server_dirty(self, server: str) -> None:
        """Has a pass made for a server that has work."""
        found = self._reconcilers.get(server)
        if found is not None:
            found[0].wake()

    def workbench_changed(self, workbench: str) -> None:
        """Has the status of a workbench rendered, and tells of an owner that is no user id."""
        self.workbench_statuses.mark(workbench)
        view = self.store.workbenches.get(workbench)
        if view is not None and view.problem is not None and view.observed_generation != view.generation:
            text = message(EventReason.OWNER_REFUSED, problem=view.problem)
            self.recorder.warning(Workbench, view.metadata, EventReason.OWNER_REFUSED, text)

    def pool_changed(self, pool: str) -> None:
        """Has the statuses of a pool and of its workbenches rendered, or drops what is kept of one that vanished."""
        if pool not in self.store.pools:
            self.pool_states.discard(pool)
            self.latency.drop_pool(pool)
            self.metrics.remove_pool(pool)
            return
        self.pool_statuses.mark(pool)
        for workbench in self.store.workbenches_served_by(pool):
            self.workbench_statuses.mark(workbench)
        self._remove_finalizer(pool)

    def server_changed(self, server: str) -> None:
        """Starts the reconciler of a new server, stops that of one that vanished, and has a pass made otherwise."""
        exists = server in self.store.servers
        if exists and server not in self._reconcilers:
            reconciler = self.make_reconciler(server)
            task = self.supervisor.start_vital(f"reconciler of {server}", reconciler.run)
            self._reconcilers[server] = (reconciler, task)
        elif not exists and server in self._reconcilers:
            _, task = self._reconcilers.pop(server)
            task.cancel()
            self.metrics.remove_server(server)
        if not exists:
            self.pool_states.discard_server(server)
        for pool in self.store.pools_of_server(server):
            if not exists:
                self.pool_states.discard(pool.key)
                self._remove_finalizer(pool.key)
            self.pool_statuses.mark(pool.key)
        self.server_dirty(server)

    def readability_changed(self, resource: type[Resource], key: str) -> None:
        """Has the status of an object rendered that cannot be read, or can be again. A server's pools say it too."""
        if resource is LicensePool:
            self.pool_statuses.mark(key)
        elif resource is Workbench:
            self.workbench_statuses.mark(key)
        elif resource is LicenseServer:
            self.server_statuses.mark(key)
            for pool in self.store.pools_of_server(key):
                self.pool_statuses.mark(pool.key)
            self.server_dirty(key)

    # -- pools without a server --------------------------------------------------------------------------------------

    def _remove_finalizer(self, pool: str) -> None:
        """Frees a dying pool that refers to no server: it has no list that could be emptied."""
        if self._must_be_freed(pool):
            self.supervisor.start_job(
                f"finalizer of {pool}",
                lambda: retry_until_answered(lambda: self._free(pool), rng=self.rng, log=self.log),
            )

    async def _free(self, pool: str) -> None:
        if self._must_be_freed(pool):
            await self.finalizer.ensure(self.store.pools[pool], cleared=True)

    def _must_be_freed(self, key: str) -> bool:
        pool = self.store.pools.get(key)
        if pool is None or pool.metadata.deletion_timestamp is None:
            return False
        return not self.store.is_there(LicenseServer, self.store.server_of(key))
