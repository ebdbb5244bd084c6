"""A storm of messages must neither fill the memory nor keep the rest of the operator from its work.

AWS runs in a process of its own, so that what grows here is ours. The stand-in is slow with a long queue, so the storm is
sent as fast as it is taken: every receive is full all the time. `SEATPOOL_STORM=20000` makes it a real one.
"""

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import structlog
from prometheus_client import CollectorRegistry
from tests.waiting import PATIENCE

from seatpool.api.workbench import Workbench
from seatpool.kube.client import KubeClient
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.mirror import Mirror
from seatpool.servers.ssm.document import document_json
from seatpool.sim.aws import AwsProcess
from seatpool.sim.controlplane import ControlPlane
from seatpool.sim.envelopes import state_change, workbench_event
from seatpool.sim.site import Site

MESSAGES = int(os.environ.get("SEATPOOL_STORM", "3000"))
"""With fewer the storm is over before there are so many reads that a percentile of them tells anything."""
ACCOUNT, REGION = "123456789012", "eu-central-1"
WORKBENCHES = 200
PORTION, WAITING = 100, 100
MOST_GROWTH = 64 * 1024 * 1024
LONGEST_LAG = 0.5


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with AwsProcess(tmp_path) as aws:
        yield Site.create(aws, document=document_json())


def storm(site: Site) -> None:
    """Strangers, workbenches that flap, damaged and large ones, all mixed."""
    at, place = datetime.now(UTC) - timedelta(minutes=10), {"account": ACCOUNT, "region": REGION}
    bodies: list[str] = []
    for number in range(MESSAGES):
        kind = number % 20
        instance = f"i-{number % WORKBENCHES:017x}"
        state = "running" if number % 2 else "stopped"
        stranger = state_change(instance_id=f"i-{number + 10**6:017x}", state=state, at=at, **place)
        if kind < 6:
            event = workbench_event(instance_id=instance, state=state, at=at, owner="ann", type="vew-matlab", **place)
            bodies.append(json.dumps(event))
        elif kind == 6:
            bodies.append("not json" + "x" * 100)
        elif kind == 7:
            bodies.append(json.dumps(stranger | {"source": "aws.health", "padding": "x" * 20_000}))
        else:
            bodies.append(json.dumps(stranger))
    sqs = site.client("sqs")
    for start in range(0, len(bodies), PORTION):
        while start and site.waiting_events() > WAITING:
            time.sleep(0.02)
        for first in range(start, min(start + PORTION, len(bodies)), 10):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[first : first + 10])]
            sqs.send_message_batch(QueueUrl=site.queue_url, Entries=entries)


def resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def measure(work: Callable[[], Awaitable[Any]], into: list[float], *, every: float) -> None:
    while True:
        began = time.monotonic()
        await work()
        into.append(time.monotonic() - began)
        await asyncio.sleep(every)


async def late() -> None:
    await asyncio.sleep(0.01)


def session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def test_a_storm_neither_fills_the_memory_nor_starves_whoever_else_has_work(
    site: Site, control_plane: ControlPlane, namespace: str
) -> None:
    account = {"account": ACCOUNT, "regions": [REGION], "namespace": namespace, "inventory": False}
    config = MirrorConfig.model_validate(
        {"queue": site.queue_url, "region": REGION, "endpoint_url": site.endpoint, "accounts": [account],
         "resync_interval": "1h", "describe_lag": "0s", "long_poll": "1s"}
    )  # fmt: skip
    kube = await KubeClient.connect(kubeconfig=str(control_plane.kubeconfig))
    registry = CollectorRegistry()
    mirror = Mirror(config, kube, registry=registry, log=structlog.get_logger(), session_factory=session)
    running = asyncio.create_task(mirror.run())
    await asyncio.wait_for(mirror.ready.wait(), PATIENCE)
    before = resident()
    lags: list[float] = []
    reads: list[float] = []
    sizes: list[int] = []

    async def read() -> None:
        sizes.append(resident())
        await kube.list_page(Workbench, namespace=namespace, limit=1)

    watching = [
        asyncio.create_task(measure(late, lags, every=0)),
        asyncio.create_task(measure(read, reads, every=0.05)),
    ]
    began = time.monotonic()
    await asyncio.wait_for(asyncio.to_thread(storm, site), 60 + MESSAGES / 20)
    while await asyncio.to_thread(site.waiting_events):
        assert time.monotonic() - began < 60 + MESSAGES / 20
        await asyncio.sleep(0.1)
    took = time.monotonic() - began
    for task in (*watching, running):
        task.cancel()
    await asyncio.gather(*watching, running, return_exceptions=True)
    await kube.close()

    growth = max(sizes) - before
    structlog.get_logger().info(
        "storm", messages=MESSAGES, seconds=round(took, 1), per_second=round(MESSAGES / took),
        growth_mib=round(growth / 2**20, 1), lag_p99_ms=round(percentile(lags, 0.99) * 1000 - 10),
        lag_worst_ms=round(max(lags) * 1000 - 10), read_p50_ms=round(percentile(reads, 0.5) * 1000, 1),
        read_p99_ms=round(percentile(reads, 0.99) * 1000, 1),
    )  # fmt: skip
    assert site.dead_letters() == MESSAGES // 20
    assert registry.get_sample_value("seatpool_mirror_objects") == min(WORKBENCHES, MESSAGES) * 6 // 20
    assert growth < MOST_GROWTH
    assert percentile(lags, 0.99) < LONGEST_LAG
    assert percentile(reads, 0.99) < 2 * LONGEST_LAG
