"""Says what happens to a message after it was handled, and how long a message that comes back stays hidden."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from seatpool.backoff import pause_after

FIRST_RETRY_SOON = timedelta(seconds=3)
LONGEST_RETRY_SOON = timedelta(minutes=1)
RETRY_GROWTH = 4.0
LONGEST_RETRY = timedelta(minutes=15)


class AckAction(Enum):
    """Names what happens to a message."""

    DELETE = auto()
    """It is stored in an object, or it changes nothing."""
    RETRY = auto()
    """It could not be handled now. It comes back, later each time, and is never dropped without a record."""
    RETRY_SOON = auto()
    """EC2 does not show the instance yet."""
    DELAY = auto()
    """It comes back at the time when EC2 can answer."""
    DEAD_LETTER = auto()
    """It cannot be handled, and goes to the dead-letter queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """Says what happens to one message. `reason` and `detail` go with it to the dead-letter queue."""

    action: AckAction
    after: timedelta | None = None
    kind: str = "unknown"
    reason: str = ""
    detail: str = ""

    def hidden_for(self, *, receives: int, visibility: timedelta) -> timedelta:
        """Returns how long the message stays hidden after this many receives."""
        if self.action is AckAction.RETRY_SOON:
            return _pause(receives, first=FIRST_RETRY_SOON, longest=LONGEST_RETRY_SOON, growth=2.0)
        if self.action is AckAction.RETRY:
            return max(visibility, _pause(receives, first=visibility, longest=LONGEST_RETRY, growth=RETRY_GROWTH))
        return self.after or timedelta(0)


DELETE = Ack(action=AckAction.DELETE)
RETRY_SOON = Ack(action=AckAction.RETRY_SOON)


def delay(after: timedelta) -> Ack:
    """Returns an Ack that brings the message back after this time."""
    return Ack(action=AckAction.DELAY, after=after)


def _pause(receives: int, *, first: timedelta, longest: timedelta, growth: float) -> timedelta:
    seconds = pause_after(max(1, receives), first=first.total_seconds(), longest=longest.total_seconds(), growth=growth)
    return timedelta(seconds=seconds)
