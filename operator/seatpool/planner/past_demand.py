"""Computes the needs of a pool in the past. Every number of seats is tried on them.

A need begins when the first workbench of a user becomes active and ends when the last one stops. It does not depend on
the seats that there were. So it can be replayed with other numbers.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

Period = tuple[datetime, datetime]
"""Begin and end."""


@dataclass(frozen=True, slots=True)
class PastNeed:
    """One user needed the product without a break from `begin` to `end`."""

    user: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """All changes at one instant, as indexes of needs. They are one change and have no order."""

    at: datetime
    begins: tuple[int, ...]
    ends: tuple[int, ...]


@dataclass(frozen=True)
class PastDemand:
    """Needs of one pool, in the order in which they began, and the time that they cover."""

    name: str
    needs: Sequence[PastNeed]
    since: datetime
    until: datetime

    @property
    def span(self) -> timedelta:
        return self.until - self.since

    @cached_property
    def users(self) -> frozenset[str]:
        return frozenset(need.user for need in self.needs)

    @cached_property
    def steps(self) -> Sequence[Step]:
        """The needs as a sequence of changes."""
        begins: dict[datetime, list[int]] = {}
        ends: dict[datetime, list[int]] = {}
        for index, need in enumerate(self.needs):
            begins.setdefault(need.begin, []).append(index)
            ends.setdefault(need.end, []).append(index)
        return [
            Step(at, tuple(begins.get(at, ())), tuple(ends.get(at, ()))) for at in sorted(begins.keys() | ends.keys())
        ]

    @cached_property
    def most_at_once(self) -> int:
        """Most users who needed the product at the same time."""
        most = now = 0
        for step in self.steps:
            now += len(step.begins) - len(step.ends)
            most = max(most, now)
        return most


def merge_periods(periods: Iterable[Period]) -> list[Period]:
    """Returns the time that any of the periods covers. Periods that touch are one need."""
    joined: list[Period] = []
    for begin, end in sorted(periods):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((begin, end))
    return joined


def past_demand(
    name: str, periods: Iterable[tuple[str, Iterable[Period]]], *, since: datetime, until: datetime
) -> PastDemand:
    """Returns the demand of a pool from the periods in which each user's workbenches were active."""
    needs = [
        PastNeed(user, begin, end)
        for user, active in periods
        for begin, end in merge_periods(period for period in active if period[0] < period[1])
    ]
    needs.sort(key=lambda need: (need.begin, need.user))
    return PastDemand(name, needs, since=since, until=until)
