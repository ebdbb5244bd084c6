"""Sends the lines of a file at their own times, compressed, and records when each was in the queue."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from seatpool.sim.demo.event_file import Line
from seatpool.sim.demo.options import DemoError

__all__ = ["Sender", "batches", "due_times"]

BATCH = 10
BATCH_BYTES = 240_000
TOGETHER = 0.02
"""Lines that are due within so many seconds go in one batch."""


class Sender:
    """Sends in the order of the file, in batches, at the right time or as fast as possible if it is late."""

    def __init__(
        self,
        sqs: Any,
        queue_url: str,
        *,
        speed: float,
        sent: Callable[[Line, float], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepares a sender. `sent` is called for each line with the instant at which it was in the queue."""
        self._sqs = sqs
        self._queue_url = queue_url
        self._speed = speed
        self._sent = sent
        self._pause = pause
        self.done = 0
        """Number of lines in the queue."""
        self.now: datetime | None = None
        """Time of the file."""

    def send(self, lines: Sequence[Line]) -> None:
        """Returns when all lines are in the queue."""
        began = time.monotonic()
        for due, batch in batches(lines, due_times(lines, speed=self._speed)):
            ahead = began + due - time.monotonic()
            if ahead > 0:
                self._pause(ahead)
            self._send(batch)

    def _send(self, batch: Sequence[Line]) -> None:
        answer = self._sqs.send_message_batch(
            QueueUrl=self._queue_url,
            Entries=[{"Id": str(number), "MessageBody": line.text} for number, line in enumerate(batch)],
        )
        at = time.time()
        if refused := answer.get("Failed"):
            text = batch[int(refused[0]["Id"])].text[:200]
            raise DemoError(f"the queue refused a line: {refused[0].get('Message')}: {text}; take it out of the file")
        for line in batch:
            self._sent(line, at)
            if line.event is not None:
                self.now = max(self.now or line.event.at, line.event.at)
        self.done += len(batch)


def due_times(lines: Sequence[Line], *, speed: float) -> list[float]:
    """Returns the seconds from the start at which each line is due. A line out of order goes when its turn comes."""
    first: datetime | None = None
    due, latest = [], 0.0
    for line in lines:
        if line.event is not None and speed:
            first = first or line.event.at
            latest = max(latest, (line.event.at - first).total_seconds() / speed)
        due.append(latest)
    return due


def batches(lines: Sequence[Line], due: Sequence[float]) -> Iterator[tuple[float, list[Line]]]:
    """Yields what is sent together and when: lines due at about the same time, as many as one request takes."""
    batch: list[Line] = []
    start, size = 0.0, 0
    for line, at in zip(lines, due, strict=True):
        length = len(line.text.encode())
        if batch and (len(batch) == BATCH or at - start > TOGETHER or size + length > BATCH_BYTES):
            yield start, batch
            batch, size = [], 0
        if not batch:
            start = at
        batch.append(line)
        size += length
    if batch:
        yield start, batch
