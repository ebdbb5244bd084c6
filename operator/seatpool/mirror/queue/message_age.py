"""How old the oldest message is that waits for us, which SQS itself tells only to CloudWatch.

What is in our hands counts, and what could not be handled and comes back. A message that has to come back because there
is nothing to see before a certain time is no backlog.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from seatpool.mirror.queue.sqs_queue import Message

FORGOTTEN = timedelta(minutes=20)
"""A message that did not come back within it was handled by somebody else, or is in the dead-letter queue."""
MOST = 10_000


class Backlog:
    """Messages that were received and are not done with."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._held: dict[str, tuple[datetime, datetime]] = {}

    def took(self, messages: Iterable[Message]) -> None:
        """They were received, perhaps again."""
        now = self._clock()
        for message in messages:
            if message.id in self._held or len(self._held) < MOST:
                self._held[message.id] = (message.sent_at, now)

    def done_with(self, messages: Iterable[str]) -> None:
        """They are deleted, parked, or wait for their time."""
        for message in messages:
            self._held.pop(message, None)

    def oldest_age(self) -> float:
        """Seconds since the oldest one came into the queue; 0 when there is none."""
        now = self._clock()
        gone = [message for message, (_, seen) in self._held.items() if now - seen > FORGOTTEN]
        self.done_with(gone)
        oldest = min((sent for sent, _ in self._held.values()), default=now)
        return max(0.0, (now - oldest).total_seconds())
