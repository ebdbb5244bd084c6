"""Tells why a holder has a seat, until when, and which holder gives one up first.

One value decides and explains: a seat is released when its `until` has come, and statuses show `until` before that.
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
    """The reason of a grant, and its end if nothing changes. None: it does not end by itself."""

    reason: Reason
    until: datetime | None


_ACTIVE = Tenure(Reason.GRANTED, None)
_ADOPTED = Tenure(Reason.ADOPTED, None)
_PROTECTED = Tenure(Reason.PROTECTED, None)


def not_after(grant: Grant, now: datetime) -> Grant:
    """Returns the grant without a time of the future, or the same object if it has none.

    A clock that was ahead wrote such a time. If it were believed, a seat would be kept until the clock catches up.
    """
    idle_since = grant.idle_since
    if grant.since <= now and (idle_since is None or idle_since <= now):
        return grant
    return replace(grant, since=min(grant.since, now), idle_since=None if idle_since is None else min(idle_since, now))


def with_idle_since(grant: Grant, *, needed: bool, now: datetime) -> Grant:
    """Returns the grant with `idle_since` as it is now, or the same object if nothing changed."""
    idle_since = grant.idle_since
    if (idle_since is None) is needed and grant.since <= now and (idle_since is None or idle_since <= now):
        return grant
    past = not_after(grant, now)
    if needed:
        return replace(past, idle_since=None)
    return past if past.idle_since is not None else replace(past, idle_since=now)


def tenure_of(grant: Grant, *, rules: PoolRules) -> Tenure:
    """Returns why the user has the seat. A ban ends it without linger, but the vendor's minimum hold still counts.

    A user whom the list cannot have is not on it, so nothing is held.
    """
    if grant.user in rules.unlistable:
        return Tenure(Reason.NOT_LISTABLE, grant.since)
    if grant.user in rules.always:
        return _PROTECTED
    if grant.user in rules.denied:
        return Tenure(Reason.MINIMUM_HOLD, after(grant.since, rules.minimum_hold))
    if grant.idle_since is None:
        return _ADOPTED if grant.reason is Reason.ADOPTED else _ACTIVE
    held = after(grant.since, rules.minimum_hold)
    lingered = after(grant.idle_since, rules.linger)
    return Tenure(Reason.MINIMUM_HOLD, held) if held > lingered else Tenure(Reason.LINGERING, lingered)


def release_reason(user: str, *, rules: PoolRules) -> Reason:
    """Returns why a seat whose time is over was released."""
    if user in rules.unlistable:
        return Reason.NOT_LISTABLE
    return Reason.USER_DENIED if user in rules.denied else Reason.WORKBENCHES_STOPPED


def release_order(grants: Iterable[Grant], *, rules: PoolRules, now: datetime) -> list[Grant]:
    """Returns the grants, the first to be released first.

    Denied users, idle users and new grants come early. Grants inside minimum hold come late, protected users last.
    """

    def firmness(grant: Grant) -> tuple[bool, bool, bool, bool]:
        return (
            grant.user in rules.always,
            inside_minimum_hold(grant, rules=rules, now=now),
            grant.user not in rules.barred,
            grant.idle_since is None,
        )

    newest_first = sorted(grants, key=lambda grant: (grant.since, grant.user), reverse=True)
    return sorted(newest_first, key=firmness)


def inside_minimum_hold(grant: Grant, *, rules: PoolRules, now: datetime) -> bool:
    """Tells whether the vendor's rule still keeps the seat."""
    return after(grant.since, rules.minimum_hold) > now
