"""Defines the facts of a pool that have to be stored between two allocations.

Everything else follows from the workbenches that exist now. These facts do not: the holders and the start of their seats, the
start of each wait, the freed seats, the users who left, and the re-assignments. The memory is a value: `allocate` takes one
and returns the next. The caller stores it before it acts.

The memory holds what happened, and no rule decides what is kept. So a rule that an admin removes, shortens and puts back finds
everything that it asks about. It is pruned at fixed limits only, and later if a rule of the pool looks back further.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from seatpool.domain.reasons import Reason

LEFT_KEPT = timedelta(days=31)
"""How long it is remembered that a user left. A longer `readmitAfter` keeps it longer."""
REASSIGNMENTS_KEPT = 200
"""Number of re-assignments that are remembered, the newest. A budget with a larger count keeps as many as it counts."""
VACATED_KEPT = 5_000
"""Number of freed seats that are remembered, the last freed ones. No pool has more seats."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A seat that a user has. `idle_since` is when the need ended. None: the need goes on.

    A user who was on the list before the operator first read it is adopted: the reason is `Reason.ADOPTED`, `since` is the
    time of adoption, and `idle_since` is None. The next allocation finds out whether there is a need.
    """

    user: str
    since: datetime
    idle_since: datetime | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Waiting:
    """A user who waits. `since` decides the place in line and never grows while the need goes on."""

    user: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Vacated:
    """A seat that was freed and not given to another user since."""

    user: str
    at: datetime


class Left(NamedTuple):
    """When a user left, and why. None: an older version wrote it, and did not say why."""

    at: datetime
    reason: Reason | None


class Reassignment(NamedTuple):
    """A seat that passed from one user to another, who got it then."""

    at: datetime
    user: str


@dataclass(frozen=True, slots=True)
class PoolMemory:
    """The memory of one pool. `vacated` and `reassignments` are sorted by (at, user)."""

    assigned: Mapping[str, Grant]
    waiting: Mapping[str, Waiting]
    vacated: tuple[Vacated, ...]
    left: Mapping[str, Left]
    """Users who left and have not returned since."""
    reassignments: tuple[Reassignment, ...]

    @classmethod
    def empty(cls) -> Self:
        """Returns the memory of a pool that has never given a seat."""
        return cls(assigned={}, waiting={}, vacated=(), left={}, reassignments=())
