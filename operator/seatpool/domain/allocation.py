"""A pool's answer: who is on the list, who waits and why, what changed, and when the answer changes by itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.domain.memory import PoolMemory
from seatpool.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Seat:
    """A place on the list; `until` is when it ends if nothing changes, None when it does not."""

    user: str
    since: datetime
    reason: Reason
    until: datetime | None


@dataclass(frozen=True, slots=True)
class InLine:
    """A place in the line, the first is 1.

    `earliest` is the first instant at which the rules alone could let the person in: a bound and not a promise, None
    when somebody has to stop a workbench first.
    """

    user: str
    position: int
    since: datetime
    reason: Reason
    earliest: datetime | None


@dataclass(frozen=True, slots=True)
class Granted:
    """Somebody who got a seat in this answer, after waiting so long."""

    user: str
    reason: Reason
    waited: timedelta


@dataclass(frozen=True, slots=True)
class Released:
    """Somebody who lost a seat in this answer, after holding it so long."""

    user: str
    reason: Reason
    held: timedelta


@dataclass(frozen=True, slots=True)
class Allocation:
    """The whole answer. Everybody with a need is in exactly one of `seats`, `waiting` and `denied`."""

    memory: PoolMemory
    """What has to be stored before the answer is acted on."""
    users: tuple[str, ...]
    """The list, sorted."""
    seats: Mapping[str, Seat]
    waiting: tuple[InLine, ...]
    denied: tuple[str, ...]
    granted: tuple[Granted, ...]
    released: tuple[Released, ...]
    next_change: datetime | None
    """When to ask again even if nothing happens."""
    reassignments_used: int
    """How much of the budget is spent in the window that ends now."""
