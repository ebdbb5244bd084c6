"""What becomes of a message after it was handled, and for how long one that has to come back stays hidden."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

SOON = timedelta(seconds=3)
LONGEST_SOON = timedelta(minutes=1)
KEPT_GROWTH = 4
LONGEST_KEPT = timedelta(minutes=15)


class Fate(Enum):
    """The ends that a message can take."""

    DELETE = auto()
    """Its news is in an object, or concerns nobody."""
    KEEP = auto()
    """It could not be handled now. It comes back, later each time, and is never given up silently."""
    SOON = auto()
    """EC2 does not show the instance yet."""
    LATER = auto()
    """There is nothing to see before a certain time."""
    BAD = auto()
    """For the dead-letter queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disposal:
    """One message's fate; `reason` and `detail` go with it into the dead-letter queue."""

    fate: Fate
    after: timedelta | None = None
    kind: str = "unknown"
    reason: str = ""
    detail: str = ""

    def hidden_for(self, *, receives: int, visibility: timedelta) -> timedelta:
        """How long the message stays hidden when it has come so many times."""
        times = max(0, receives - 1)
        if self.fate is Fate.SOON:
            return min(LONGEST_SOON, SOON * float(2 ** min(times, 10)))
        if self.fate is Fate.KEEP:
            return max(visibility, min(LONGEST_KEPT, visibility * float(KEPT_GROWTH ** min(times, 10))))
        return self.after or timedelta(0)


DONE = Disposal(fate=Fate.DELETE)
NOT_VISIBLE_YET = Disposal(fate=Fate.SOON)


def later(after: timedelta) -> Disposal:
    """Again after that time."""
    return Disposal(fate=Fate.LATER, after=after)
