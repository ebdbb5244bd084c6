"""Measures from the start of the process until all lists are in sync, and the memory, as the fleet grows.

Two references in the same run: a plain paged LIST of the same objects, the lower bound of every program that reads
them, and an operator that uses Kopf as its tutorial does. A start is measured after an earlier process has done its
work. In the comparison that is all of it, with the statuses, and commands of users run there (see `answers`). As the
fleet grows it is the lists alone, because 20,000 statuses take minutes to write.
"""

import asyncio
import itertools
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks import answers
from benchmarks.fleet_of_many import NAMESPACE, SERVERS, create_workbenches, pools, workbenches_of
from benchmarks.measured import MeasuredProcess
from benchmarks.site import ACCOUNT, REGION, OperatorRun, Place

SIZES = (1_000, 2_000, 5_000, 10_000, 20_000)
COMPARED_AT = 10_000
REPEATS = 3
FULL = 40
"""Seats of every tenth pool, for 60 users. The others wait."""
STATUSES_PER_SECOND = 1_000
"""The measurement begins when all statuses are written."""
LOOK_EVERY = 1.0
GROWING = "growing"
NAIVE = "naive"


@dataclass(frozen=True, slots=True)
class Start:
    """Measurements of one start."""

    objects: int
    seconds: float
    peak_mb: float
    known: float = 0.0
    """Seconds until every object was read."""


@dataclass(frozen=True, slots=True)
class StartUp:
    """All measurements. At the size of the comparison the LIST and the compared start are medians."""

    compared: Start
    listing: Start
    first: Start
    """The very first start at this size: nothing on the servers, and no ledger."""
    naive_first: Start
    answers: answers.Answers
    """Times of the commands of users, at the size of the comparison."""
    growth: tuple[Start, ...]


def measure(
    *, say: Any, sizes: tuple[int, ...] = SIZES, compared_at: int = COMPARED_AT, repeats: int = REPEATS
) -> StartUp:
    with Place(servers=SERVERS, quick=True) as place:
        set_up(place, NAMESPACE)
        asyncio.run(create_workbenches(place, range(compared_at)))
        first = _start(place, compared_at, name="first")
        say(f"{compared_at:,} for the first time: {first.seconds:.1f} s, {first.peak_mb:.0f} MB")
        settle(place)
        listing = median(_list(place, compared_at) for _ in range(repeats))
        say(f"plain LIST of {compared_at:,}: {listing.seconds:.2f} s, {listing.peak_mb:.0f} MB")
        compared = median(_start(place, compared_at, name=f"again-{n}") for n in range(repeats))
        say(f"{compared_at:,} objects: {compared.seconds:.2f} s, {compared.peak_mb:.0f} MB")
        asked = answers.measure(place, compared_at, say=say)
        place.namespace(NAIVE)
        asyncio.run(create_workbenches(place, range(compared_at), namespace=NAIVE))
        naive_first = _naive(place, compared_at)
        say(f"naive Kopf operator for the first time: {naive_first.seconds:.1f} s, {naive_first.peak_mb:.0f} MB")
        growth = _grow(place, sizes, say=say)
    return StartUp(compared, listing, first, naive_first, asked, tuple(growth))


def _grow(place: Place, sizes: tuple[int, ...], *, say: Any) -> list[Start]:
    set_up(place, GROWING)
    growth = []
    for before, size in itertools.pairwise((0, *sizes)):
        asyncio.run(create_workbenches(place, range(before, size), namespace=GROWING))
        with operator(place, f"growing-{size}", GROWING) as running:
            running.until_in_sync(SERVERS)
        growth.append(_start(place, size, name=f"grown-{size}", namespace=GROWING))
        say(f"{size:,} objects without statuses: {growth[-1].seconds:.1f} s, {growth[-1].peak_mb:.0f} MB")
    return growth


def set_up(place: Place, namespace: str) -> None:
    """Makes servers and pools."""
    place.namespace(namespace)
    place.apply(place.server(namespace, number, verifyInterval="1h") for number in range(SERVERS))
    place.apply(pools(namespace, full=FULL))


def settle(place: Place) -> None:
    """Runs an operator until all work is done, with the statuses."""
    with operator(place, "settling", status={"workbenches_per_second": STATUSES_PER_SECOND}) as running:
        running.until_in_sync(SERVERS)
        written, told = 0.0, False
        while not told:
            time.sleep(LOOK_EVERY)
            running.process.check()
            before, written = written, running.total("seatpool_kube_writes_total")
            if before == written:  # because reading all of them is slow
                told = all(one.get("status", {}).get("conditions") for one in workbenches_of(place, NAMESPACE))


def _start(place: Place, size: int, *, name: str, namespace: str = NAMESPACE) -> Start:
    with operator(place, name, namespace) as running:
        seconds = running.until_in_sync(SERVERS)
        time.sleep(2)  # because objects that it still reads count as memory
        known = running.seconds_until_logged("listed")
        return Start(size, seconds, running.process.peak_mb(), known)


def operator(place: Place, name: str, namespace: str = NAMESPACE, **settings: Any) -> OperatorRun:
    return place.operator(name, namespaces=[namespace], mirror=_mirror(place, namespace), **settings)


def _mirror(place: Place, namespace: str) -> dict[str, Any]:
    """Creates workbenches as the mirror writes them."""
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
    with MeasuredProcess(["-m", "benchmarks.plain_list", place.plane.kubeconfig, NAMESPACE], log=log) as process:
        seconds = process.wait(seconds=120)
    told = json.loads(log.read_text())
    if told["objects"] != size:
        raise RuntimeError(f"the LIST has {told['objects']} objects, not {size}")
    return Start(size, seconds, told["peak_mb"])


def _naive(place: Place, size: int) -> Start:
    log = place.directory / "naive.log"
    log.unlink(missing_ok=True)
    arguments = ["-m", "benchmarks.naive_operator", place.plane.kubeconfig, NAIVE, str(size)]
    with MeasuredProcess(arguments, log=log) as process:
        while not any(line.startswith('{"handled"') for line in log.read_text().splitlines()):
            process.check()
            if process.age > 300:
                raise RuntimeError(f"the naive operator has not handled everything: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        start = Start(size, process.age, process.peak_mb())
        process.kill()  # because it would not end within the 10 s of grace
        return start


def median(starts: Iterator[Start]) -> Start:
    measured = list(starts)
    return Start(
        measured[0].objects,
        statistics.median(one.seconds for one in measured),
        statistics.median(one.peak_mb for one in measured),
        statistics.median(one.known for one in measured),
    )
