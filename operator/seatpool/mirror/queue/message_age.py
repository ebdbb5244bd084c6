"""Tracks the age of the oldest message that waits for the mirror. SQS reports that only to CloudWatch.

A message counts while it is handled, and while it waits for a retry. A message that was delayed until EC2 can answer
does not count.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from seatpool.mirror.queue.sqs_queue import Message

FORGOTTEN = timedelta(minutes=20)
"""A message that did not come back in this time was handled by another process, or is in the dead-letter queue."""
MOST = 10_000


class MessageAge:
    """Messages that were received and not acknowledged, 10,000 at most."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._pending: dict[str, tuple[datetime, datetime]] = {}

    def received(self, messages: Iterable[Message]) -> None:
        """Records a receive. A message may be received several times."""
        now = self._clock()
        for message in messages:
            if message.id in self._pending or len(self._pending) < MOST:
                self._pending[message.id] = (message.sent_at, now)

    def acknowledged(self, messages: Iterable[str]) -> None:
        """Drops messages that are deleted, in the dead-letter queue, or delayed."""
        for message in messages:
            self._pending.pop(message, None)

    def oldest_age(self) -> float:
        """Returns the seconds since the oldest message came into the queue, 0 without one."""
        now = self._clock()
        gone = [message for message, (_, seen) in self._pending.items() if now - seen > FORGOTTEN]
        self.acknowledged(gone)
        oldest = min((sent for sent, _ in self._pending.values()), default=now)
        return max(0.0, (now - oldest).total_seconds())
