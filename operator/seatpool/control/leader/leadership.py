"""Tells whether this process holds the Lease now. Every writer checks it first.

It is a matter of time and not a flag. If a process was stopped, or its machine slept, it finds the Lease too old as soon as it
goes on. Without an election the process always leads.
"""

import asyncio
import time
from collections.abc import Callable

from seatpool.domain.errors import SeatpoolError


class NotLeading(SeatpoolError):
    """A write was stopped because this process does not lead now."""


class LeadershipLost(SeatpoolError):
    """Another process leads now. This one must not trust what it knows and has to start again."""


def uptime() -> float:
    """Returns seconds that go on while the process is stopped and, if the system can tell, while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Leadership:
    """Tracks whether this process leads. `leads` and `check` may be called from any thread."""

    def __init__(self, *, deadline: float | None, uptime: Callable[[], float] = uptime) -> None:
        """`deadline`: seconds for which a renewed Lease is relied on, from when the renewal was requested. None: for ever."""
        self.acquired = asyncio.Event()
        """Set once this process leads. It stays set if the Lease is lost later."""
        self.lost = asyncio.Event()
        """Set when another process took the Lease from this one."""
        self.is_warm = False
        """The process took over from a holder that it had seen alive and that had a full inventory."""
        self.other_holder = ""
        """Identity of the process that leads instead. Empty: no process, or not known."""
        self.problem: str | None = None
        """Why the API server refuses access to the Lease, as a text for an admin. None: it does not."""
        self._pause_handlers: list[Callable[[], None]] = []
        self._deadline = deadline
        self._uptime = uptime
        self._renewed_at: float | None = None
        self._read_at: float | None = None
        self._is_over = False

    @classmethod
    def unelected(cls) -> "Leadership":
        """Returns the leadership of a process that runs without an election."""
        alone = cls(deadline=None)
        alone.acquire(at=alone._uptime())
        return alone

    @property
    def is_elected(self) -> bool:
        """Whether there is an election at all."""
        return self._deadline is not None

    @property
    def leads(self) -> bool:
        """Whether this process leads at this moment."""
        if self._is_over or self._renewed_at is None:
            return False
        return self._deadline is None or self._uptime() - self._renewed_at < self._deadline

    @property
    def unrenewed_for(self) -> float:
        """Seconds since this process last renewed the Lease. If it never did: seconds since it last read the Lease."""
        last = self._renewed_at if self._renewed_at is not None else self._read_at
        return float("inf") if last is None else self._uptime() - last

    def check(self) -> None:
        """Raises NotLeading if this process does not lead at this moment."""
        if self.leads:
            return
        if self._is_over:
            raise NotLeading(f"this process does not lead any more; {self.other_holder or 'nobody'} does")
        raise NotLeading(f"the Lease was not renewed for {self.unrenewed_for:.0f} s; nothing is sent until it is")

    def acquire(self, *, at: float, is_warm: bool = False) -> None:
        """Records that this process leads from now on. `at`: uptime when it requested the Lease."""
        self.is_warm = is_warm
        self.renew(at=at)
        self.acquired.set()

    def renew(self, *, at: float) -> None:
        """Records a renewal. `at`: uptime when it was requested, not when it was answered."""
        self._renewed_at, self.other_holder, self.problem = at, "", None

    def stand_by(self, holder: str) -> None:
        """Records that the Lease was read and that `holder` has it. Empty: no process has it."""
        self._read_at, self.other_holder, self.problem = self._uptime(), holder, None

    def lose(self, holder: str) -> None:
        """Records that `holder` took the Lease from this process."""
        self.other_holder = holder
        self._is_over = True
        self.lost.set()

    def subscribe_pause(self, handler: Callable[[], None]) -> None:
        """Has the handler called whenever the Lease could not be renewed for too long."""
        self._pause_handlers.append(handler)

    def notify_paused(self) -> None:
        """Calls the handlers: the Lease could not be renewed for too long."""
        for handler in self._pause_handlers:
            handler()

    def end(self) -> None:
        """Records that the process is about to stop. It does not lead any more."""
        self._is_over = True
