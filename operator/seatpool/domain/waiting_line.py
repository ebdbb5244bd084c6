"""Puts the waiting users in order."""

from collections.abc import Container, Mapping
from datetime import datetime

from seatpool.domain.memory import Waiting
from seatpool.domain.need import Need
from seatpool.domain.rules import Order, PoolRules


def waiting_line(
    *,
    rules: PoolRules,
    needs: Mapping[str, Need],
    holders: Container[str],
    before: Mapping[str, Waiting],
    now: datetime,
) -> list[Waiting]:
    """Returns the users who should have a seat and have none, the next one first.

    Protected users are at the front, even if they need no seat now. A place in line never gets worse while the need goes
    on, even if the workbench that it began with stops. No time of the future is believed: such a wait begins now.
    """
    line = [
        _place(user, min(need.since, now), before)
        for user, need in needs.items()
        if user not in holders and user not in rules.barred
    ]
    line += [_place(user, now, before) for user in rules.always if user not in holders and user not in needs]
    line.sort(key=lambda place: place.user)
    line.sort(key=lambda place: place.since)
    if rules.order is Order.PRIORITY:
        line.sort(key=lambda place: -rules.weight_of(place.user))
    if rules.always:
        line.sort(key=lambda place: place.user not in rules.always)
    return line


def _place(user: str, since: datetime, before: Mapping[str, Waiting]) -> Waiting:
    known = before.get(user)
    return known if known is not None and known.since <= since else Waiting(user, since)
