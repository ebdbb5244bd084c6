"""What an Event says is one printable line."""

import asyncio
from typing import Any, cast

import pytest
import structlog
from prometheus_client import CollectorRegistry
from tests.unit.control.objects import NOW, raw_workbench

from seatpool.api.base import Metadata
from seatpool.api.conditions import condition
from seatpool.api.reasons import EventReason
from seatpool.api.workbench import Workbench
from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks.event_recorder import MAX_MESSAGE, EventRecorder
from seatpool.kube.client import KubeClient

EVIL = "added: ann\x1b[2J\u202e\nbob\x9b"


class Written:
    """Stands for the API server and keeps the Events."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[str] = asyncio.Queue()

    async def write_event(self, namespace: str, name: str, body: dict[str, Any], *, create: bool) -> None:
        self.messages.put_nowait(body["message"])


@pytest.mark.parametrize("text", [EVIL, EVIL * 500])
async def test_an_event_has_no_control_character(text: str) -> None:
    kube = Written()
    recorder = EventRecorder(
        cast("KubeClient", kube), instance="me", metrics=ControlMetrics(CollectorRegistry()), log=structlog.get_logger(),
        clock=lambda: NOW,
    )  # fmt: skip
    running = asyncio.create_task(recorder.run())
    recorder.warning(Workbench, Metadata.model_validate(raw_workbench()["metadata"]), EventReason.DRIFT_DETECTED, text)
    said = await asyncio.wait_for(kube.messages.get(), 60)
    running.cancel()
    assert said.isprintable()
    assert said.startswith(r"added: ann\x1b[2J\u202e\nbob\x9b")
    assert len(said) <= MAX_MESSAGE


def test_a_condition_has_no_control_character() -> None:
    said = condition("Ready", False, "Odd", EVIL * 500, now=NOW).message
    assert said.isprintable()
    assert len(said) == 2048
