"""How long from the start of the process until all lists are in sync, and what memory it takes, as the fleet grows.

Beside it, in the same run: a plain paged LIST of the same objects, below which nobody gets who wants to know them, and
an operator that uses Kopf as its tutorial does. A start is measured where an earlier process has done its work: each
workbench has a status. At the size of the comparison people ask, too: see `answers`.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import answers
from benchmarks.fleet_of_many import NAMESPACE, SERVERS, create_workbenches, pools, workbenches_of
from benchmarks.measured import Measured
from benchmarks.site import ACCOUNT, REGION, Place

SIZES = (1_000, 2_000, 5_000, 10_000, 20_000)
COMPARED_AT = 10_000
REPEATS = 3
FULL = 40
"""Seats of every tenth pool, for 60 people: the others wait."""
STATUSES_PER_SECOND = 1_000
"""What is measured begins when all are written."""
LOOK_EVERY = 1.0
FRESH = "fresh"
"""Where nobody has looked at the objects yet."""


@dataclass(frozen=True, slots=True)
class Start:
    """One start."""

    objects: int
    seconds: float
    peak_mb: float
    known: float = 0.0
    """Seconds until every object had been read."""


@dataclass(frozen=True, slots=True)
class StartUp:
    """All of it; at the size of the comparison the LIST and the start that is compared with it are medians."""

    growth: tuple[Start, ...]
    first: Start
    """The very first start at the size of the comparison: nothing on the servers, nothing remembered."""
    listing: Start
    naive_first: Start
    answers: answers.Answers
    """What people wait for at the size of the comparison."""


def measure(
    *, say: Any, sizes: tuple[int, ...] = SIZES, compared_at: int = COMPARED_AT, repeats: int = REPEATS
) -> StartUp:
    with Place(servers=SERVERS, quick=True) as place:
        _set_up(place, NAMESPACE)
        growth, listing, asked = [], None, None
        done = 0
        for size in sizes:
            asyncio.run(create_workbenches(place, range(done, size)))
            done = size
            _settle(place, size)
            if size == compared_at:
                listing = median(_list(place, size) for _ in range(repeats))
                say(f"plain LIST of {size:,}: {listing.seconds:.2f} s, {listing.peak_mb:.0f} MB")
            again = median(
                _start(place, size, name=f"again-{size}-{n}") for n in range(repeats if size == compared_at else 1)
            )
            growth.append(again)
            say(f"{size:,} objects: {again.seconds:.1f} s, {again.peak_mb:.0f} MB")
            if size == compared_at:
                asked = answers.measure(place, size, say=say)
        _set_up(place, FRESH)
        asyncio.run(create_workbenches(place, range(compared_at), namespace=FRESH))
        first = _start(place, compared_at, name="first", namespace=FRESH)
        naive_first = _naive(place, compared_at)
        say(f"{compared_at:,} for the first time: {first.seconds:.1f} s, {first.peak_mb:.0f} MB")
        say(f"naive Kopf operator for the first time: {naive_first.seconds:.1f} s, {naive_first.peak_mb:.0f} MB")
    assert first is not None
    assert listing is not None
    assert asked is not None
    return StartUp(tuple(growth), first, listing, naive_first, asked)


def _set_up(place: Place, namespace: str) -> None:
    place.namespace(namespace)
    place.apply(place.server(namespace, number, verifyInterval="1h") for number in range(SERVERS))
    place.apply(pools(namespace, full=FULL))


def _settle(place: Place, size: int) -> None:
    """Have an operator do all there is to do, statuses and all."""
    status = {"workbenches_per_second": STATUSES_PER_SECOND}
    settings = {"namespaces": [NAMESPACE], "mirror": _mirror(place, NAMESPACE), "status": status}
    with place.operator(f"settling-{size}", **settings) as operator:
        operator.until_in_sync(SERVERS)
        written, told = 0.0, False
        while not told:
            time.sleep(LOOK_EVERY)
            operator.process.check()
            before, written = written, operator.total("seatpool_kube_writes_total")
            if before == written:  # to look at all of them is dear
                told = all(one.get("status", {}).get("conditions") for one in workbenches_of(place, NAMESPACE))


def _start(place: Place, size: int, *, name: str, namespace: str = NAMESPACE) -> Start:
    with place.operator(name, namespaces=[namespace], mirror=_mirror(place, namespace)) as operator:
        seconds = operator.until_in_sync(SERVERS)
        time.sleep(2)  # what it still takes in counts as memory
        known = operator.seconds_until_logged("listed")
        return Start(size, seconds, operator.process.peak_mb(), known)


def _mirror(place: Place, namespace: str) -> dict[str, Any]:
    """Workbenches have somebody who writes them."""
    account = {"account": ACCOUNT, "regions": [REGION], "namespace": namespace, "inventory": False}
    return {
        "queue": place.site.queue_url,
        "region": REGION,
        "endpoint_url": place.site.endpoint,
        "accounts": [account],
    }


def _list(place: Place, size: int) -> Start:
    log = place.directory / "list.log"
    log.unlink(missing_ok=True)
    with Measured(["-m", "benchmarks.plain_list", place.plane.kubeconfig, NAMESPACE], log=log) as process:
        seconds = process.wait(seconds=120)
    told = json.loads(log.read_text())
    if told["objects"] != size:
        raise RuntimeError(f"the LIST has {told['objects']} objects, not {size}")
    return Start(size, seconds, told["peak_mb"])


def _naive(place: Place, size: int) -> Start:
    log = place.directory / "naive.log"
    log.unlink(missing_ok=True)
    arguments = ["-m", "benchmarks.naive_operator", place.plane.kubeconfig, FRESH, str(size)]
    with Measured(arguments, log=log) as process:
        while not any(line.startswith('{"handled"') for line in log.read_text().splitlines()):
            process.check()
            if process.age > 300:
                raise RuntimeError(f"the naive operator has not handled everything: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        start = Start(size, process.age, process.peak_mb())
        process.kill()  # it would not end within the grace of ten seconds
        return start


def median(starts: Iterator[Start]) -> Start:
    measured = list(starts)
    return Start(
        measured[0].objects,
        statistics.median(one.seconds for one in measured),
        statistics.median(one.peak_mb for one in measured),
        statistics.median(one.known for one in measured),
    )
