"""What a change in the store causes: statuses to renew, a reconciler for each server, and a way out for dying pools."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from seatpool.api.reasons import EventReason
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Store
from seatpool.control.aio.supervisor import Supervisor
from seatpool.control.metrics import ControlMetrics
from seatpool.control.reconcile.finalizer import Finalizer
from seatpool.control.reconcile.reconciler import ServerReconciler
from seatpool.control.sinks.event_latency import EventLatency
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.state.pool_state import PoolState
from seatpool.control.status.writer import StatusWriter
from seatpool.kube.retry import retry_until_answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """To the store of one operator."""

    store: Store
    standings: dict[str, PoolState]
    journeys: EventLatency
    metrics: ControlMetrics
    recorder: EventRecorder
    finalizer: Finalizer
    pool_statuses: StatusWriter
    workbench_statuses: StatusWriter
    tasks: Supervisor
    make_reconciler: Callable[[str], ServerReconciler]
    rng: random.Random
    log: FilteringBoundLogger
    pool_gone: Callable[[str], None] = lambda _pool: None
    """Called with the key of a pool that vanished."""
    _reconcilers: dict[str, tuple[ServerReconciler, "asyncio.Task[None]"]] = field(default_factory=dict, init=False)

    def attach(self) -> None:
        """Be told of every change from now on, and look at everything that is there already."""
        self.store.on_dirty = self.wake
        self.store.on_problem = self.workbench_changed
        self.store.on_pool = self.pool_changed
        self.store.on_server = self.server_changed
        for server in self.store.servers:
            self.server_changed(server)
        for pool in self.store.pools:
            self.pool_changed(pool)
        for workbench in self.store.workbenches:
            self.workbench_changed(workbench)

    def wake(self, server: str) -> None:
        """A server has work."""
        found = self._reconcilers.get(server)
        if found is not None:
            found[0].wake()

    def wake_all(self) -> None:
        """Every server may have something to say."""
        for reconciler, _ in self._reconcilers.values():
            reconciler.wake()

    def workbench_changed(self, key: str) -> None:
        """Its status should be looked at."""
        self.workbench_statuses.mark(key)
        view = self.store.workbenches.get(key)
        if view is not None and view.problem is not None and view.observed_generation != view.generation:
            self.recorder.warning(Workbench, view.metadata, EventReason.OWNER_REFUSED, f"spec.owner: {view.problem}")

    def pool_changed(self, key: str) -> None:
        """It appeared, changed or vanished."""
        if key not in self.store.pools:
            self.standings.pop(key, None)
            self.pool_gone(key)
            self.journeys.forget(key)
            self.metrics.forget_pool(key)
            return
        self.pool_statuses.mark(key)
        for workbench in self.store.workbenches_served_by(key):
            self.workbench_statuses.mark(workbench)
        self._let_go(key)

    def server_changed(self, key: str) -> None:
        """It appeared, changed or vanished."""
        if key in self.store.servers and key not in self._reconcilers:
            reconciler = self.make_reconciler(key)
            task = self.tasks.start(f"reconciler of {key}", reconciler.run)
            self._reconcilers[key] = (reconciler, task)
        elif key not in self.store.servers and key in self._reconcilers:
            _, task = self._reconcilers.pop(key)
            task.cancel()
            self.metrics.forget_server(key)
        for pool in self.store.pools_of_server(key):
            if key not in self.store.servers:
                self.standings.pop(pool.key, None)
                self._let_go(pool.key)
            self.pool_statuses.mark(pool.key)
        self.wake(key)

    def _let_go(self, key: str) -> None:
        """A dying pool has no list that could be emptied where there is no server; nobody else frees it then."""
        if self._is_to_be_let_go(key):
            self.tasks.start_once(
                f"finalizer of {key}", lambda: retry_until_answered(lambda: self._free(key), rng=self.rng, log=self.log)
            )

    async def _free(self, key: str) -> None:
        if self._is_to_be_let_go(key):
            await self.finalizer.look_at(self.store.pools[key], cleared=True)

    def _is_to_be_let_go(self, key: str) -> bool:
        pool = self.store.pools.get(key)
        if pool is None or pool.metadata.deletion_timestamp is None:
            return False
        return self.store.server_of(key) not in self.store.servers
