"""Statuses as they should be right now, or None where that is what the object says already."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from seatpool.control.ledger import to_milliseconds
from seatpool.control.pool_status import pool_status
from seatpool.control.standing import Standing
from seatpool.control.status_writer import without_times
from seatpool.control.store import Store
from seatpool.control.workbench_status import workbench_status
from seatpool.kube.client import Body


@dataclass(frozen=True, slots=True)
class Rendering:
    """Of pools and workbenches, by key."""

    store: Store
    standings: Mapping[str, Standing]
    clock: Callable[[], datetime]

    def pool(self, key: str) -> Body | None:
        """The status of a LicensePool."""
        pool = self.store.pools.get(key)
        if pool is None:
            return None
        status = pool_status(
            pool,
            self.standings.get(key) or Standing(),
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
            return None
        serving = [pool for pool in store.demand.pools_of(key) if store.claimant(pool) == pool]
        active = {
            pool: view.user is not None and key in store.demand.workbenches_of(pool, view.user) for pool in serving
        }
        status = workbench_status(
            view, serving=serving, active=active, standings=self.standings, now=to_milliseconds(self.clock())
        )
        return _unless_said(status.wire(), view.status.wire())


def _unless_said(status: Body, before: Body) -> Body | None:
    return None if without_times(status) == without_times(before) else status
