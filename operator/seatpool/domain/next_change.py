"""Computes when an allocation changes by itself.

So the operator does not have to compute every minute, and users see the time that they wait for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.domain.instants import NEVER, after
from seatpool.domain.memory import Grant, Waiting
from seatpool.domain.rules import PoolRules
from seatpool.domain.supply import Supply


def first(*instants: datetime | None) -> datetime | None:
    """Returns the earliest time. None: no time comes."""
    return min((instant for instant in instants if instant is not None and instant < NEVER), default=None)


def both(one: datetime | None, other: datetime | None) -> datetime | None:
    """Returns the later of two times. None: one never comes."""
    return None if one is None or other is None else first(max(one, other))


@dataclass(frozen=True, slots=True)
class NextChanges:
    """The next changes that time alone brings."""

    next_change: datetime | None
    """When the allocation differs next."""
    next_release: datetime | None
    """The end of the next seat."""
    next_usable: datetime | None
    """When one seat more than now can go to another user than before."""
    first_usable: datetime | None
    """When a seat can go to another user than before, at the earliest."""
    next_giving_way: datetime | None
    """When minimum hold and budget permit to release a user for a protected one."""
    claims: bool
    """Tells whether seats may be kept for some users. Then how many are kept changes with who holds a seat."""

    def earliest(
        self, user: str, *, protected: bool, readmit: Mapping[str, datetime], supply: Supply
    ) -> datetime | None:
        """Returns a time before which this waiting user cannot get a seat by time alone."""
        if user in readmit:
            return first(readmit[user])
        if self.claims:
            if supply.was_left_by(user):
                return self.next_change
            usable = first(self.first_usable, self.next_giving_way) if protected else self.first_usable
            return both(self.next_change, usable)
        if supply.was_left_by(user):
            return first(self.next_release, self.next_usable)
        return first(self.next_usable, self.next_giving_way if protected else None)


def next_usable(*, rules: PoolRules, supply: Supply, next_release: datetime | None) -> datetime | None:
    """Returns when one seat more can go to another user. It must have cooled down, and the budget must permit it."""
    freed = None if next_release is None else after(next_release, rules.seat_cool_down)
    next_cooled = first(freed, supply.next_cooled)
    if supply.cooled < supply.budget_left:
        return next_cooled
    if supply.cooled > supply.budget_left:
        return first(supply.next_budget)
    return both(next_cooled, supply.next_budget)


def first_usable(
    *, rules: PoolRules, supply: Supply, next_release: datetime | None, next_change: datetime | None
) -> datetime | None:
    """Returns when a seat can go to another user. If one can now, it is the next change that may give it."""
    if supply.usable > 0:
        return next_change
    if supply.cooled > 0:
        return supply.next_budget
    freed = None if next_release is None else after(next_release, rules.seat_cool_down)
    cooled = first(freed, supply.next_cooled)
    return cooled if supply.budget_left > 0 else both(cooled, supply.next_budget)


def next_giving_way(*, rules: PoolRules, supply: Supply, grants: Iterable[Grant]) -> datetime | None:
    """Returns when the first of the grants may be taken back for a protected user."""
    if rules.seat_cool_down > timedelta(0):
        return None
    held = first(*(after(grant.since, rules.minimum_hold) for grant in grants if grant.user not in rules.always))
    return held if supply.budget_left > 0 else both(held, supply.next_budget)


def next_change(
    *,
    next_release: datetime | None,
    next_giving_way: datetime | None,
    supply: Supply,
    readmit: Mapping[str, datetime],
    line: Iterable[Waiting],
) -> datetime | None:
    """Returns the first time at which the allocation differs. Blocks matter only to waiting users."""
    users = [place.user for place in line]
    if not users:
        return next_release
    blocks = (readmit.get(user) for user in users) if readmit else ()
    next_budget = supply.next_budget if supply.has_vacated else None
    return first(next_release, next_giving_way, supply.next_cooled, next_budget, *blocks)
