"""Replays the past by asking `allocate` about every user at every change.

It is slow and simple: the oracle of `replay`.
"""

from datetime import datetime

from seatpool.domain.allocate import allocate
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules
from seatpool.planner.past_demand import PastDemand, Step
from seatpool.planner.replay_result import ReplayResult, Tally


def replay_plainly(demand: PastDemand, rules: PoolRules) -> ReplayResult:
    """Returns each wait and the use of the seats, for these rules."""
    return _PlainReplay(demand, rules).run()


class _PlainReplay:
    """One replay of the past."""

    def __init__(self, demand: PastDemand, rules: PoolRules) -> None:
        self._demand = demand
        self._rules = rules
        self._tally = Tally(demand)
        self._memory = PoolMemory.empty()
        self._needs: dict[str, Need] = {}
        self._unserved: dict[str, int] = {}
        self._next_change: datetime | None = None

    def run(self) -> ReplayResult:
        self._allocate(self._demand.since)
        for step in self._demand.steps:
            self._pass_time_until(step.at)
            self._apply_step(step)
        self._pass_time_until(self._demand.until)
        return self._tally.result(self._demand.until)

    def _pass_time_until(self, at: datetime) -> None:
        while self._next_change is not None and self._next_change < at:
            self._allocate(self._next_change)

    def _apply_step(self, step: Step) -> None:
        for index in step.ends:
            user = self._demand.needs[index].user
            del self._needs[user]
            if self._unserved.pop(user, None) is not None and user not in self._rules.denied:
                self._tally.record_never_served(index)
        for index in step.begins:
            user = self._demand.needs[index].user
            self._needs[user] = Need(user, step.at)
            self._unserved[user] = index
        self._allocate(step.at)

    def _allocate(self, at: datetime) -> None:
        answer = allocate(self._rules, self._needs, self._memory, at)
        self._memory, self._next_change = answer.memory, answer.next_change
        for user in self._unserved.keys() & answer.seats.keys():
            self._tally.record_served(self._unserved.pop(user), at)
        self._tally.set_holders(len(answer.users), at)
