"""Computes which users are on a pool's list. This is the core of Seatpool.

`allocate` is a pure function of the rules, the needs that exist now, and the stored memory. The same input gives the same
result. Allocating again with the returned memory changes nothing. So a lost or repeated event does no harm.

The steps, in order:

1. Release the seats whose time is over.
2. Release the seats for which there is no room any more.
3. Give seats to the protected users.
4. Give seats to the waiting line.

A user never loses a seat to one who came later, except to a protected user.

No time of the future in the memory is believed. It counts as now, and the returned memory says so. So after a clock that was
ahead has stepped back, no rule takes longer than its own length.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from seatpool.domain.allocation import Allocation, Granted, InLine, Released, Seat
from seatpool.domain.checks import Situation, refusal
from seatpool.domain.instants import NEVER, after, before
from seatpool.domain.memory import LEFT_KEPT, Grant, Left, PoolMemory, Waiting
from seatpool.domain.need import Need
from seatpool.domain.next_change import (
    NextChanges,
    first,
    first_usable,
    next_change,
    next_giving_way,
    next_usable,
)
from seatpool.domain.reasons import Reason
from seatpool.domain.reserved_seats import ReservedSeats
from seatpool.domain.rules import PoolRules
from seatpool.domain.supply import Supply
from seatpool.domain.tenure import (
    Tenure,
    inside_minimum_hold,
    release_order,
    release_reason,
    tenure_of,
    with_idle_since,
)
from seatpool.domain.waiting_line import waiting_line

_ZERO = timedelta(0)


def allocate(rules: PoolRules, needs: Mapping[str, Need], memory: PoolMemory, now: datetime) -> Allocation:
    """Returns the list as it should be now, the reasons, and the memory for the next allocation."""
    allocation = _Allocator(rules, needs, memory, now)
    allocation.release_expired()
    allocation.release_excess()
    return allocation.serve()


class _Allocator:
    """State of one allocation."""

    def __init__(self, rules: PoolRules, needs: Mapping[str, Need], memory: PoolMemory, now: datetime) -> None:
        self._rules = rules
        self._needs = needs
        self._now = now
        self._before = memory.waiting
        self._assigned = dict(sorted(memory.assigned.items()))
        self._tenures: dict[str, Tenure] = {}
        self._left = _lately_left(memory.left, rules=rules, now=now)
        self._readmit = _still_blocked(self._left, rules=rules, now=now)
        self._granted: list[Granted] = []
        self._released: list[Released] = []
        self._supply = Supply(
            rules=rules,
            held=len(memory.assigned),
            vacated=memory.vacated,
            reassignments=memory.reassignments,
            now=now,
        )

    def release_expired(self) -> None:
        """Releases the seats whose time is over."""
        for user, grant in list(self._assigned.items()):
            current = self._assigned[user] = with_idle_since(grant, needed=user in self._needs, now=self._now)
            tenure = self._tenures[user] = tenure_of(current, rules=self._rules)
            if tenure.until is not None and tenure.until <= self._now:
                self._release(user, release_reason(user, rules=self._rules))

    def release_excess(self) -> None:
        """Releases seats if the list is longer than the pool's seats, because these became fewer."""
        excess = len(self._assigned) - self._rules.seats
        if excess > 0:
            for grant in release_order(self._assigned.values(), rules=self._rules, now=self._now)[:excess]:
                self._release(grant.user, Reason.SEATS_REDUCED)
        self._supply.set_excess_aside()

    def serve(self) -> Allocation:
        """Gives the seats that can be given, and returns the result."""
        reserved = ReservedSeats(rules=self._rules, holders=self._assigned)
        situation = Situation(readmit=self._readmit, supply=self._supply, reserved=reserved)
        line = self._line()
        missing = [place for place in line if place.user in self._rules.always]
        if missing:
            self._serve_protected(missing, situation)
            line = self._line()
        return self._conclude(self._serve_line(line, situation), reserved)

    def _line(self) -> list[Waiting]:
        return waiting_line(
            rules=self._rules, needs=self._needs, holders=self._assigned, before=self._before, now=self._now
        )

    def _serve_protected(self, missing: list[Waiting], situation: Situation) -> None:
        replaceable = self._replaceable()
        for place in missing:
            reason = refusal(place.user, situation)
            if reason is Reason.POOL_FULL and (gives_way := next(replaceable, None)) is not None:
                self._release(gives_way.user, Reason.MADE_ROOM_FOR_PROTECTED)
                reason = None
            if reason is None:
                self._grant(place, Reason.PROTECTED, situation)

    def _replaceable(self) -> Iterator[Grant]:
        """Yields the grants that may be released for a protected user.

        A seat that would cool down, or that the budget does not permit to pass on, would not help.
        """
        if self._rules.seat_cool_down > _ZERO:
            return
        for grant in release_order(self._assigned.values(), rules=self._rules, now=self._now):
            if grant.user in self._rules.always or inside_minimum_hold(grant, rules=self._rules, now=self._now):
                return
            if self._supply.budget_left <= 0:
                return
            yield grant

    def _serve_line(self, line: list[Waiting], situation: Situation) -> list[tuple[Waiting, Reason]]:
        """Gives seats in order, and returns the refused users with their reasons.

        Repeats until a round gives no seat, so the reasons fit what is left in the end.
        """
        while True:
            refused: list[tuple[Waiting, Reason]] = []
            for place in line:
                reason = refusal(place.user, situation)
                if reason is None:
                    self._grant(place, Reason.GRANTED, situation)
                else:
                    refused.append((place, reason))
            if len(refused) == len(line):
                return refused
            line = [place for place, _ in refused]

    def _grant(self, place: Waiting, reason: Reason, situation: Situation) -> None:
        user = place.user
        self._supply.take(user)
        self._left.pop(user, None)
        situation.reserved.add_holder(user)
        grant = Grant(user=user, since=self._now, idle_since=None if user in self._needs else self._now, reason=reason)
        self._assigned[user] = grant
        self._tenures[user] = tenure_of(grant, rules=self._rules)
        waited = max(_ZERO, self._now - place.since) if user in self._before else _ZERO
        self._granted.append(Granted(user, reason, waited))

    def _release(self, user: str, reason: Reason) -> None:
        grant = self._assigned.pop(user)
        del self._tenures[user]
        self._supply.vacate(user)
        self._left[user] = Left(self._now, reason)
        if self._rules.readmit_after > _ZERO:
            self._readmit[user] = after(self._now, self._rules.readmit_after)
        self._released.append(Released(user, reason, max(_ZERO, self._now - grant.since)))

    def _conclude(self, refused: list[tuple[Waiting, Reason]], reserved: ReservedSeats) -> Allocation:
        users = tuple(sorted(self._assigned))
        supply = self._supply
        line = [place for place, _ in refused]
        coming = self._next_changes(refused, reserved)
        denied = (self._rules.barred & self._needs.keys()) - self._assigned.keys()
        waiting = tuple(
            self._in_line(place, position, reason, coming) for position, (place, reason) in enumerate(refused, start=1)
        )
        return Allocation(
            memory=PoolMemory(
                assigned={user: self._assigned[user] for user in users},
                waiting={place.user: place for place in line},
                vacated=supply.vacated,
                left=dict(sorted(self._left.items())),
                reassignments=supply.reassignments,
            ),
            users=users,
            seats={user: self._seat(user) for user in users},
            waiting=waiting,
            newly_waiting=tuple(one for one in waiting if one.user not in self._before),
            denied=tuple(sorted(denied)),
            unlistable=self._rules.unlistable & denied,
            granted=tuple(self._granted),
            released=tuple(self._released),
            next_change=coming.next_change,
            reassignments_used=supply.reassignments_used,
        )

    def _next_changes(self, refused: list[tuple[Waiting, Reason]], reserved: ReservedSeats) -> NextChanges:
        always, rules, supply = self._rules.always, self._rules, self._supply
        next_release = first(*(tenure.until for tenure in self._tenures.values()))
        protected_wait = any(reason is Reason.POOL_FULL and place.user in always for place, reason in refused)
        giving_way = (
            next_giving_way(rules=rules, supply=supply, grants=self._assigned.values()) if protected_wait else None
        )
        line = [place for place, _ in refused]
        change = next_change(
            next_release=next_release, next_giving_way=giving_way, supply=supply, readmit=self._readmit, line=line
        )
        return NextChanges(
            next_change=change,
            next_release=next_release,
            next_usable=next_usable(rules=rules, supply=supply, next_release=next_release),
            first_usable=first_usable(rules=rules, supply=supply, next_release=next_release, next_change=change),
            next_giving_way=giving_way,
            claims=bool(rules.reservations) or reserved.are_missed,
        )

    def _in_line(self, place: Waiting, position: int, reason: Reason, coming: NextChanges) -> InLine:
        user = place.user
        earliest = coming.earliest(
            user, protected=user in self._rules.always, readmit=self._readmit, supply=self._supply
        )
        return InLine(user, position, place.since, reason, earliest)

    def _seat(self, user: str) -> Seat:
        reason, until = self._tenures[user]
        return Seat(user, self._assigned[user].since, reason, until if until is None or until < NEVER else None)


def _lately_left(left: Mapping[str, Left], *, rules: PoolRules, now: datetime) -> dict[str, Left]:
    """Returns who left, as far back as it is remembered."""
    oldest = before(now, max(LEFT_KEPT, rules.readmit_after))
    return {user: gone if gone.at <= now else Left(now, gone.reason) for user, gone in left.items() if gone.at > oldest}


def _still_blocked(left: Mapping[str, Left], *, rules: PoolRules, now: datetime) -> dict[str, datetime]:
    """Returns until when users may not return, for those whose block is not over."""
    if rules.readmit_after == _ZERO:
        return {}
    over = before(now, rules.readmit_after)
    return {user: after(gone.at, rules.readmit_after) for user, gone in left.items() if gone.at > over}
