"""Watches the license servers' own lists and journals all the time. It does not read what the operator believes."""

import time
from collections.abc import Sequence

from benchmarks.soak.life import PoolFacts, Record
from benchmarks.soak.watcher import Watcher
from seatpool.sim.license_host import LicenseHost

EVERY = 0.1
STRANGER_LIMIT = 30.0
"""Seconds for which a user may be on a list after the last workbench stopped and the last fault ended.

An event may be lost. Then the next inventory sees the stop, 10 s later. Add one pass, one command in flight, and a
machine with two cores that does all this.
"""


class Checker(Watcher):
    """Runs in a thread of its own until it is left."""

    def __init__(self, pools: Sequence[PoolFacts], hosts: Sequence[LicenseHost], record: Record) -> None:
        super().__init__("checker", every=EVERY)
        self.writes = 0
        self._pools = pools
        self._hosts = hosts
        self._record = record
        self._seats = {pool.product: pool.seats for pool in pools}
        self._quiet_since: float | None = time.time()
        self._edited: set[str] = set()
        self._told: set[tuple[str, str]] = set()

    def fault_begins(self) -> None:
        self._quiet_since = None

    def fault_ended(self) -> None:
        self._quiet_since = time.time()

    def wrong(self) -> list[str]:
        """Returns the lists that differ from the fleet: every user who needs a seat, or as many as there are seats."""
        found = []
        for pool in self._pools:
            users, needs = self._hosts[pool.server].users(pool.product), self._record.needs(pool.type)
            on = set(users)
            if len(on) != len(users) or not on <= needs or len(on) != min(len(needs), pool.seats):
                found.append(f"{pool.product}: on the list {sorted(on)}, needed by {sorted(needs)}, {pool.seats} seats")
        return found

    def look(self) -> None:
        for host in self._hosts:
            for entry in host.journal():
                self.writes += 1
                if len(entry.users) > self._seats.get(entry.product, 0) or not entry.accepted:
                    self.violations.append(
                        f"{entry.product}: {len(entry.users)} users at {entry.at:%H:%M:%S}, too many"
                    )
        now, quiet_since = time.time(), self._quiet_since
        if quiet_since is None:
            return
        for pool in self._pools:
            for user in self._hosts[pool.server].users(pool.product):
                idle = max(self._record.idle_since(user, pool.type), quiet_since)
                key = (pool.product, user)
                if now - idle <= STRANGER_LIMIT:
                    self._told.discard(key)
                elif key not in self._told:
                    self._told.add(key)
                    self.violations.append(
                        f"{pool.product}: {user} is on the list {now - idle:.0f} s after the last need"
                    )
