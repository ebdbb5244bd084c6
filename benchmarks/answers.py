"""How long `seatpool status` and `seatpool why` take in the large installation, from the start of the process to its end.

Beside them, in the same run: a process that lists the same Workbenches from the API server's cache by aiohttp and does
nothing with them, and one that imports what such a command needs to ask, and asks nobody.
"""

import asyncio
import json
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fleet_of_many import NAMESPACE, SERVERS, create_workbenches, pools
from benchmarks.measured import Measured
from benchmarks.site import ACCOUNT, REGION, Place

WORKBENCHES = 10_000
REPEATS = 3
FULL = 40
"""Seats of every tenth pool, for 60 people: the others wait."""
LOOK_EVERY = 1.0
STATUSES_PER_SECOND = 1_000
"""What is measured begins when all are written."""


@dataclass(frozen=True, slots=True)
class Answers:
    """Medians, in seconds."""

    objects: int
    status: float
    why_waiting: float
    """Somebody who waits: what would have to happen is computed too."""
    why_seated: float
    start: float
    """What Python takes to start, and to import what asks."""
    listing: float


def measure(*, say: Any, workbenches: int = WORKBENCHES, repeats: int = REPEATS) -> Answers:
    with Place(servers=SERVERS, quick=True) as place:
        _set_up(place, workbenches, say=say)
        waiting, seated = _people(place)
        say(f"asked about {waiting}, who waits, and {seated}, who has every seat")
        rounds = [
            (
                _seatpool(place, "status"),
                _seatpool(place, "why", waiting, problems=True),
                _seatpool(place, "why", seated),
                _start(place),
                _list(place, workbenches),
            )
            for _ in range(repeats)
        ]
    found = Answers(workbenches, *(statistics.median(times) for times in zip(*rounds, strict=True)))
    say(
        f"status {found.status:.2f} s, why {found.why_waiting:.2f} and {found.why_seated:.2f} s, "
        f"start alone {found.start:.2f} s, plain LIST {found.listing:.2f} s"
    )
    return found


def _set_up(place: Place, workbenches: int, *, say: Any) -> None:
    """As the operator leaves it: every list in sync, every status written."""
    place.namespace(NAMESPACE)
    place.apply(place.server(NAMESPACE, number, verifyInterval="1h") for number in range(SERVERS))
    place.apply(pools(full=FULL))
    asyncio.run(create_workbenches(place, range(workbenches)))
    account = {"account": ACCOUNT, "regions": [REGION], "namespace": NAMESPACE, "inventory": False}
    mirror = {
        "queue": place.site.queue_url,
        "region": REGION,
        "endpoint_url": place.site.endpoint,
        "accounts": [account],
    }
    status = {"workbenches_per_second": STATUSES_PER_SECOND}
    with place.operator("operator", namespaces=[NAMESPACE], mirror=mirror, status=status) as operator:
        say(f"lists in sync after {operator.until_in_sync(SERVERS):.0f} s; statuses follow")
        while _without_status(place):
            operator.process.check()
            time.sleep(LOOK_EVERY)


def _without_status(place: Place) -> int:
    return sum(not one.get("status", {}).get("conditions") for one in _workbenches(place))


def _people(place: Place) -> tuple[str, str]:
    """Somebody whose workbenches wait, and somebody whose do not."""
    waits: dict[str, bool] = {}
    for one in _workbenches(place):
        waiting = any(seat["phase"] == "Waiting" for seat in one["status"].get("seats", ()))
        owner = one["spec"]["owner"]
        waits[owner] = waits.get(owner, False) or waiting
    return min(user for user in waits if waits[user]), min(user for user in waits if not waits[user])


def _workbenches(place: Place) -> list[dict[str, Any]]:
    path = f"/apis/seatpool.io/v1alpha1/namespaces/{NAMESPACE}/workbenches"
    found: list[dict[str, Any]] = json.loads(place.plane.kubectl("get", "--raw", path))["items"]
    return found


def _seatpool(place: Place, *words: str, problems: bool = False) -> float:
    """One command of the command line; `problems` is whether it has something to look at."""
    options = ["-n", NAMESPACE, "--kubeconfig", str(place.plane.kubeconfig)]
    return _run(place, ["-m", "seatpool.cli", *words, *options], code=int(problems))


def _start(place: Place) -> float:
    return _run(place, ["-c", "import seatpool.cli, seatpool.answers.looking"])


def _list(place: Place, size: int) -> float:
    seconds = _run(place, ["-m", "benchmarks.plain_list", str(place.plane.kubeconfig), NAMESPACE, "--cached"])
    told = json.loads(_log(place).read_text())
    if told["objects"] != size:
        raise RuntimeError(f"the LIST has {told['objects']} objects, not {size}")
    return seconds


def _run(place: Place, arguments: list[str], *, code: int = 0) -> float:
    log = _log(place)
    log.unlink(missing_ok=True)
    with Measured(arguments, log=log) as process:
        seconds = process.wait(seconds=120)
        if process.child.returncode != code:
            raise RuntimeError(
                f"{' '.join(arguments)} ended with {process.child.returncode}: {log.read_text()[-2000:]}"
            )
        return seconds


def _log(place: Place) -> Path:
    return place.directory / "answer.log"
