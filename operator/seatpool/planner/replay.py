"""Replays the past with other seats or rules: how long each user would have waited.

Who gets a seat is decided by the order of the waiting line and the checks of `domain.checks`, as in `allocate`. But a
replay goes from one change to the next, and looks only at the users and seats that changed. So its time grows with the
number of changes, whatever the rules are. The tests compare the result with `replay_plainly`, which asks `allocate`
about every user at every change.
"""

from bisect import bisect_left, insort
from collections import deque
from datetime import datetime
from heapq import heappop, heappush
from typing import NamedTuple

from seatpool.domain.checks import Situation, refusal
from seatpool.domain.instants import after
from seatpool.domain.memory import Grant
from seatpool.domain.reasons import Reason
from seatpool.domain.reserved_seats import ReservedSeats
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
        self._freed = FreedSeats(rules, held=len(rules.always))
        self._every_seat_is_alike = not rules.remembers_seats and not rules.reservations
        self._holders: dict[str, Grant] = {}
        self._waiting: dict[str, _Place] = {}
        """All users who wait."""
        self._blocked: dict[str, datetime] = {}
        """Users of these who left too lately, and until when they are blocked."""
        self._line: list[_Place] = []
        """The others, in order."""
        self._newcomers: list[_Place] = []
        """Places in line of users who came since the others were refused."""
        self._ask_about_all = False
        """Tells whether a seat became usable since."""
        self._readmit: dict[str, datetime] = {}
        self._ends: dict[str, datetime] = {}
        """When the seats end of holders who do not need theirs any more."""
        self._ends_at_once = not rules.linger and not rules.minimum_hold
        self._released: list[str] = []
        """Users whose seats end at this instant."""
        self._alarms: list[tuple[datetime, str]] = []
        """When the state of a user may change by itself: a seat that is not needed, or a block, ends."""

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
            if self._line and (change := self._freed.next_change) is not None and change < due:
                due = change
            if due >= at:
                return
            self._decide(due)

    def _end_needs(self, step: Step) -> None:
        for index in step.ends:
            user = self._needs[index].user
            grant = self._holders.get(user)
            if grant is not None:
                if self._ends_at_once and user not in self._rules.always:
                    self._released.append(user)
                    continue
                idle = self._holders[user] = Grant(user, grant.since, step.at, grant.reason)
                until = tenure_of(idle, rules=self._rules).until
                if until is not None:
                    self._ends[user] = until
                    heappush(self._alarms, (until, user))
            elif user in self._waiting:
                self._leave_line(user)
                self._tally.record_never_served(index)

    def _begin_needs(self, step: Step) -> None:
        room_for_all = (
            self._every_seat_is_alike
            and not self._line
            and self._freed.free >= len(step.begins)
            and not self._is_alarm_due(step.at)
        )
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
                self._freed.take(user, step.at)
                self._holders[user] = Grant(user, step.at, None, Reason.GRANTED)
                self._tally.record_served(index, step.at)
            else:
                place = self._waiting[user] = self._place(index, user)
                self._join_line(place)

    def _place(self, index: int, user: str) -> _Place:
        return _Place(-self._rules.weight_of(user), self._needs[index].begin, user, index)

    def _is_alarm_due(self, at: datetime) -> bool:
        return bool(self._alarms) and self._alarms[0][0] <= at

    def _decide(self, at: datetime) -> None:
        if self._freed.pass_time(at):
            self._ask_about_all = True
        if self._is_alarm_due(at):
            self._handle_alarms(at)
        if self._released:
            self._release(at)
        if self._line and (self._ask_about_all or self._newcomers) and self._freed.free > 0:
            self._serve_line(at)
        self._newcomers.clear()
        self._ask_about_all = False
        self._tally.set_holders(len(self._holders), at)

    def _handle_alarms(self, at: datetime) -> None:
        while self._is_alarm_due(at):
            until, user = heappop(self._alarms)
            if self._ends.get(user) == until:
                del self._ends[user]
                self._released.append(user)
            elif self._blocked.get(user) == until:
                del self._blocked[user]
                self._join_line(self._waiting[user])

    def _release(self, at: datetime) -> None:
        for user in self._released:
            del self._holders[user]
            if self._rules.readmit_after:
                self._readmit[user] = after(at, self._rules.readmit_after)
        self._freed.vacate(self._released, at)
        self._released.clear()
        self._ask_about_all = True

    def _serve_line(self, at: datetime) -> None:
        if self._rules.reservations:
            self._serve_line_with_reservations(at)
            return
        # Without reservations all checks come to this: the next in line has a usable seat, and whoever left a seat that
        # was not given to another user returns to it. Only newcomers can have left one.
        returning = deque(sorted(place for place in self._newcomers if self._freed.was_left_by(place.user)))
        while self._line:
            if self._freed.usable > 0:
                place = self._line[0]
            elif returning:
                place = returning.popleft()
                if place.user not in self._waiting or not self._freed.was_left_by(place.user):
                    continue
            else:
                return
            self._serve(place, at)

    def _serve_line_with_reservations(self, at: datetime) -> None:
        """Serves the line as `allocate` does: again and again, until a round gives no seat."""
        reserved = ReservedSeats(rules=self._rules, holders=self._holders)
        situation = Situation(readmit={}, supply=self._freed, reserved=reserved)
        served = True
        while served:
            served = False
            refused: set[int | None] = set()
            for place in self._line.copy():
                reservation = self._rules.reservation_of(place.user)
                returns = self._freed.was_left_by(place.user)
                if reservation in refused and not returns:
                    continue
                if refusal(place.user, situation) is None:
                    reserved.add_holder(place.user)
                    self._serve(place, at)
                    served = True
                    refused.clear()
                elif not returns:
                    refused.add(reservation)

    def _serve(self, place: _Place, at: datetime) -> None:
        self._leave_line(place.user)
        self._freed.take(place.user, at)
        self._holders[place.user] = Grant(place.user, at, None, Reason.GRANTED)
        self._tally.record_served(place.need, at)

    def _join_line(self, place: _Place) -> None:
        insort(self._line, place)
        self._newcomers.append(place)

    def _leave_line(self, user: str) -> None:
        place = self._waiting.pop(user)
        if self._blocked.pop(user, None) is None:
            del self._line[bisect_left(self._line, place)]
