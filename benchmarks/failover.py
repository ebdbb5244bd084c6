"""Measures from the end of the leader to a list with a new user on it, by the license server's own record.

Two replicas share a Lease. `python -m benchmarks.failover` measures with one workbench and with ten thousand. A new
leader decides nothing by what it had in memory. It lists everything again, and that grows with the fleet.
"""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table

from benchmarks.fleet_of_many import NAMESPACE, SERVERS, create_workbenches, pools, workbench
from benchmarks.site import Body, OperatorRun, Place

FLEETS = (1, 10_000)
REPEATS = 3
NEW = 900_000
LIMIT = 120.0


def main() -> None:
    console = Console()
    table = Table("workbenches", "how the leader ends", "seconds to the list", title="failover")
    for fleet in FLEETS:
        for how, seconds in measure(fleet).items():
            table.add_row(f"{fleet:,}", how, ", ".join(f"{one:.1f}" for one in seconds))
    console.print(table)


def measure(fleet: int) -> dict[str, list[float]]:
    """Measures each way to end the leader several times."""
    with Place(servers=SERVERS, quick=True) as place:
        place.namespace(NAMESPACE)
        place.apply(place.server(NAMESPACE, number, verifyInterval="1h") for number in range(SERVERS))
        place.apply(pools())
        asyncio.run(create_workbenches(place, range(fleet)))
        numbers = iter(range(1_000))
        start: Callable[[], OperatorRun] = lambda: _operator(place, f"replica-{next(numbers)}")  # noqa: E731
        leader = start()
        leader.until_in_sync(SERVERS)
        told: dict[str, list[float]] = {}
        for how, number in (("kill -9", signal.SIGKILL), ("SIGTERM", signal.SIGTERM)):
            for _ in range(REPEATS):
                standby = start()
                standby.until_ready()
                time.sleep(5)
                began = time.monotonic()
                leader.process.child.send_signal(number)
                told.setdefault(how, []).append(_until_served(place, next(numbers)) - began)
                leader.process.end()
                leader = standby
                leader.until_in_sync(SERVERS)
        leader.process.end()
        return told


def _operator(place: Place, name: str) -> OperatorRun:
    election = {"enabled": True, "namespace": NAMESPACE}
    return place.operator(name, namespaces=[NAMESPACE], leader_election=election)


def _until_served(place: Place, number: int) -> float:
    """Starts a workbench now and returns when its owner is on the list."""
    person = f"newcomer{number}"
    place.apply([_of(person, number)])
    host = place.nodes[1].host
    deadline = time.monotonic() + LIMIT
    while person not in host.users("product-1"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"{person} is not on the list within {LIMIT:g} s")
        time.sleep(0.02)
    return time.monotonic()


def _of(person: str, number: int) -> Body:
    body: Body = json.loads(json.dumps(workbench(NEW + number)))
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    body["spec"] |= {"owner": person, "type": "vew-1", "stateChangedAt": now, "launchedAt": now}
    return body


if __name__ == "__main__":
    main()
