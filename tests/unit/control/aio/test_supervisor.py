"""A task that failed is noticed; one that was ended is not."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog
from prometheus_client import CollectorRegistry

from seatpool.control.aio.supervisor import Supervisor
from seatpool.control.metrics import ControlMetrics


@pytest.fixture
async def tasks() -> AsyncIterator[Supervisor]:
    made = Supervisor(metrics=ControlMetrics(CollectorRegistry()), log=structlog.get_logger())
    yield made
    await made.cancel_all()


async def fail() -> None:
    raise ZeroDivisionError("by zero")


async def forever() -> None:
    await asyncio.Event().wait()


async def test_a_task_that_failed_is_dead_and_told_with_its_reason(tasks: Supervisor) -> None:
    await tasks.start_vital("mirror", fail)
    assert tasks.failed == {"mirror": "ended: ZeroDivisionError: by zero"}


async def test_a_task_that_may_end_is_not_missed_when_it_fails(tasks: Supervisor) -> None:
    await tasks.start_job("finalizer of lab/matlab", fail)
    assert tasks.failed == {}


async def test_at_the_end_every_task_is_cancelled_and_none_is_dead(tasks: Supervisor) -> None:
    running = [tasks.start_vital(f"task {n}", forever) for n in range(3)]
    await asyncio.sleep(0)
    await tasks.cancel_all()
    assert all(task.cancelled() for task in running)
    assert tasks.failed == {}
