"""Renders the statuses of pools and workbenches, and of all objects that cannot be read, by key. Rendering changes nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import ConditionReason
from seatpool.api.workbench import SeatPhase, Workbench
from seatpool.cache.store import Store
from seatpool.control.state.pool_state import PoolState
from seatpool.control.status.pool import pool_status
from seatpool.control.status.unreadable import unreadable_status
from seatpool.control.status.workbench import workbench_status
from seatpool.control.status.writer import Postponed, without_times
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.client import Body
from seatpool.policy.rule_effects import ineffective_rules

_UNKNOWN = PoolState()


@dataclass(frozen=True, slots=True)
class StatusRenderer:
    """Renders statuses from the cache and the published pool states."""

    store: Store
    states: Mapping[str, PoolState]
    clock: Callable[[], datetime]

    def pool(self, key: str, *, due: bool) -> Body | Postponed | None:
        """Returns the status of a LicensePool. None: it is stored already, or the pool is gone."""
        del due
        if self.store.problem_of(LicensePool, key) is not None:
            return self._unreadable(LicensePool, key)
        pool = self.store.pools.get(key)
        if pool is None:
            return None
        owner = self.store.pools[self.store.owner_pool(key)]
        status = pool_status(
            pool,
            self.states.get(key, _UNKNOWN),
            server=self.store.servers.get(pool.server_key),
            server_problem=self.store.problem_of(LicenseServer, pool.server_key),
            owner=owner,
            ineffective=ineffective_rules(pool.spec, self.store.rules[key], self.store.identity),
            now=to_milliseconds(self.clock()),
        )
        return _if_changed(status.wire(), pool.status.wire())

    def workbench(self, key: str, *, due: bool) -> Body | Postponed | None:
        """Returns the status of a Workbench. None: it is stored already, or the workbench is gone.

        If a pool has not decided yet, the status is postponed until it is `due`. A refusal is shown at once, because nothing
        that another pool decides makes the workbench ready.
        """
        store = self.store
        if store.problem_of(Workbench, key) is not None:
            return self._unreadable(Workbench, key)
        view = store.workbenches.get(key)
        if view is None:
            return None
        serving = [pool for pool in store.demand.pools_of(key) if store.owner_pool(pool) == pool]
        active = {
            pool: view.user is not None and key in store.demand.workbenches_of(pool, view.user) for pool in serving
        }
        status = workbench_status(
            view, serving=serving, active=active, states=self.states, now=to_milliseconds(self.clock())
        )
        undecided = any(seat.reason == ConditionReason.UNDECIDED for seat in status.seats)
        if undecided and not due and all(seat.phase is not SeatPhase.DENIED for seat in status.seats):
            return Postponed.UNDECIDED
        return _if_changed(status.wire(), view.status.wire())

    def server(self, key: str, *, due: bool) -> Body | None:
        """Returns the status of a LicenseServer that cannot be read. None: it can, or the status is stored already.

        That of any other is written by its reconciler.
        """
        del due
        return self._unreadable(LicenseServer, key) if self.store.problem_of(LicenseServer, key) is not None else None

    def server_version(self, key: str) -> str | None:
        """Returns the version of a LicenseServer that cannot be read. None: it can, or there is none."""
        found = self.store.unreadable.get((LicenseServer.kind, key))
        return found.raw["metadata"]["resourceVersion"] if found is not None else None

    def _unreadable(self, resource: type[Resource], key: str) -> Body | None:
        found = self.store.unreadable[resource.kind, key]
        status = unreadable_status(found, now=to_milliseconds(self.clock()))
        return _if_changed(status, found.raw.get("status") or {})


def _if_changed(status: Body, stored: Body) -> Body | None:
    return None if without_times(status) == without_times(stored) else status
