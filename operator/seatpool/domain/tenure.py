"""Why a holder has a seat, until when, and who gives one up first.

The same value decides and explains: a seat whose `until` has come is released, and until then that is what is shown.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from seatpool.domain.instants import after
from seatpool.domain.memory import Grant
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules


class Tenure(NamedTuple):
    """Why a grant stands, and when it ends if nothing changes."""

    reason: Reason
    until: datetime | None


_ACTIVE = Tenure(Reason.GRANTED, None)
_ADOPTED = Tenure(Reason.ADOPTED, None)
_PROTECTED = Tenure(Reason.PROTECTED, None)


def observed(grant: Grant, *, needed: bool, now: datetime) -> Grant:
    """The grant with `idle_since` as it is now; the same object when nothing changed."""
    if needed:
        return grant if grant.idle_since is None else replace(grant, idle_since=None)
    return grant if grant.idle_since is not None else replace(grant, idle_since=now)


def standing(grant: Grant, *, rules: PoolRules) -> Tenure:
    """Why the grant stands. A ban ends it without linger, but the vendor's minimum hold binds even then."""
    if grant.user in rules.always:
        return _PROTECTED
    if grant.user in rules.denied:
        return Tenure(Reason.MINIMUM_HOLD, after(grant.since, rules.minimum_hold))
    if grant.idle_since is None:
        return _ADOPTED if grant.reason is Reason.ADOPTED else _ACTIVE
    held = after(grant.since, rules.minimum_hold)
    lingered = after(grant.idle_since, rules.linger)
    return Tenure(Reason.MINIMUM_HOLD, held) if held > lingered else Tenure(Reason.LINGERING, lingered)


def ending_reason(user: str, *, rules: PoolRules) -> Reason:
    """Why a seat whose time is over was released."""
    return Reason.USER_DENIED if user in rules.denied else Reason.WORKBENCHES_STOPPED


def in_order_of_shedding(grants: Iterable[Grant], *, rules: PoolRules, now: datetime) -> list[Grant]:
    """Who gives up a seat first: the denied, the idle, the newest; inside minimum hold late, the protected last."""

    def firmness(grant: Grant) -> tuple[bool, bool, bool, bool]:
        return (
            grant.user in rules.always,
            inside_minimum_hold(grant, rules=rules, now=now),
            grant.user not in rules.denied,
            grant.idle_since is None,
        )

    newest_first = sorted(grants, key=lambda grant: (grant.since, grant.user), reverse=True)
    return sorted(newest_first, key=firmness)


def inside_minimum_hold(grant: Grant, *, rules: PoolRules, now: datetime) -> bool:
    """Whether the vendor's rule still keeps the seat."""
    return after(grant.since, rules.minimum_hold) > now
