"""Posts events to a queue with the faults that EventBridge allows: out of order, twice, or never."""

import heapq
import itertools
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["DeliveryFaults", "EventPoster"]

BATCH = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFaults:
    """Faults of the delivery. Each share is of 1."""

    lose: float = 0.0
    duplicate: float = 0.0
    delay: tuple[float, float] = (0.0, 0.0)
    """Seconds, drawn evenly for each copy. By it events overtake each other."""


class EventPoster:
    """Posts event bodies to a queue, at once or after their delay."""

    def __init__(self, sqs: Any, queue_url: str, *, troubles: DeliveryFaults, randomness: random.Random) -> None:
        self.troubles = troubles
        self.lost = 0
        self._sqs = sqs
        self._queue_url = queue_url
        self._random = randomness
        self._order = itertools.count()
        self._waiting: list[tuple[float, int, str]] = []
        self._sending = 0
        self._changed = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def post(self, events: Sequence[dict[str, Any]]) -> None:
        """Posts events. Those without a delay are in the queue when this returns."""
        now = []
        with self._changed:
            for event in events:
                body = json.dumps(event)
                for delay in self._delays():
                    if delay > 0:
                        heapq.heappush(self._waiting, (time.monotonic() + delay, next(self._order), body))
                    else:
                        now.append(body)
            self._start_thread()
            self._changed.notify_all()
        self._send(now)

    def wait_until_posted(self) -> None:
        """Waits until every delayed event is in the queue."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._sending)

    def close(self) -> None:
        """Stops. Delayed events that are left are lost."""
        with self._changed:
            self._closed = True
            self.lost += len(self._waiting)
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _delays(self) -> list[float]:
        """Returns a delay for each copy that arrives."""
        troubles = self.troubles
        if self._random.random() < troubles.lose:
            self.lost += 1
            return []
        copies = 2 if self._random.random() < troubles.duplicate else 1
        return [self._random.uniform(*troubles.delay) for _ in range(copies)]

    def _start_thread(self) -> None:
        if self._waiting and self._thread is None:
            self._thread = threading.Thread(target=self._deliver, name="posting", daemon=True)
            self._thread.start()

    def _deliver(self) -> None:
        while True:
            with self._changed:
                while not self._closed and (not self._waiting or self._waiting[0][0] > time.monotonic()):
                    until = self._waiting[0][0] - time.monotonic() if self._waiting else None
                    self._changed.wait(until)
                if self._closed:
                    return
                due: list[str] = []
                while self._waiting and self._waiting[0][0] <= time.monotonic() and len(due) < BATCH:
                    due.append(heapq.heappop(self._waiting)[2])
                self._sending = len(due)
            try:
                self._send(due)
            finally:
                with self._changed:
                    self._sending = 0
                    self._changed.notify_all()

    def _send(self, bodies: Sequence[str]) -> None:
        for start in range(0, len(bodies), BATCH):
            entries = [
                {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies[start : start + BATCH])
            ]
            self._sqs.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
