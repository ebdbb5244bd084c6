import asyncio

import pytest
import structlog
from kubernetes.aio.client import ApiClient
from prometheus_client import CollectorRegistry
from tests.waiting import PATIENCE

from seatpool.api.workbench import Workbench
from seatpool.control.metrics import ControlMetrics
from seatpool.control.status.writer import Pace, Postponed, StatusWriter
from seatpool.kube.client import Body, KubeClient


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


async def test_an_undecided_status_is_due_after_a_moment_even_if_nothing_else_is_marked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was rendered again with the statuses that may be late, and so up to 15 s after it was due."""
    monkeypatch.setattr("seatpool.control.status.writer.LATER_INTERVAL", 3600.0)
    api, was_due = ApiClient(), asyncio.Event()

    def render(_key: str, *, due: bool) -> Body | Postponed | None:
        if not due:
            return Postponed.UNDECIDED
        was_due.set()
        return None

    writer = StatusWriter(
        Workbench,
        render,
        pace=Pace(delay=0, per_second=100, concurrency=1),
        kube=KubeClient(api),
        metrics=ControlMetrics(CollectorRegistry()),
        log=structlog.get_logger(),
    )
    writing = asyncio.create_task(writer.run())
    writer.mark("lab/i-1")
    async with asyncio.timeout(60):
        await was_due.wait()
    writing.cancel()
    await asyncio.wait([writing], timeout=5)
    await api.close()
