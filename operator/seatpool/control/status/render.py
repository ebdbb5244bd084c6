"""Statuses as they should be right now, or None where that is what the object says already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from seatpool.api.reasons import ConditionReason
from seatpool.cache.store import Store
from seatpool.control.state.pool_state import PoolState
from seatpool.control.status.pool import pool_status
from seatpool.control.status.workbench import workbench_status
from seatpool.control.status.writer import without_times
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.client import Body

UNDECIDED_FOR = timedelta(seconds=3)
"""How long nothing is said of a workbench that no pool has decided about: most are decided within a second."""


@dataclass(frozen=True, slots=True)
class StatusRenderer:
    """Of pools and workbenches, by key."""

    store: Store
    standings: Mapping[str, PoolState]
    clock: Callable[[], datetime]
    later: Callable[[str], None]
    """Called with a workbench that should be looked at again, even if nothing happens to it."""
    _undecided: dict[str, datetime] = field(default_factory=dict)

    def pool(self, key: str) -> Body | None:
        """The status of a LicensePool."""
        pool = self.store.pools.get(key)
        if pool is None:
            return None
        status = pool_status(
            pool,
            self.standings.get(key) or PoolState(),
            server=self.store.servers.get(self.store.server_of(key)),
            claimant=self.store.claimant(key),
            now=to_milliseconds(self.clock()),
        )
        return _unless_said(status.wire(), pool.status.wire())

    def workbench(self, key: str) -> Body | None:
        """The status of a Workbench."""
        store = self.store
        view = store.workbenches.get(key)
        if view is None:
            self._undecided.pop(key, None)
            return None
        serving = [pool for pool in store.demand.pools_of(key) if store.claimant(pool) == pool]
        active = {
            pool: view.user is not None and key in store.demand.workbenches_of(pool, view.user) for pool in serving
        }
        status = workbench_status(
            view, serving=serving, active=active, standings=self.standings, now=to_milliseconds(self.clock())
        )
        if any(seat.reason == ConditionReason.UNDECIDED for seat in status.seats):
            if self.clock() - self._undecided.setdefault(key, self.clock()) < UNDECIDED_FOR:
                self.later(key)
                return None
        else:
            self._undecided.pop(key, None)
        return _unless_said(status.wire(), view.status.wire())


def _unless_said(status: Body, before: Body) -> Body | None:
    return None if without_times(status) == without_times(before) else status
