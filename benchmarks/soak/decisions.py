"""What an admin decides while faults go on, and what must not have happened before the decision."""

import json
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from benchmarks.site import Place
from benchmarks.soak.life import PoolFacts, Record

DECIDED_WITHIN = 60.0
"""Seconds for which the condition is waited for that asks the admin."""
GUARD = {"maxReleasePercent": 50, "minUsers": 5, "window": "20s"}
SETTLES = 2.0


class Decisions:
    """Reads conditions, and writes the annotations that they ask for. `violations` has what was done without them."""

    def __init__(self, place: Place, *, namespace: str, pools: Sequence[PoolFacts], record: Record) -> None:
        self.violations: list[str] = []
        self._place = place
        self._namespace = namespace
        self._pools = pools
        self._record = record

    def overwrite(self, pool: PoolFacts, shown: Sequence[str]) -> None:
        """Lets a list with entries that are no user ids be overwritten. It must be untouched until then."""
        self._must_be(pool, shown)
        self._annotate(pool.server, self._asked(pool, "overwrite-unreadable"))

    def take_over(self, pool: PoolFacts, shown: Sequence[str]) -> None:
        """Lets a list of another installation be taken over. It must be untouched until then."""
        self._must_be(pool, shown)
        self._annotate(pool.server, self._asked(pool, "take-over"))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Switches the guard on for a while. Life here is too quick for it at other times."""
        self._guard(GUARD)
        time.sleep(SETTLES)
        yield
        self._guard({"maxReleasePercent": 100})

    def delete_all(self) -> None:
        """Deletes all Workbench objects, one after another. No list may lose more users by that than the guard allows."""
        before = {pool.product: set(self._users(pool)) for pool in self._pools}
        seen = {product: set(users) for product, users in before.items()}
        for name in self._kubectl("get", "workbenches", "-o", "name").split():
            self._kubectl("delete", name, "--wait=false", "--ignore-not-found")
            for pool in self._pools:
                seen[pool.product] |= set(self._users(pool))
        time.sleep(SETTLES)
        for pool in self._pools:
            lost = before[pool.product] - set(self._users(pool)) & self._record.needs(pool.type)
            if len(seen[pool.product]) >= 5 and len(lost) * 2 > len(seen[pool.product]):
                self.violations.append(
                    f"{pool.product}: {len(lost)} of {len(seen[pool.product])} users lost seats that they need, unseen by the "
                    "guard"
                )

    def approve(self) -> None:
        """Approves what is held now, on every server that holds a change. The annotation stays for ever."""
        for number in range(len(self._place.nodes)):
            held = self._get("licenseserver", f"licenses-{number}")["status"].get("guard", {}).get("held")
            if held is not None:
                self._annotate(number, f"seatpool.io/approve-change={held}")

    def _must_be(self, pool: PoolFacts, shown: Sequence[str]) -> None:
        if list(self._users(pool)) != list(shown):
            self.violations.append(
                f"{pool.product}: {self._users(pool)} was written over {shown} before an admin decided"
            )

    def _asked(self, pool: PoolFacts, annotation: str) -> str:
        """Waits for the condition of the pool that asks for an annotation. Returns the annotation."""
        deadline = time.monotonic() + DECIDED_WITHIN
        while True:
            conditions = self._get("licensepool", pool.product).get("status", {}).get("conditions", [])
            for one in conditions:
                found = re.search(rf"seatpool\.io/{annotation}=[A-Za-z0-9@-]+", one["message"])
                if found is not None:
                    return found[0]
            if time.monotonic() > deadline:
                self.violations.append(
                    f"{pool.product}: no condition asks for {annotation} within {DECIDED_WITHIN:g} s"
                )
                return f"seatpool.io/{annotation}=none"
            time.sleep(0.5)

    def _annotate(self, server: int, annotation: str) -> None:
        self._kubectl("annotate", "--overwrite", f"licenseserver/licenses-{server}", annotation)

    def _guard(self, guard: dict[str, Any]) -> None:
        for number in range(len(self._place.nodes)):
            patch = json.dumps({"spec": {"guard": {"minUsers": 10, "window": "10m"} | guard}})
            self._kubectl("patch", "licenseserver", f"licenses-{number}", "--type=merge", "-p", patch)

    def _users(self, pool: PoolFacts) -> tuple[str, ...]:
        return self._place.nodes[pool.server].host.users(pool.product)

    def _get(self, kind: str, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._kubectl("get", kind, name, "-o", "json"))
        return found

    def _kubectl(self, verb: str, *arguments: str) -> str:
        return self._place.plane.kubectl(verb, *arguments, "-n", self._namespace)
