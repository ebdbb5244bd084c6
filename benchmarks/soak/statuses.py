"""Checks that what a status says is true: a `Ready=True` must not outlive what it was said of."""

import hashlib
import json
import subprocess
import time
from typing import Any

from benchmarks.site import Place
from benchmarks.soak.watcher import Watcher
from seatpool.sim.controlplane import KubectlError

EVERY = 2.0
UNTRUE_LIMIT = 45.0
"""Seconds for which a status may say `Ready=True` although the list on the license server is another one.

Lists are read back every 5 s, and a command may take 10 s. A leader that is killed is followed after 15 s.
"""


class StatusChecker(Watcher):
    """Compares every LicenseServer that is ready with the lists on its disk, in a thread of its own until it is left."""

    def __init__(self, place: Place, namespace: str) -> None:
        super().__init__("status checker", every=EVERY)
        self.reads = 0
        self.ready = 0
        self._place = place
        self._namespace = namespace
        self._untrue_since: dict[str, float] = {}

    def look(self) -> None:
        try:
            found = self._place.plane.kubectl("get", "licenseservers", "-n", self._namespace, "-o", "json", timeout=10)
        except (KubectlError, subprocess.TimeoutExpired):
            return  # the API server is down: that is one of the faults
        self.reads += 1
        untrue = {}
        for raw in json.loads(found)["items"]:
            untrue |= self._untrue(raw)
        now = time.monotonic()
        for key, text in untrue.items():
            since = self._untrue_since.setdefault(key, now)
            if now - since > UNTRUE_LIMIT:
                self.violations.append(f"{text}, for {now - since:.0f} s")
                self._untrue_since[key] = now
        self._untrue_since = {key: since for key, since in self._untrue_since.items() if key in untrue}

    def _untrue(self, raw: dict[str, Any]) -> dict[str, str]:
        """Returns what a server that is ready says of its lists and is not so, by product."""
        name, status = raw["metadata"]["name"], raw.get("status", {})
        conditions = {one["type"]: one["status"] for one in status.get("conditions", ())}
        if conditions.get("Ready") != "True" or not status.get("applied"):
            return {}
        self.ready += 1
        host = self._place.nodes[int(name.rpartition("-")[2])].host
        found = {}
        for said in status.get("applied", ()):
            users = host.users(said["product"])
            if said["hash"] != hashlib.sha256("".join(f"{user}\n" for user in users).encode()).hexdigest():
                found[said["product"]] = (
                    f"{name} is Ready=True and says {said['count']} users, {said['product']} has {users}"
                )
        return found
