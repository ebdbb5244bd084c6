"""Defines the facts of a pool that have to be stored between two allocations.

Everything else follows from the workbenches that exist now. These facts do not: the holders and the start of their seats, the
start of each wait, the freed seats, the users who may not return yet, and the re-assignments. The memory is a value:
`allocate` takes one and returns the next. The caller stores it before it acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from seatpool.domain.reasons import Reason


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
    """A seat that was freed and not given to another user since. It is kept only for a cool-down or a budget."""

    user: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Readmit:
    """A user who left and may not return before `until`."""

    user: str
    until: datetime


@dataclass(frozen=True, slots=True)
class PoolMemory:
    """The memory of one pool. `vacated` is sorted by (at, user), `reassignments` by time."""

    assigned: Mapping[str, Grant]
    waiting: Mapping[str, Waiting]
    vacated: tuple[Vacated, ...]
    readmit: Mapping[str, datetime]
    reassignments: tuple[datetime, ...]

    @classmethod
    def empty(cls) -> Self:
        """Returns the memory of a pool that has never given a seat."""
        return cls(assigned={}, waiting={}, vacated=(), readmit={}, reassignments=())

    @property
    def blocked(self) -> tuple[Readmit, ...]:
        """The users who may not return yet, sorted by name."""
        return tuple(Readmit(user, until) for user, until in sorted(self.readmit.items()))
