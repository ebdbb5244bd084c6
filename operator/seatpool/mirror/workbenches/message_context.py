"""Which messages stand behind a write, until a watch brings the object that was written.

The way from the queue to the lists goes over the Kubernetes API, and nothing of it should have to be on the object: so
whoever writes leaves word here, and whoever sees the object takes it. A crash in between loses the word, not the work.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from seatpool.tracing.spans import Mark

LONGEST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """The messages about one instance that were handled together."""

    messages: tuple[str, ...]
    instance: str
    event_at: datetime
    """The newest event's own time."""
    sent_at: datetime
    """When its message came into the queue."""
    mark: Mark | None


_present: ContextVar[MessageContext | None] = ContextVar("origin", default=None)


@contextmanager
def working_on(origin: MessageContext) -> Iterator[None]:
    """Whatever is written within the block is written because of these messages."""
    token = _present.set(origin)
    try:
        yield
    finally:
        _present.reset(token)


class MessageContexts:
    """Of objects that were written and not yet seen."""

    def __init__(self, *, longest: int = LONGEST) -> None:
        self._left: dict[str, deque[tuple[datetime, MessageContext]]] = {}
        self._longest = longest

    def leave(self, key: str, changed_at: datetime) -> MessageContext | None:
        """Before a write: the object `key` will say that it changed at that time. None when no message is behind it."""
        origin = _present.get()
        if origin is not None and len(self._left) < self._longest:
            self._left.setdefault(key, deque(maxlen=8)).append((changed_at, origin))
        return origin

    def withdraw(self, key: str, origin: MessageContext | None) -> None:
        """The write failed."""
        left = self._left.get(key)
        if left is None or origin is None:
            return
        kept = [entry for entry in left if entry[1] is not origin]
        if kept:
            self._left[key] = deque(kept, maxlen=8)
        else:
            del self._left[key]

    def take(self, key: str, *, up_to: datetime) -> tuple[MessageContext, ...]:
        """The object was seen in the state of that time: what stands behind it."""
        left = self._left.get(key)
        if left is None:
            return ()
        taken = []
        while left and left[0][0] <= up_to:
            taken.append(left.popleft()[1])
        if not left:
            del self._left[key]
        return tuple(taken)
