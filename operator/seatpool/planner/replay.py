"""Replays the past with other seats or rules: how long each user would have waited.

`allocate` alone decides who gets a seat that several users want. But most changes need no decision: a user stops, and
the seat ends when the rules say; a user starts while there are seats for all. `allocate` is asked only if there is a
decision, and only about the users concerned (`freed_seats.py`). The tests compare the result with `replay_plainly`,
which asks it about every user at every change.
"""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from datetime import datetime
from heapq import heappop, heappush
from typing import NamedTuple

from seatpool.domain.instants import after
from seatpool.domain.memory import Grant, Waiting
from seatpool.domain.next_change import first
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules
from seatpool.domain.tenure import tenure_of
from seatpool.planner.freed_seats import FreedSeats
from seatpool.planner.past_demand import PastDemand, Step
from seatpool.planner.plain_replay import replay_plainly
from seatpool.planner.replay_result import ReplayResult, Tally


class _Place(NamedTuple):
    """A place in line. Places sort in the order of the line."""

    rank: int
    since: datetime
    user: str
    need: int


def replay(demand: PastDemand, rules: PoolRules) -> ReplayResult:
    """Returns each wait and the use of the seats, for these rules."""
    if len(rules.always) > rules.seats:  # only then a protected user may have to wait
        return replay_plainly(demand, rules)
    return _Replay(demand, rules).run()


class _Replay:
    """One replay of the past."""

    def __init__(self, demand: PastDemand, rules: PoolRules) -> None:
        self._demand = demand
        self._needs = demand.needs
        self._rules = rules
        self._tally = Tally(demand)
        self._freed = FreedSeats(rules)
        self._order_decides_alone = not rules.remembers_seats and not rules.reservations
        """Tells whether the next in line always gets a free seat, apart from users who left too lately."""
        self._holders: dict[str, Grant] = {}
        self._waiting: dict[str, _Place] = {}
        """All users who wait."""
        self._blocked: dict[str, datetime] = {}
        """Users of these who left too lately, and until when they are blocked."""
        self._line: list[_Place] = []
        """The others, in order."""
        self._newcomers: dict[str, _Place] = {}
        """Users in line who came since the others were refused."""
        self._ask_about_all = False
        """Tells whether a seat was freed since."""
        self._readmit: dict[str, datetime] = {}
        self._ends: dict[str, datetime] = {}
        """When the seats end of holders who do not need theirs any more."""
        self._alarms: list[tuple[datetime, str]] = []
        """When the state of a user may change by itself: a seat that is not needed, or a block, ends."""
        self._next_change: datetime | None = None

    def run(self) -> ReplayResult:
        for user in self._rules.always:
            self._holders[user] = Grant(user, self._demand.since, self._demand.since, Reason.PROTECTED)
        self._tally.set_holders(len(self._holders), self._demand.since)
        for step in self._demand.steps:
            self._pass_time_until(step.at)
            if step.ends:
                self._end_needs(step)
            if step.begins:
                self._begin_needs(step)
            self._decide(step.at)
        self._pass_time_until(self._demand.until)
        return self._tally.result(self._demand.until)

    def _pass_time_until(self, at: datetime) -> None:
        while True:
            due = self._alarms[0][0] if self._alarms else at
            if self._next_change is not None and self._next_change < due:
                due = self._next_change
            if due >= at:
                return
            self._decide(due)

    def _end_needs(self, step: Step) -> None:
        for index in step.ends:
            user = self._needs[index].user
            grant = self._holders.get(user)
            if grant is not None:
                idle = self._holders[user] = Grant(user, grant.since, step.at, grant.reason)
                until = tenure_of(idle, rules=self._rules).until
                if until is not None:
                    self._ends[user] = until
                    heappush(self._alarms, (until, user))
            elif user in self._waiting:
                self._leave_line(user)
                self._tally.record_gave_up(index)

    def _begin_needs(self, step: Step) -> None:
        room_for_all = self._order_decides_alone and not self._line and self._free >= len(step.begins)
        for index in step.begins:
            user = self._needs[index].user
            grant = self._holders.get(user)
            if grant is not None:
                self._holders[user] = Grant(user, grant.since, None, grant.reason)
                self._ends.pop(user, None)
                self._tally.record_served(index, step.at)
            elif user in self._rules.denied:
                continue
            elif (until := self._readmit.get(user, step.at)) > step.at:
                self._blocked[user] = until
                heappush(self._alarms, (until, user))
                self._waiting[user] = self._place(index, user)
            elif room_for_all:
                self._holders[user] = Grant(user, step.at, None, Reason.GRANTED)
                self._tally.record_served(index, step.at)
            else:
                place = self._waiting[user] = self._place(index, user)
                self._join_line(place)

    def _place(self, index: int, user: str) -> _Place:
        return _Place(-self._rules.weight_of(user), self._needs[index].begin, user, index)

    @property
    def _free(self) -> int:
        return self._rules.seats - len(self._holders)

    def _decide(self, at: datetime) -> None:
        if self._next_change is not None and self._next_change <= at:
            self._next_change = None
            self._ask_about_all = True
        if self._alarms and self._alarms[0][0] <= at:
            self._handle_alarms(at)
        if self._line and (self._ask_about_all or self._newcomers) and self._free > 0:
            self._assign_line(at)
        self._tally.set_holders(len(self._holders), at)

    def _handle_alarms(self, at: datetime) -> None:
        released = []
        while self._alarms and self._alarms[0][0] <= at:
            until, user = heappop(self._alarms)
            if self._ends.get(user) == until:
                del self._ends[user]
                released.append(user)
            elif self._blocked.get(user) == until:
                del self._blocked[user]
                self._join_line(self._waiting[user])
        if released:
            self._release(released, at)

    def _release(self, users: Iterable[str], at: datetime) -> None:
        for user in users:
            del self._holders[user]
            if self._rules.readmit_after:
                self._readmit[user] = after(at, self._rules.readmit_after)
        self._freed.vacate(users, at)
        self._ask_about_all = True

    def _assign_line(self, at: datetime) -> None:
        line = [Waiting(place.user, place.since) for place in self._candidates()]
        self._ask_about_all = False
        self._newcomers.clear()
        if self._freed.can_be_ignored(line, held=len(self._holders), at=at):
            granted: Sequence[Grant] = [Grant(place.user, at, None, Reason.GRANTED) for place in line]
        else:
            answer = self._freed.assign(line, self._holders, at)
            granted = answer.granted
            self._next_change = first(self._next_change, answer.next_change)
        for grant in granted:
            self._holders[grant.user] = grant
            self._tally.record_served(self._leave_line(grant.user), at)

    def _candidates(self) -> Sequence[_Place]:
        """Returns the users who may get a seat now.

        Users who were refused stay refused while others only come. A reservation can change that: a user who takes a
        kept seat changes how many are kept.
        """
        if self._order_decides_alone:
            return self._line[: self._free]
        return self._line if self._ask_about_all or self._rules.reservations else sorted(self._newcomers.values())

    def _join_line(self, place: _Place) -> None:
        insort(self._line, place)
        self._newcomers[place.user] = place

    def _leave_line(self, user: str) -> int:
        place = self._waiting.pop(user)
        if self._blocked.pop(user, None) is None:
            del self._line[bisect_left(self._line, place)]
            self._newcomers.pop(user, None)
        return place.need
