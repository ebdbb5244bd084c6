import asyncio

import structlog
from kubernetes.aio.client import ApiClient
from prometheus_client import CollectorRegistry
from tests.waiting import PATIENCE

from seatpool.api.workbench import Workbench
from seatpool.control.metrics import ControlMetrics
from seatpool.control.status.writer import Pace, StatusWriter
from seatpool.kube.client import KubeClient


async def test_it_ends_when_it_is_cancelled_in_the_moment_in_which_something_is_marked() -> None:
    api = ApiClient()
    writer = StatusWriter(
        Workbench,
        lambda _key, *, due: None,
        pace=Pace(delay=0, per_second=100, concurrency=1),
        kube=KubeClient(api),
        metrics=ControlMetrics(CollectorRegistry()),
        log=structlog.get_logger(),
    )
    writing = asyncio.create_task(writer.run())
    await asyncio.sleep(0.01)
    writer.mark("lab/i-1")
    writing.cancel()
    await asyncio.wait([writing], timeout=PATIENCE)
    assert writing.cancelled()
    await api.close()
