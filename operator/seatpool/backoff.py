"""Waits longer after each failure. This is the only exponential backoff of the package.

* `pause_after` is the formula.
* `Retry` is a value: the failures in a row, and the time of the next attempt.
* `Backoff` keeps one such value for code that has a clock and random numbers of its own.
* `retry_call` calls until there is a result.

Jitter keeps callers that failed together from returning together.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

JITTER = (0.75, 1.25)
"""Range of the random factor of a pause: up to a quarter shorter or longer."""
SHORTENING_JITTER = (0.5, 1.0)
"""Range of the random factor of a pause: up to a half shorter, never longer."""
_MOST_DOUBLINGS = 30
T = TypeVar("T")


def pause_after(failures: int, *, first: float, longest: float, growth: float = 2.0) -> float:
    """Returns the pause in seconds after this many failures in a row (1 or more), without jitter."""
    return min(longest, first * growth ** min(failures - 1, _MOST_DOUBLINGS))


def jitter(rng: random.Random, spread: tuple[float, float] = JITTER) -> float:
    """Returns a random factor for a pause."""
    return rng.uniform(*spread)


@dataclass(frozen=True, slots=True)
class Retry:
    """Tells when something that failed may be tried again."""

    failures: int = 0
    """Failures in a row."""
    until: float = float("-inf")
    """Monotonic seconds at which the next attempt is due."""

    def failed(self, *, monotonic: float, jitter: float = 1.0, first: float = 1.0, longest: float = 60.0) -> "Retry":
        """Returns the value after another failure: the pause doubles, from `first` to `longest` seconds."""
        failures = self.failures + 1
        return Retry(failures, monotonic + pause_after(failures, first=first, longest=longest) * jitter)

    def remaining(self, monotonic: float) -> float:
        """Returns the seconds until the next attempt is due, 0 if it is due now."""
        return max(0.0, self.until - monotonic)


NEVER_FAILED = Retry()


class Backoff:
    """Keeps the pauses between the attempts of one thing. Pauses are in seconds."""

    def __init__(
        self,
        rng: random.Random | None,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        first: float = 1.0,
        longest: float = 60.0,
        spread: tuple[float, float] = JITTER,
    ) -> None:
        """`spread` is the range of the random factor. Without `rng` there is no jitter."""
        self._rng = rng
        self._monotonic = monotonic
        self._first = first
        self._longest = longest
        self._spread = spread
        self._retry = NEVER_FAILED

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._retry.failures

    def failed(self) -> float:
        """Records another failure. Returns the pause."""
        now = self._monotonic()
        factor = jitter(self._rng, self._spread) if self._rng is not None else 1.0
        self._retry = self._retry.failed(monotonic=now, jitter=factor, first=self._first, longest=self._longest)
        return self._retry.remaining(now)

    def succeeded(self) -> None:
        """Records a success: the next failure is the first again."""
        self._retry = NEVER_FAILED

    def remaining(self) -> float:
        """Returns the seconds until the next attempt is due, 0 if it is due now."""
        return self._retry.remaining(self._monotonic())


async def retry_call(
    call: Callable[[], Awaitable[T]],
    *,
    errors: type[Exception] | tuple[type[Exception], ...],
    backoff: Backoff,
    on_error: Callable[[Exception], None],
    give_up: Callable[[], bool] = lambda: False,
) -> T:
    """Calls until there is a result. Raises the last error if `give_up` says so after a failure.

    Errors of other types are raised at once. `on_error` is called before each pause.
    """
    while True:
        try:
            return await call()
        except errors as error:
            if give_up():
                raise
            on_error(error)
        await asyncio.sleep(backoff.failed())
