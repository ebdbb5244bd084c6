"""Logging that stays readable in a storm: each kind of line a few times a minute, and then how many were left out.

What strangers wrote is escaped and cut before it reaches a line.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from structlog.typing import FilteringBoundLogger

from seatpool.mirror.metrics import MirrorMetrics

LINES = 5
PERIOD = 60.0
SHOWN = 200


def shown(text: str) -> str:
    """The beginning of a text, with everything that could deceive a terminal or a log reader escaped."""
    cut = text[:SHOWN]
    return ascii(cut) + (f"... ({len(text)} characters)" if len(text) > SHOWN else "")


@dataclass(slots=True)
class _Window:
    until: float
    lines: int = 0
    left_out: int = 0


class SparingLog:
    """At most `LINES` lines of each (event, reason) in `PERIOD` seconds."""

    def __init__(
        self, log: FilteringBoundLogger, metrics: MirrorMetrics, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._monotonic = monotonic
        self._windows: dict[tuple[str, str], _Window] = {}

    def info(self, event: str, **fields: Any) -> None:
        """What goes as it should and is not left out: somebody may look for this very line."""
        self._log.info(event, **fields)

    def warning(self, event: str, *, reason: str, **fields: Any) -> None:
        """`event` and `reason` come from closed sets: they are what is counted by."""
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
