"""Tracks how long a pool's seats were held lately. Estimates of a wait are made from it.

It is kept in the pool's status, so that it outlives a restart and every reader of the pool can use it. One seat more or less
changes no estimate. So the summary changes only when a tenth of it is new.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from seatpool.api.licensepool import PoolSeatDurations
from seatpool.domain.allocation import Released
from seatpool.domain.reasons import Reason
from seatpool.domain.seat_durations import SeatDurations

KEPT = 500
"""Only so many of the last seats count."""
FEWEST_NEW = 5


@dataclass(frozen=True, slots=True)
class RecentDurations:
    """Durations of the last seats of one pool, in seconds."""

    kept: tuple[float, ...] | None = None
    """The durations behind the summary; None: still those that the status says."""
    new: tuple[float, ...] = ()
    """Durations that are not in the summary yet."""
    _summary: PoolSeatDurations | None = None

    def after(self, released: Iterable[Released], *, said: PoolSeatDurations | None) -> "RecentDurations":
        """Returns the durations with these seats added. `said` is what the pool's status says now.

        Only a seat whose user stopped all workbenches tells how long people work. A seat that an admin or a rule ended
        does not count.
        """
        ended = tuple(one.held.total_seconds() for one in released if one.reason is Reason.WORKBENCHES_STOPPED)
        if not ended:
            return self
        kept, summary = self.kept, self._summary
        if kept is None:
            kept = () if said is None else tuple(SeatDurations(said.seats, said.seconds).spread(KEPT))
            summary = said
        new = (*self.new, *ended)
        if len(new) < max(FEWEST_NEW, len(kept) // 10):
            return RecentDurations(kept, new, summary)
        kept = (*kept, *new)[-KEPT:]
        found = SeatDurations.of(kept)
        return RecentDurations(
            kept, (), PoolSeatDurations(seats=found.seats, seconds=tuple(round(one) for one in found.seconds))
        )

    def summary(self, said: PoolSeatDurations | None) -> PoolSeatDurations | None:
        """Returns what the status should say; `said` is what it says now. None: too few seats have ended."""
        return said if self.kept is None else self._summary
