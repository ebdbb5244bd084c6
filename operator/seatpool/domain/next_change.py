"""When an answer changes by itself: so that nobody has to ask every minute, and people see what they wait for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.domain.instants import NEVER, after
from seatpool.domain.memory import Grant, Waiting
from seatpool.domain.rules import PoolRules
from seatpool.domain.supply import Supply


def first(*instants: datetime | None) -> datetime | None:
    """The earliest of those that come at all."""
    return min((instant for instant in instants if instant is not None and instant < NEVER), default=None)


def both(one: datetime | None, other: datetime | None) -> datetime | None:
    """When the later of two has come, None when one never does."""
    return None if one is None or other is None else first(max(one, other))


@dataclass(frozen=True, slots=True)
class Outlook:
    """What time alone will bring."""

    next_release: datetime | None
    """When the next holder's seat ends."""
    next_usable: datetime | None
    """When the next seat can go to a person who did not have it before."""
    next_giving_way: datetime | None
    """When somebody's minimum hold, or the budget, permits to make room for the protected who wait."""

    def earliest(
        self, user: str, *, protected: bool, readmit: Mapping[str, datetime], supply: Supply
    ) -> datetime | None:
        """The first instant at which this person, who waits, could be let in."""
        if user in readmit:
            return first(readmit[user])
        if supply.was_left_by(user):
            return first(self.next_release, self.next_usable)
        return first(self.next_usable, self.next_giving_way if protected else None)


def next_usable(*, rules: PoolRules, supply: Supply, next_release: datetime | None) -> datetime | None:
    """When one seat more than now can go to somebody else: it must have cooled, and the budget must permit it."""
    freed = None if next_release is None else after(next_release, rules.seat_cool_down)
    next_cooled = first(freed, supply.next_cooled)
    if supply.cooled < supply.budget_left:
        return next_cooled
    if supply.cooled > supply.budget_left:
        return first(supply.next_budget)
    return both(next_cooled, supply.next_budget)


def next_giving_way(*, rules: PoolRules, supply: Supply, grants: Iterable[Grant]) -> datetime | None:
    """When the first of the grants may be taken back for somebody protected."""
    if rules.seat_cool_down > timedelta(0):
        return None
    held = first(*(after(grant.since, rules.minimum_hold) for grant in grants if grant.user not in rules.always))
    return held if supply.budget_left > 0 else both(held, supply.next_budget)


def next_change(
    *, view: Outlook, supply: Supply, readmit: Mapping[str, datetime], line: Iterable[Waiting]
) -> datetime | None:
    """The first instant at which anything in the answer is different; blocks matter only to those who wait."""
    users = [place.user for place in line]
    if not users:
        return view.next_release
    blocks = (readmit.get(user) for user in users) if readmit else ()
    next_budget = supply.next_budget if supply.vacated else None
    return first(view.next_release, view.next_giving_way, supply.next_cooled, next_budget, *blocks)
