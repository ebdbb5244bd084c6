"""Exponential backoff with jitter: the only one of the program.

`Retry` is a value: how often something failed in a row, and until when it has to wait. `Backoff` keeps one such value for
code that has a clock and random numbers of its own.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

JITTER = (0.75, 1.25)
"""Each pause is multiplied by a random factor of this range, so that callers that failed together do not return together."""
_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class Retry:
    """Tells when something that failed may be tried again."""

    failures: int = 0
    """Failures in a row."""
    until: float = float("-inf")
    """Monotonic seconds at which the next try is due."""

    def failed(self, *, monotonic: float, jitter: float = 1.0, first: float = 1.0, longest: float = 60.0) -> "Retry":
        """Returns the value after another failure: the pause doubles, from `first` to `longest` seconds."""
        pause = min(longest, first * 2.0 ** min(self.failures, _MOST_DOUBLINGS))
        return Retry(self.failures + 1, monotonic + pause * jitter)

    def remaining(self, monotonic: float) -> float:
        """Returns the seconds until the next try is due, 0 when it is."""
        return max(0.0, self.until - monotonic)


NEVER_FAILED = Retry()


def jitter(rng: random.Random) -> float:
    """Returns a random factor for a pause."""
    return rng.uniform(*JITTER)


class Backoff:
    """Keeps the pauses between the tries of one thing."""

    def __init__(
        self,
        rng: random.Random,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        first: float = 1.0,
        longest: float = 60.0,
    ) -> None:
        self._rng = rng
        self._monotonic = monotonic
        self._first = first
        self._longest = longest
        self._retry = NEVER_FAILED

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._retry.failures

    def failed(self) -> None:
        """Records another failure."""
        self._retry = self._retry.failed(
            monotonic=self._monotonic(), jitter=jitter(self._rng), first=self._first, longest=self._longest
        )

    def succeeded(self) -> None:
        """Records a success: the next failure is the first again."""
        self._retry = NEVER_FAILED

    def remaining(self) -> float:
        """Returns the seconds until the next try is due, 0 when it is."""
        return self._retry.remaining(self._monotonic())
