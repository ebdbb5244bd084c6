"""Measures `seatpool web` in the large installation, beside its operator: how long requests wait, and what they cost.

Callers have real tokens, and the API server decides what they may see. Requests leave at a constant rate, whether the ones
before are answered or not, so a slow answer is not hidden. Then pages are open while workbenches stop and start.
"""

import asyncio
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import aiohttp

from benchmarks import start_up
from benchmarks.fleet_of_many import NAMESPACE, POOLS, SERVERS, create_workbenches, instance, owner_of
from benchmarks.site import OperatorRun, Place, free_port
from seatpool.api.workbench import Workbench

WORKBENCHES = 10_000
CALLERS = 40
RATE = 200.0
"""Requests in a second."""
SECONDS = 30.0
WARM_UP = 30.0
"""Seconds of requests before those that are measured: the estimate of each waiting line is computed once."""
STREAMS = 200
STREAMS_FOR = 600.0
SAMPLE = 30.0
"""Seconds between two looks at the memory while the streams are open."""
CHANGES = 20.0
"""Workbenches that stop or start in a second while the streams are open."""
WEB = ("-m", "seatpool", "web", "--config")
AUDIENCE = "seatpool"
READS = "licensepools.seatpool.io,licenseservers.seatpool.io,seatledgers.seatpool.io,workbenches.seatpool.io"


@dataclass(frozen=True, slots=True)
class Web:
    """Measurements of the HTTP API."""

    workbenches: int
    ready: float
    """Seconds from the start of the process until it answers."""
    p50_ms: dict[str, float]
    p99_ms: dict[str, float]
    cpu_ms: float
    """Processor time of a request, in milliseconds."""
    memory_mb: float
    streams_mb: Sequence[float]
    """Memory while the streams were open, one value a SAMPLE."""
    streams_cpu: float
    """Share of a processor that the streams took."""


def measure(*, say: Callable[[str], None], workbenches: int = WORKBENCHES) -> Web:
    with Place(servers=SERVERS, quick=True) as place:
        start_up.set_up(place, NAMESPACE)
        asyncio.run(create_workbenches(place, range(workbenches)))
        start_up.settle(place)
        say(f"{workbenches:,} workbenches, every status is written")
        tokens = _callers(place)
        port = free_port()
        mapping = {f"system:serviceaccount:{NAMESPACE}:caller{n}": owner_of(n) for n in range(CALLERS)}
        web = {"port": port, "host": "127.0.0.1", "requests_per_minute": 1_000_000, "streams_per_caller": STREAMS}
        with (
            start_up.operator(place, "beside"),
            place.operator("web", program=WEB, web=web, identity={"mapping": mapping}) as server,
        ):
            ready = server.until_ready()
            say(f"ready after {ready:.1f} s, {server.process.memory_mb():.0f} MB")
            return asyncio.run(_measured(place, server, port, tokens, workbenches, ready, say))


async def _measured(
    place: Place,
    server: OperatorRun,
    port: int,
    tokens: Sequence[str],
    workbenches: int,
    ready: float,
    say: Callable[[str], None],
) -> Web:
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", connector=aiohttp.TCPConnector(limit=0)) as session:
        await _load(session, tokens, seconds=WARM_UP)
        cpu = server.process.cpu_seconds()
        times = await _load(session, tokens, seconds=SECONDS)
        count = sum(map(len, times.values()))
        cpu_ms = (server.process.cpu_seconds() - cpu) / count * 1000
        memory = server.process.memory_mb()
        p50 = {kind: statistics.median(found) * 1000 for kind, found in times.items()}
        p99 = {kind: statistics.quantiles(found, n=100)[98] * 1000 for kind, found in times.items()}
        say(f"p99 {p99}, {cpu_ms:.2f} ms of a processor each, {memory:.0f} MB")
        streams_mb, streams_cpu = await _streams(place, server, session, tokens)
        say(f"{STREAMS} streams: {', '.join(f'{one:.0f}' for one in streams_mb)} MB, {streams_cpu:.2f} processors")
    return Web(workbenches, ready, p50, p99, cpu_ms, memory, streams_mb, streams_cpu)


async def _load(session: aiohttp.ClientSession, tokens: Sequence[str], *, seconds: float) -> dict[str, list[float]]:
    """Sends requests at the rate. Returns how many seconds each took, by kind."""
    rng, times, asked = random.Random(1), defaultdict[str, list[float]](list), []

    async def ask(kind: str, path: str, token: str) -> None:
        began = time.perf_counter()
        async with session.get(path, headers={"Authorization": f"Bearer {token}"}) as answer:
            await answer.read()
            answer.raise_for_status()
        times[kind].append(time.perf_counter() - began)

    began = time.perf_counter()
    for number in range(round(RATE * seconds)):
        kind, path = (
            ("me", "/api/v1/me"),
            ("pools", "/api/v1/pools"),
            ("pool", f"/api/v1/pools/{NAMESPACE}/pool-{rng.randrange(POOLS)}"),
        )[number % 3]
        asked.append(asyncio.create_task(ask(kind, path, rng.choice(tokens))))
        await asyncio.sleep(max(0.0, began + number / RATE - time.perf_counter()))
    await asyncio.gather(*asked)
    return times


async def _streams(
    place: Place, server: OperatorRun, session: aiohttp.ClientSession, tokens: Sequence[str]
) -> tuple[list[float], float]:
    """Returns memory over time, and the share of a processor, with the streams open and workbenches changing."""
    memory: list[float] = []

    async def sample() -> None:
        while True:
            await asyncio.sleep(SAMPLE)
            memory.append(server.process.memory_mb())

    async def follow(path: str, token: str) -> None:
        forever = aiohttp.ClientTimeout(total=None)
        async with session.get(path, headers={"Authorization": f"Bearer {token}"}, timeout=forever) as events:
            events.raise_for_status()
            async for _ in events.content.iter_any():
                pass

    async def change() -> None:
        kube = await place.kube()
        try:
            for number in range(round(CHANGES * STREAMS_FOR)):
                state = "stopped" if number % 2 else "running"
                await kube.merge_patch(Workbench, NAMESPACE, instance(number % 500), {"spec": {"state": state}})
                await asyncio.sleep(1 / CHANGES)
        finally:
            await kube.close()

    following = [
        asyncio.create_task(follow(_stream_of_page(number), tokens[number % len(tokens)])) for number in range(STREAMS)
    ]
    await asyncio.sleep(5)
    began, cpu = time.monotonic(), server.process.cpu_seconds()
    sampling = asyncio.create_task(sample())
    await change()
    sampling.cancel()
    share = (server.process.cpu_seconds() - cpu) / (time.monotonic() - began)
    for one in following:
        if one.done():
            one.result()
        one.cancel()
    await asyncio.gather(*following, return_exceptions=True)
    return memory, share


def _stream_of_page(number: int) -> str:
    """Returns the stream of an open page: one in two shows own seats, most others a pool, and one in ten all of them."""
    if number % 2:
        return "/stream?page=seat"
    return "/stream?page=pools" if number % 10 == 0 else f"/stream?page=pool&target={NAMESPACE}/pool-{number % POOLS}"


def _callers(place: Place) -> list[str]:
    """Makes ServiceAccounts that may look at everything. Returns their tokens."""
    kubectl = place.plane.kubectl
    kubectl("create", "clusterrole", "web-callers", "--verb=get,list,watch", f"--resource={READS}")
    tokens = []
    for number in range(CALLERS):
        name = f"caller{number}"
        kubectl("create", "serviceaccount", name, "--namespace", NAMESPACE)
        subject = f"--serviceaccount={NAMESPACE}:{name}"
        kubectl("create", "rolebinding", name, "--namespace", NAMESPACE, "--clusterrole=web-callers", subject)
        tokens.append(kubectl("create", "token", name, "--namespace", NAMESPACE, f"--audience={AUDIENCE}").strip())
    return tokens
