"""Limits how often a log line is repeated, so that the log stays readable in a storm.

Text from untrusted senders is escaped and cut before it is logged.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from seatpool.mirror.metrics import MirrorMetrics

LINES = 5
PERIOD = 60.0
LONGEST_TEXT = 200


def escaped(text: str) -> str:
    """Returns the first 200 characters, without anything that could deceive a terminal or a log reader."""
    cut = text[:LONGEST_TEXT]
    return ascii(cut) + (f"... ({len(text)} characters)" if len(text) > LONGEST_TEXT else "")


@dataclass(slots=True)
class _Window:
    until: float
    lines: int = 0
    left_out: int = 0


class RateLimitedLog:
    """Writes at most 5 warnings of each (event, reason) in 60 seconds. The next line says how many were left out."""

    def __init__(
        self, log: FilteringBoundLogger, metrics: MirrorMetrics, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._monotonic = monotonic
        self._windows: dict[tuple[str, str], _Window] = {}

    def info(self, event: str, **fields: Any) -> None:
        """Logs a line that is never left out."""
        self._log.info(event, **fields)

    def warning(self, event: str, *, reason: str, **fields: Any) -> None:
        """Logs a warning, or counts it. `event` and `reason` must come from closed sets."""
        now = self._monotonic()
        window = self._windows.get((event, reason))
        left_out = 0
        if window is None or now >= window.until:
            left_out = window.left_out if window else 0
            window = self._windows[event, reason] = _Window(until=now + PERIOD)
        window.lines += 1
        if window.lines > LINES:
            window.left_out += 1
            self._metrics.log_suppressed.labels(event).inc()
            return
        if left_out:
            fields["left_out_before"] = left_out
        self._log.warning(event, reason=reason, **fields)
