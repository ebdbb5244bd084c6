"""Limits how many requests a caller makes. A bucket of tokens fills at a constant rate, and each request takes one."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass

MOST_CALLERS = 20_000
"""Callers whose buckets are kept. The one that was quiet for longest is forgotten first."""
MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """The answer of a limit to one request."""

    allowed: bool
    limit: int
    """Requests in a minute."""
    left: int
    """Requests that are possible at once after this one."""
    reset: int
    """Seconds until the whole limit is free again, or until the next request is possible if none is."""

    @property
    def headers(self) -> dict[str, str]:
        """Returns the header fields RateLimit-Policy and RateLimit of the IETF's draft."""
        return {
            "RateLimit-Policy": f'"caller";q={self.limit};w={MINUTE:.0f}',
            "RateLimit": f'"caller";r={self.left};t={self.reset}',
        }


class RateLimit:
    """Allows so many requests in a minute for each caller."""

    def __init__(self, per_minute: int, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._limit = per_minute
        self._monotonic = monotonic
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def take(self, caller: Hashable) -> Allowance:
        """Counts a request of a caller, unless the limit is reached."""
        now, rate = self._monotonic(), self._limit / MINUTE
        level, at = self._buckets.pop(caller, (float(self._limit), now))
        level = min(self._limit, level + (now - at) * rate)
        allowed = level >= 1
        level -= allowed
        self._buckets[caller] = level, now
        if len(self._buckets) > MOST_CALLERS:
            self._buckets.popitem(last=False)
        missing = self._limit - level if allowed else 1 - level
        return Allowance(allowed, self._limit, math.floor(level), max(1, math.ceil(missing / rate)))

    def give_back(self, caller: Hashable) -> None:
        """Takes back that a request was counted."""
        if caller in self._buckets:
            level, at = self._buckets[caller]
            self._buckets[caller] = min(float(self._limit), level + 1), at
