"""Remembers which messages caused a write, until a watch delivers the written object.

The way from the queue to the lists goes through the Kubernetes API, and the object must not carry any of this. So the
writer puts the context here, and the informer pops it. A crash in between loses the context, not the work.
"""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime

from seatpool.tracing.spans import Mark

MOST = 10_000
MOST_OF_ONE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageContext:
    """The messages about one instance that were handled together."""

    messages: tuple[str, ...]
    """Ids of the SQS messages."""
    instance: str
    event_at: datetime
    """Time of the newest event."""
    sent_at: datetime
    """Time at which the newest event's message came into the queue."""
    mark: Mark | None


_current: ContextVar[MessageContext | None] = ContextVar("message_context", default=None)


@contextmanager
def caused_by(context: MessageContext) -> Iterator[None]:
    """Marks every write within the block as caused by these messages."""
    token = _current.set(context)
    try:
        yield
    finally:
        _current.reset(token)


class MessageContexts:
    """Contexts of objects that were written and not yet seen. At most 10,000 objects, and 8 writes of one object."""

    def __init__(self, *, most: int = MOST) -> None:
        self._pending: dict[str, deque[tuple[datetime, MessageContext]]] = {}
        self._most = most

    def put(self, key: str, changed_at: datetime) -> MessageContext | None:
        """Stores the current context before a write. The object `key` will say that it changed at `changed_at`.

        Returns the context. None: no message caused the write.
        """
        context = _current.get()
        if context is not None and len(self._pending) < self._most:
            self._pending.setdefault(key, deque(maxlen=MOST_OF_ONE)).append((changed_at, context))
        return context

    def discard(self, key: str, context: MessageContext | None) -> None:
        """Drops a context after its write failed."""
        pending = self._pending.get(key)
        if pending is None or context is None:
            return
        kept = [entry for entry in pending if entry[1] is not context]
        if kept:
            self._pending[key] = deque(kept, maxlen=MOST_OF_ONE)
        else:
            del self._pending[key]

    def pop(self, key: str, *, up_to: datetime) -> tuple[MessageContext, ...]:
        """Returns and drops the contexts of an object that was seen in the state of that time."""
        pending = self._pending.get(key)
        if pending is None:
            return ()
        popped = []
        while pending and pending[0][0] <= up_to:
            popped.append(pending.popleft()[1])
        if not pending:
            del self._pending[key]
        return tuple(popped)
