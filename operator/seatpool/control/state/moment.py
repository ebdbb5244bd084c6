"""An instant as a pure function gets it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant by both clocks, with a random factor for the pauses that begin then."""

    now: datetime
    """UTC, cut to milliseconds as the API server keeps it."""
    monotonic: float
    """Seconds that no clock step changes."""
    jitter: float = 1.0
