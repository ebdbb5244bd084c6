"""Who is on a pool's list: the heart of Seatpool.

A pure function of the rules, of the needs that exist now and of the few facts that have to be remembered. It can be
asked at any time and as often as one likes: the same question has the same answer, and asking again with the memory
that it returned changes nothing. A lost or repeated event can therefore do no harm.

First seats end whose time is over, then those for which there is no room any more; then the protected get theirs, and
at last the line is served. Nobody loses a seat to somebody who came later, except to the protected.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from seatpool.domain.allocation import Allocation, Granted, InLine, Released, Seat
from seatpool.domain.checks import Situation, refusal
from seatpool.domain.instants import NEVER, after
from seatpool.domain.memory import Grant, PoolMemory, Waiting
from seatpool.domain.need import Need
from seatpool.domain.next_change import Outlook, first, next_change, next_giving_way, next_usable
from seatpool.domain.reasons import Reason
from seatpool.domain.reserved_seats import Kept
from seatpool.domain.rules import PoolRules
from seatpool.domain.supply import Supply
from seatpool.domain.tenure import (
    Tenure,
    ending_reason,
    in_order_of_shedding,
    inside_minimum_hold,
    observed,
    standing,
)
from seatpool.domain.waiting_line import in_line

_ZERO = timedelta(0)


def allocate(rules: PoolRules, needs: Mapping[str, Need], memory: PoolMemory, now: datetime) -> Allocation:
    """The list as it should be now, why, and what to remember."""
    answer = _Answer(rules, needs, memory, now)
    answer.end_what_is_over()
    answer.shed_what_has_no_room()
    return answer.seat_the_line()


class _Answer:
    """One answer while it is worked out."""

    def __init__(self, rules: PoolRules, needs: Mapping[str, Need], memory: PoolMemory, now: datetime) -> None:
        self._rules = rules
        self._needs = needs
        self._now = now
        self._before = memory.waiting
        self._assigned = dict(sorted(memory.assigned.items()))
        self._standings: dict[str, Tenure] = {}
        self._readmit = _still_blocked(memory.readmit, rules=rules, now=now)
        self._granted: list[Granted] = []
        self._released: list[Released] = []
        self._supply = Supply(
            rules=rules,
            held=len(memory.assigned),
            vacated=memory.vacated,
            reassignments=memory.reassignments,
            now=now,
        )

    def end_what_is_over(self) -> None:
        """Release whose time has come."""
        for user, grant in list(self._assigned.items()):
            seen = self._assigned[user] = observed(grant, needed=user in self._needs, now=self._now)
            stands = self._standings[user] = standing(seen, rules=self._rules)
            if stands.until is not None and stands.until <= self._now:
                self._release(user, ending_reason(user, rules=self._rules))

    def shed_what_has_no_room(self) -> None:
        """A list is never longer than its seats, even when the seats become fewer."""
        excess = len(self._assigned) - self._rules.seats
        if excess > 0:
            for grant in in_order_of_shedding(self._assigned.values(), rules=self._rules, now=self._now)[:excess]:
                self._release(grant.user, Reason.SEATS_REDUCED)
        self._supply.drop_what_exceeds_the_seats()

    def seat_the_line(self) -> Allocation:
        """Grant what can be granted, and say why the others wait."""
        kept = Kept(rules=self._rules, holders=self._assigned)
        situation = Situation(readmit=self._readmit, supply=self._supply, kept=kept)
        line = self._line()
        missing = [place for place in line if place.user in self._rules.always]
        if missing:
            self._seat_the_protected(missing, situation)
            line = self._line()
        return self._conclude(self._serve(line, situation))

    def _line(self) -> list[Waiting]:
        return in_line(rules=self._rules, needs=self._needs, holders=self._assigned, before=self._before, now=self._now)

    def _seat_the_protected(self, missing: list[Waiting], situation: Situation) -> None:
        sheddable = self._sheddable()
        for place in missing:
            reason = refusal(place.user, situation)
            if reason is Reason.POOL_FULL and (gives_way := next(sheddable, None)) is not None:
                self._release(gives_way.user, Reason.MADE_ROOM_FOR_PROTECTED)
                reason = None
            if reason is None:
                self._grant(place, Reason.PROTECTED, situation)

    def _sheddable(self) -> Iterator[Grant]:
        """Who gives way to the protected; a seat that would cool down, or cost what is spent, helps nobody."""
        if self._rules.seat_cool_down > _ZERO:
            return
        for grant in in_order_of_shedding(self._assigned.values(), rules=self._rules, now=self._now):
            if grant.user in self._rules.always or inside_minimum_hold(grant, rules=self._rules, now=self._now):
                return
            if self._supply.budget_left <= 0:
                return
            yield grant

    def _serve(self, line: list[Waiting], situation: Situation) -> list[tuple[Waiting, Reason]]:
        """Seat whom nothing refuses, until a whole round seats nobody: its reasons fit what is left in the end."""
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
        situation.kept.seated(user)
        grant = Grant(user=user, since=self._now, idle_since=None if user in self._needs else self._now, reason=reason)
        self._assigned[user] = grant
        self._standings[user] = standing(grant, rules=self._rules)
        self._granted.append(Granted(user, reason, max(_ZERO, self._now - place.since)))

    def _release(self, user: str, reason: Reason) -> None:
        grant = self._assigned.pop(user)
        del self._standings[user]
        self._supply.vacate(user)
        if self._rules.readmit_after > _ZERO:
            self._readmit[user] = after(self._now, self._rules.readmit_after)
        self._released.append(Released(user, reason, max(_ZERO, self._now - grant.since)))

    def _conclude(self, refused: list[tuple[Waiting, Reason]]) -> Allocation:
        users = tuple(sorted(self._assigned))
        supply, readmit = self._supply, self._readmit
        line = [place for place, _ in refused]
        view = self._outlook(refused)
        return Allocation(
            memory=PoolMemory(
                assigned={user: self._assigned[user] for user in users},
                waiting={place.user: place for place in line},
                vacated=supply.vacated,
                readmit=dict(sorted(readmit.items())),
                reassignments=tuple(supply.reassignments),
            ),
            users=users,
            seats={user: self._seat(user) for user in users},
            waiting=tuple(
                self._in_line(place, position, reason, view)
                for position, (place, reason) in enumerate(refused, start=1)
            ),
            denied=tuple(sorted((self._rules.denied & self._needs.keys()) - self._assigned.keys())),
            granted=tuple(self._granted),
            released=tuple(self._released),
            next_change=next_change(view=view, supply=supply, readmit=readmit, line=line),
            reassignments_used=len(supply.reassignments),
        )

    def _outlook(self, refused: list[tuple[Waiting, Reason]]) -> Outlook:
        always, rules, supply = self._rules.always, self._rules, self._supply
        next_release = first(*(stands.until for stands in self._standings.values()))
        room_is_wanted = any(reason is Reason.POOL_FULL and place.user in always for place, reason in refused)
        return Outlook(
            next_release=next_release,
            next_usable=next_usable(rules=rules, supply=supply, next_release=next_release),
            next_giving_way=next_giving_way(rules=rules, supply=supply, grants=self._assigned.values())
            if room_is_wanted
            else None,
        )

    def _in_line(self, place: Waiting, position: int, reason: Reason, view: Outlook) -> InLine:
        user = place.user
        earliest = view.earliest(user, protected=user in self._rules.always, readmit=self._readmit, supply=self._supply)
        return InLine(user, position, place.since, reason, earliest)

    def _seat(self, user: str) -> Seat:
        reason, until = self._standings[user]
        return Seat(user, self._assigned[user].since, reason, until if until is None or until < NEVER else None)


def _still_blocked(readmit: Mapping[str, datetime], *, rules: PoolRules, now: datetime) -> dict[str, datetime]:
    """Blocks that are not over. A rule that was shortened since, or dropped, shortens the blocks that it made."""
    if rules.readmit_after == _ZERO:
        return {}
    longest = after(now, rules.readmit_after)
    return {user: min(until, longest) for user, until in readmit.items() if until > now}
