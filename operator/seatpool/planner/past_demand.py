"""Who needed the product when, in the past: what every number of seats is tried on.

A need begins when a person's first workbench becomes active and ends when the last one stops. It does not depend on the
seats that there were, which is why it can be replayed with others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

Period = tuple[datetime, datetime]
"""From when on, and until when."""


@dataclass(frozen=True, slots=True)
class PastNeed:
    """One person needed the product without a break from `begin` to `end`."""

    user: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """All that changes at one instant, as indexes of needs: it is one change, in no order."""

    at: datetime
    begins: tuple[int, ...]
    ends: tuple[int, ...]


@dataclass(frozen=True)
class PastDemand:
    """The needs of one pool in the order in which they began, and the time that was looked at."""

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
        """The same needs as a sequence of changes."""
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
        """How many people needed the product at the same time, at most."""
        most = now = 0
        for step in self.steps:
            now += len(step.begins) - len(step.ends)
            most = max(most, now)
        return most


def merge_periods(periods: Iterable[Period]) -> list[Period]:
    """The time that any of the periods covers; those that touch are one, for then the need went on."""
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
    """The demand of a pool from the periods in which each person's workbenches were active."""
    needs = [
        PastNeed(user, begin, end)
        for user, active in periods
        for begin, end in merge_periods(period for period in active if period[0] < period[1])
    ]
    needs.sort(key=lambda need: (need.begin, need.user))
    return PastDemand(name, needs, since=since, until=until)
