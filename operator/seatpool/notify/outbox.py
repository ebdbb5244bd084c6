"""Sends notices beside the reconcile loop and never delays it.

`tell` puts a notice into a queue for each receiver and cannot fail. The queue is sent again and again until the
receiver takes it. It is bounded. If it is full, the oldest notice is dropped and counted. The status of the objects
still has the truth.
"""

import asyncio
import contextlib
import random
from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from seatpool.backoff import SHORTENING_JITTER, Backoff
from seatpool.domain.errors import SeatpoolError
from seatpool.meters import Meters
from seatpool.notify.notices import Notice

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
LAST_TRY = 2.0


class NotDelivered(SeatpoolError):
    """A receiver took none of the notices. They are sent again."""


class Sender(Protocol):
    """Connection to one receiver."""

    name: str
    batch: int
    """Most notices in one call of `send`."""

    async def send(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """Sends the notices and returns those that have to be sent again. Raises NotDelivered if it is all of them."""

    async def close(self) -> None:
        """Closes the connections."""


class NotifyMetrics:
    """Metrics of the notices."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.meters = Meters(registry)
        self.notices = self.meters.counter("notices", "Notices, by what came of them.", "receiver", "result")
        self.waiting = self.meters.gauge("notices_waiting", "Notices that a receiver has not taken yet.", "receiver")


class Outbox:
    """Queues of all receivers."""

    def __init__(
        self,
        senders: Sequence[Sender],
        *,
        capacity: int,
        metrics: NotifyMetrics,
        log: FilteringBoundLogger,
        rng: random.Random,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._lanes = [
            _Lane(sender, capacity=capacity, metrics=metrics, log=log, rng=rng, first_pause=first_pause)
            for sender in senders
        ]

    @property
    def is_used(self) -> bool:
        """Tells whether there is a receiver."""
        return bool(self._lanes)

    def tell(self, notice: Notice) -> None:
        """Queues a notice for every receiver. Never waits and never fails."""
        for lane in self._lanes:
            lane.put(notice)

    def holds(self, notice_id: str) -> bool:
        """Tells whether a receiver has not taken the notice yet."""
        return any(lane.holds(notice_id) for lane in self._lanes)

    async def run(self) -> None:
        """Sends until it is cancelled. Then it tries once more to send what is queued, for at most 2 s."""
        try:
            await asyncio.gather(*(lane.run() for lane in self._lanes), asyncio.Event().wait())
        finally:
            with contextlib.suppress(TimeoutError, SeatpoolError):
                async with asyncio.timeout(LAST_TRY):
                    await asyncio.gather(*(lane.last_try() for lane in self._lanes))
            for lane in self._lanes:
                await lane.close()


class _Lane:
    """Queue of one receiver, the oldest notice first."""

    def __init__(
        self,
        sender: Sender,
        *,
        capacity: int,
        metrics: NotifyMetrics,
        log: FilteringBoundLogger,
        rng: random.Random,
        first_pause: float,
    ) -> None:
        self._sender = sender
        self._capacity = capacity
        self._metrics = metrics
        self._log = log.bind(receiver=sender.name)
        self._backoff = Backoff(rng, first=first_pause, longest=LONGEST_PAUSE, spread=SHORTENING_JITTER)
        self._waiting: OrderedDict[str, Notice] = OrderedDict()
        self._news = asyncio.Event()
        for result in ("sent", "failed", "dropped"):
            metrics.notices.labels(sender.name, result)

    def put(self, notice: Notice) -> None:
        if notice.id not in self._waiting and len(self._waiting) >= self._capacity:
            self._waiting.popitem(last=False)
            self._count("dropped", 1)
        self._waiting[notice.id] = notice
        self._metrics.waiting.labels(self._sender.name).set(len(self._waiting))
        self._news.set()

    def holds(self, notice_id: str) -> bool:
        return notice_id in self._waiting

    async def run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                await self._send_some()
                if self._backoff.failures:
                    await asyncio.sleep(self._backoff.remaining())

    async def last_try(self) -> None:
        while self._waiting and not self._backoff.failures:
            await self._send_some()

    async def close(self) -> None:
        await self._sender.close()

    async def _send_some(self) -> None:
        batch = list(self._waiting.values())[: self._sender.batch]
        try:
            again = await self._sender.send(batch)
        except SeatpoolError as error:
            self._failed(len(batch), str(error))
            return
        left = {notice.id for notice in again}
        for notice in batch:
            if notice.id not in left and self._waiting.get(notice.id) is notice:
                del self._waiting[notice.id]
        self._count("sent", len(batch) - len(left))
        self._metrics.waiting.labels(self._sender.name).set(len(self._waiting))
        if left:
            self._failed(len(left), "some were not taken")
        elif self._backoff.failures:
            self._backoff.succeeded()
            self._log.info("notices are taken again")

    def _failed(self, count: int, error: str) -> None:
        self._backoff.failed()
        self._count("failed", count)
        if self._backoff.failures in (1, 10, 100):
            self._log.warning("notices are not taken", error=error, waiting=len(self._waiting))

    def _count(self, result: str, count: int) -> None:
        if count:
            self._metrics.notices.labels(self._sender.name, result).inc(count)
