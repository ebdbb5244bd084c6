"""What a pool has to remember between two answers.

Everything else follows from the workbenches that exist now. These few facts do not: who has a seat since when, who
waits since when, which seats were freed, who may not return yet, and what of the budget is spent. The memory is a
value: `allocate` takes one and returns the next, and whoever calls it stores that before it acts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from seatpool.domain.reasons import Reason


@dataclass(frozen=True, slots=True)
class Grant:
    """A seat that somebody has. `idle_since` is when the need ended, None while it goes on.

    Somebody who was on the list before the operator came is adopted with `Reason.ADOPTED`, `since` the instant of
    adoption, and `idle_since=None`; the next answer sees whether there is a need.
    """

    user: str
    since: datetime
    idle_since: datetime | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody who waits; `since` decides the place in line and never grows while the need goes on."""

    user: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Vacated:
    """A seat that was freed and not given to anybody since; kept only for a cool-down or a budget."""

    user: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Readmit:
    """Somebody who left and may not return before `until`."""

    user: str
    until: datetime


@dataclass(frozen=True, slots=True)
class PoolMemory:
    """All that one pool remembers. `vacated` is in the order (at, user), `reassignments` in the order of time."""

    assigned: Mapping[str, Grant]
    waiting: Mapping[str, Waiting]
    vacated: tuple[Vacated, ...]
    readmit: Mapping[str, datetime]
    reassignments: tuple[datetime, ...]

    @classmethod
    def empty(cls) -> Self:
        """The memory of a pool that has never given a seat."""
        return cls(assigned={}, waiting={}, vacated=(), readmit={}, reassignments=())

    @property
    def blocked(self) -> tuple[Readmit, ...]:
        """Who may not return yet, in the order of names."""
        return tuple(Readmit(user, until) for user, until in sorted(self.readmit.items()))
