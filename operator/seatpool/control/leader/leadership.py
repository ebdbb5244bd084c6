"""Whether this process may act, as everybody in it asks before they do.

It is a matter of time and not of a flag: a process that was stopped, or whose machine slept, finds the Lease too old when
it goes on, before anybody has told it anything. Without an election there is one that always leads.
"""

import asyncio
import time
from collections.abc import Callable

from seatpool.domain.errors import SeatpoolError


class NotLeading(SeatpoolError):
    """What was about to be done is the leader's to do."""


class LeadershipLost(SeatpoolError):
    """Another process leads now; this one knows nothing any more and has to begin anew."""


def uptime() -> float:
    """Seconds that go on while the process is stopped and, where the system can tell, while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


class Leadership:
    """Of one process. `leads` and `check` may be asked from any thread."""

    def __init__(self, *, deadline: float | None, uptime: Callable[[], float] = uptime) -> None:
        """`deadline` is for how many seconds after its renewal was asked for a Lease is relied on; None is for ever."""
        self.taken = asyncio.Event()
        """This process leads, or led."""
        self.lost = asyncio.Event()
        self.is_warm = False
        """It took over from one that had been seen alive and knew all workbenches."""
        self.other = ""
        """Who leads instead."""
        self.problem: str | None = None
        """The API server does not let us at the Lease; the words are for people."""
        self._pause_handlers: list[Callable[[], None]] = []
        self._deadline = deadline
        self._uptime = uptime
        self._renewed_at: float | None = None
        self._looked_at: float | None = None
        self._is_over = False

    @classmethod
    def unelected(cls) -> "Leadership":
        """Of a process that is alone, by its settings."""
        alone = cls(deadline=None)
        alone.take(at=alone._uptime())
        return alone

    @property
    def is_elected(self) -> bool:
        """Whether there is an election at all."""
        return self._deadline is not None

    @property
    def leads(self) -> bool:
        if self._is_over or self._renewed_at is None:
            return False
        return self._deadline is None or self._uptime() - self._renewed_at < self._deadline

    @property
    def unrenewed_for(self) -> float:
        """Seconds since the Lease was last renewed by us, or else read."""
        last = self._renewed_at if self._renewed_at is not None else self._looked_at
        return float("inf") if last is None else self._uptime() - last

    def check(self) -> None:
        """NotLeading unless this process leads at this very moment."""
        if self.leads:
            return
        if self._is_over:
            raise NotLeading(f"this process does not lead any more; {self.other or 'nobody'} does")
        raise NotLeading(f"the Lease was not renewed for {self.unrenewed_for:.0f} s; nothing is sent until it is")

    def take(self, *, at: float, is_warm: bool = False) -> None:
        """This process leads from now on; `at` is when it asked for that."""
        self.is_warm = is_warm
        self.renew(at=at)
        self.taken.set()

    def renew(self, *, at: float) -> None:
        """The Lease was renewed; `at` is when that was asked for, not when it was answered."""
        self._renewed_at, self.other, self.problem = at, "", None

    def stand_by(self, other: str) -> None:
        """The Lease was read, and somebody else holds it, or nobody."""
        self._looked_at, self.other, self.problem = self._uptime(), other, None

    def lose(self, other: str) -> None:
        """Somebody else holds the Lease that this process held."""
        self.other = other
        self._is_over = True
        self.lost.set()

    def subscribe_pause(self, handler: Callable[[], None]) -> None:
        """Has the handler called whenever the Lease could not be renewed for too long."""
        self._pause_handlers.append(handler)

    def paused(self) -> None:
        """Tells the handlers that the Lease could not be renewed for too long."""
        for handler in self._pause_handlers:
            handler()

    def end(self) -> None:
        """Nothing more is begun: the process is about to stop."""
        self._is_over = True
