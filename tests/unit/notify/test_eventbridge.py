"""Whatever a call of the bus ends with, its notices are sent again."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest

from seatpool.domain.errors import SeatpoolError
from seatpool.notify.config import NotifyConfig
from seatpool.notify.eventbridge import EventBridgeSender
from seatpool.notify.notices import SeatAssigned

BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/licenses"
NOTICE = SeatAssigned(
    id="0" * 32, at=datetime(2026, 3, 2, tzinfo=UTC), installation="tests", pool="lab/matlab", product="matlab",
    server="lab/licenses", user="ann", reason="Granted", since=datetime(2026, 3, 2, tzinfo=UTC), revision=1,
)  # fmt: skip


def odd_session() -> boto3.Session:
    """A session whose calls end with an error that a Future does not take."""

    def end(**_: Any) -> None:
        raise StopIteration

    session = boto3.Session(aws_access_key_id="x", aws_secret_access_key="y", region_name="eu-central-1")
    session.events.register("before-call.events.PutEvents", end)
    return session


async def test_an_error_that_no_future_takes_is_an_error_of_the_receiver() -> None:
    sender = EventBridgeSender(NotifyConfig(bus=BUS), session_factory=odd_session)
    try:
        with pytest.raises(SeatpoolError, match="StopIteration"):
            async with asyncio.timeout(30):
                await sender.send([NOTICE])
    finally:
        await sender.close()
