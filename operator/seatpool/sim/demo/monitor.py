"""Reads the state of the demo in threads: the journal and the queue often, the statuses of the pools as kubectl does."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from seatpool.api.licensepool import LicensePool
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import KubeError
from seatpool.sim.demo.expected_needs import ExpectedNeeds
from seatpool.sim.demo.latency import latency_of
from seatpool.sim.demo.options import DemoError
from seatpool.sim.demo.record import Records
from seatpool.sim.demo.stage import NAMESPACE, Stage
from seatpool.sim.demo.verdict import QueueChecks

__all__ = ["Monitor", "PoolRow", "SeatChange"]

JOURNAL_EVERY = 0.05
QUEUE_EVERY = 0.25
POOLS_EVERY = 0.5
CHANGES_KEPT = 200


@dataclass(frozen=True, slots=True)
class PoolRow:
    """Status of a pool."""

    name: str
    product: str
    seats: int
    used: int
    waiting: int
    queue: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SeatChange:
    """A user came on a list or went off it."""

    at: float
    product: str
    user: str
    on: bool
    latency: float | None
    """Seconds since the event that caused it. None: the user had waited, or it is not known."""


class Monitor:
    """Reads until it is left. Its attributes may be read at any time."""

    def __init__(self, stage: Stage, expected: ExpectedNeeds) -> None:
        self.changed: Callable[[SeatChange], None] = lambda _change: None
        """Called for each change, on a thread of this object."""
        self.records = Records()
        self.queue_checks = QueueChecks()
        self.pools: tuple[PoolRow, ...] = ()
        self.changes: deque[SeatChange] = deque(maxlen=CHANGES_KEPT)
        self.queue_depth = 0
        self._stage = stage
        self._expected = expected
        self._end = threading.Event()
        self._failure: BaseException | None = None
        self._reading = threading.Lock()
        self._threads = [
            threading.Thread(target=self._guarded, args=(look,), name=f"watching {look.__name__}", daemon=True)
            for look in (self._watch_journal, self._watch_queue, self._watch_pools)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def check(self) -> None:
        """Raises DemoError if a part that must run does not."""
        self._stage.operator.check()
        if self._failure is not None:
            raise DemoError(f"looking at it failed: {self._failure!r}") from self._failure

    def read_journal(self) -> None:
        """Reads all new entries of the license server's journal."""
        with self._reading:
            for entry in self._stage.lists.journal():
                for at, product, user, on in self.records.add(entry):
                    latency = None
                    if product in self._expected.pools:
                        latency = latency_of(self._expected, product, user, on=on, at=at)
                    change = SeatChange(at, product, user, on, latency)
                    self.changes.append(change)
                    self.changed(change)

    def shown_list(self, product: str) -> tuple[str, tuple[str, ...]]:
        """Returns where the product's list is, and the users on it."""
        with self._reading:
            return self._stage.lists.place(product), self._stage.lists.users(product)

    def _guarded(self, look: Callable[[], None]) -> None:
        try:
            look()
        except Exception as error:  # noqa: BLE001
            self._failure = self._failure or error

    def _watch_journal(self) -> None:
        while not self._end.wait(JOURNAL_EVERY):
            self.read_journal()

    def _watch_queue(self) -> None:
        while not self._end.wait(QUEUE_EVERY):
            asked = time.time()
            self.queue_depth = self._stage.site.waiting_events()
            if self.queue_depth == 0:
                self.queue_checks.record_empty(asked)

    def _watch_pools(self) -> None:
        asyncio.run(self._list_pools())

    async def _list_pools(self) -> None:
        kube = await KubeClient.connect(kubeconfig=str(self._stage.plane.kubeconfig))
        try:
            while not self._end.is_set():
                try:
                    items, _ = await kube.list_all(LicensePool, namespace=NAMESPACE)
                    self.pools = tuple(_row(item) for item in items)
                except KubeError:
                    pass  # the last statuses stay on the screen
                await asyncio.sleep(POOLS_EVERY)
        finally:
            await kube.close()


def _row(item: dict[str, Any]) -> PoolRow:
    spec, status = item["spec"], item.get("status", {})
    return PoolRow(
        name=item["metadata"]["name"],
        product=spec["product"],
        seats=spec["seats"],
        used=status.get("used", 0),
        waiting=status.get("waiting", 0),
        queue=tuple(entry["user"] for entry in status.get("queue", ())),
    )
