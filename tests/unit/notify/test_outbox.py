"""Notices leave in order, at least once, and never in anybody's way."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import structlog
from prometheus_client import CollectorRegistry
from tests.unit.notify.receivers import Receiver, assigned
from tests.waiting import PATIENCE

from seatpool.notify.outbox import NotifyMetrics, Outbox


class Running:
    def __init__(self, *receivers: Receiver, capacity: int = 100) -> None:
        self.registry = CollectorRegistry()
        self.outbox = Outbox(
            receivers,
            capacity=capacity,
            metrics=NotifyMetrics(self.registry),
            log=structlog.get_logger(),
            rng=random.Random(1),
            first_pause=0.01,
        )

    def tell(self, *users: str) -> None:
        for user in users:
            self.outbox.tell(assigned(user))

    def count(self, result: str, receiver: str = "receiver") -> float:
        labels = {"receiver": receiver, "result": result}
        return self.registry.get_sample_value("seatpool_notices_total", labels) or 0

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.outbox.run())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def test_notices_arrive_in_the_order_in_which_they_were_told() -> None:
    receiver = Receiver()
    running = Running(receiver)
    running.tell("ann", "bob", "eve", "dora")
    async with running.going():
        await until(lambda: len(receiver.taken) == 4)
    assert receiver.taken == ["ann", "bob", "eve", "dora"]
    assert receiver.calls == 2
    assert receiver.closed


async def test_a_receiver_that_was_away_gets_everything_when_it_is_back() -> None:
    receiver = Receiver()
    receiver.is_away = True
    running = Running(receiver)
    async with running.going():
        running.tell("ann", "bob")
        await until(lambda: receiver.calls >= 2)
        receiver.is_away = False
        await until(lambda: receiver.taken == ["ann", "bob"])
    assert running.count("sent") == 2
    assert running.count("failed") >= 4


async def test_telling_never_waits_for_a_receiver_that_is_away_and_the_oldest_go_when_the_lane_is_full() -> None:
    receiver = Receiver()
    receiver.is_away = True
    running = Running(receiver, capacity=2)
    running.tell("ann", "bob", "eve")
    receiver.is_away = False
    async with running.going():
        await until(lambda: len(receiver.taken) == 2)
    assert receiver.taken == ["bob", "eve"]
    assert running.count("dropped") == 1


async def test_one_receiver_that_is_away_does_not_stop_another() -> None:
    well, away = Receiver(), Receiver()
    away.is_away, away.name = True, "away"
    running = Running(away, well)
    async with running.going():
        running.tell("ann")
        await until(lambda: well.taken == ["ann"])
    assert away.taken == []


async def test_what_was_not_taken_of_a_batch_is_sent_again_alone() -> None:
    receiver = Receiver()
    receiver.refuses = {"bob"}
    running = Running(receiver)
    async with running.going():
        running.tell("ann", "bob", "eve")
        await until(lambda: receiver.calls >= 2)
        receiver.refuses = set()
        await until(lambda: "bob" in receiver.taken)
    assert receiver.taken == ["ann", "eve", "bob"]


async def test_the_same_news_told_twice_before_it_left_is_one_notice() -> None:
    receiver = Receiver()
    running = Running(receiver)
    running.tell("ann", "ann")
    async with running.going():
        await until(lambda: receiver.taken)
    assert receiver.taken == ["ann"]


async def test_what_still_waits_at_the_end_is_tried_once_more() -> None:
    receiver = Receiver()
    running = Running(receiver)
    async with running.going():
        await asyncio.sleep(0)
        running.tell("ann")
    assert receiver.taken == ["ann"]


def test_an_outbox_without_receivers_takes_notices_and_forgets_them() -> None:
    running = Running()
    running.tell("ann")
    assert not running.outbox.is_used
