"""How long a pool's seats were held lately, for whoever wants to know how long a wait may last.

It is kept in the pool's status, so that it outlives a restart and can be read by whoever may read the pool. A number more or
less does not change what is likely, so it is written anew only when a tenth of it is news.
"""

from collections import deque
from collections.abc import Iterable

from seatpool.api.licensepool import PoolSeatLengths
from seatpool.domain.allocation import Released
from seatpool.domain.reasons import Reason
from seatpool.domain.seat_durations import SeatDurations

KEPT = 500
FEWEST_NEWS = 5


class RecentDurations:
    """Of one pool."""

    def __init__(self) -> None:
        self._news: list[float] = []
        self._kept: deque[float] | None = None
        self._said: PoolSeatLengths | None = None

    def note(self, released: Iterable[Released]) -> None:
        """Only a seat whose holder stopped tells how long people work; what an admin or a rule ended does not."""
        self._news += [one.held.total_seconds() for one in released if one.reason is Reason.WORKBENCHES_STOPPED]

    def said(self, before: PoolSeatLengths | None) -> PoolSeatLengths | None:
        """What the status should say; `before` is what it says now."""
        if self._kept is None:
            self._said = before
            known = [] if before is None else SeatDurations(before.seats, before.seconds).spread(KEPT)
            self._kept = deque(known, maxlen=KEPT)
        if len(self._news) >= max(FEWEST_NEWS, len(self._kept) // 10):
            self._kept.extend(self._news)
            self._news = []
            found = SeatDurations.of(self._kept)
            self._said = PoolSeatLengths(seats=found.seats, seconds=tuple(round(one) for one in found.seconds))
        return self._said
