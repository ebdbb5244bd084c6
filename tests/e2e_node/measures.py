"""How long things took: told at the end of the run, judged by nobody."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Measures"]


class Measures:
    """Figures in the order in which they came."""

    def __init__(self) -> None:
        self._figures: list[tuple[str, float]] = []

    def note(self, what: str, seconds: float) -> None:
        self._figures.append((what, seconds))

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Only what ends well is noted."""
        began = time.monotonic()
        yield
        self.note(what, time.monotonic() - began)

    def lines(self) -> list[str]:
        return [f"{seconds:8.1f} s  {what}" for what, seconds in self._figures]
