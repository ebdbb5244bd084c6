"""What surrounds the operator: people with workbenches, a queue of their events, and a license server with a list."""

import json
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from seatpool.sim.license_host import JournalEntry
from seatpool.sim.site import LicenseServerNode, Site

__all__ = ["Office", "eventually"]

PRODUCT = "matlab"
SEATS = 8
PATIENCE = 120.0


def eventually(condition: Callable[[], bool], *, what: str, seconds: float = PATIENCE) -> None:
    """Wait until something is so; it fails with what it waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)


class Office:
    """One product with a handful of seats."""

    def __init__(self, site: Site, server: LicenseServerNode) -> None:
        self._site = site
        self._server = server
        self._fleet = site.fleet()
        self._workbenches: dict[str, str] = {}
        self._written: list[JournalEntry] = []

    # -- people ----------------------------------------------------------------------------------------------------

    def comes(self, *people: str) -> None:
        """They start a workbench each."""
        for person in people:
            self._workbenches[person] = self._fleet.start(person)

    def leaves(self, *people: str) -> None:
        for person in people:
            self._fleet.stop(self._workbenches.pop(person))

    # -- the list --------------------------------------------------------------------------------------------------

    def at_work(self) -> set[str]:
        return set(self._workbenches)

    def listed(self) -> set[str]:
        return set(self._server.host.users(PRODUCT))

    def until_listed(self) -> None:
        """The list has everybody who is at work, and nobody else."""
        deadline = time.monotonic() + PATIENCE
        while self.listed() != self.at_work() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert self.listed() == self.at_work()

    def thrown_out_since(self, instant: datetime, people: Iterable[str]) -> set[str]:
        """Who of these was missing on any list that was written since then."""
        self._written.extend(self._server.host.journal())
        lists = [set(entry.users) for entry in self._written if entry.at >= instant]
        return {person for person in people for written in lists if person not in written}

    # -- for the installation --------------------------------------------------------------------------------------

    def values(self, *, namespace: str) -> dict[str, Any]:
        """Of the chart: where the stand-ins are, and the settings that a test is short of time for."""
        account = {"account": self._site.account, "regions": [self._site.region], "namespace": namespace}
        credentials = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        return {
            "config": {
                "mirror": {
                    "queue": self._site.queue_url,
                    "region": self._site.region,
                    "endpoint_url": self._site.endpoint,
                    "accounts": [account],
                    "visibility": "10s",
                },
                "servers": {"endpoint_url": self._site.endpoint},
                "log": {"format": "json"},
            },
            "extraEnv": [{"name": name, "value": value} for name, value in credentials.items()],
        }

    def objects(self, *, namespace: str) -> str:
        """The license server and the pool."""
        server = {
            "target": {"tag": self._server.tag, "value": self._server.value},
            "region": self._site.region,
            "xlc": {"stateDir": self._server.host.state_dir},
        }
        pool = {
            "serverRef": {"name": "licenses"},
            "product": PRODUCT,
            "seats": SEATS,
            "workbenchTypes": [f"vew-{PRODUCT}"],
        }
        specs = {("LicenseServer", "licenses"): server, ("LicensePool", PRODUCT): pool}
        items = [
            {
                "apiVersion": "seatpool.io/v1alpha1",
                "kind": kind,
                "metadata": {"name": name, "namespace": namespace},
                "spec": spec,
            }
            for (kind, name), spec in specs.items()
        ]
        return json.dumps({"apiVersion": "v1", "kind": "List", "items": items})
