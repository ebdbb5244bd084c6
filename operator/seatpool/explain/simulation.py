"""Simulates a pool's next hours: runs the operator's own `allocate` for later times.

No rule is written a second time here. If the answer has a seat at 09:42, then `allocate` gives it at 09:42.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import Grant, PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules
from seatpool.domain.tenure import tenure_of, with_idle_since
from seatpool.policy.plan import Question, plan

MAX_STEPS = 64
"""Changes that are simulated before the answer is "unknown"."""
MAX_CANDIDATES = 20
"""Holders whose stop is tried."""
MORE_THAN_POSITION = 5
"""Stops that are tried beyond the user's position in line, because some freed seats may not help."""
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Stop:
    """Users who would have to stop, and the time at which the seat would come then."""

    users: tuple[str, ...]
    instant: datetime
    any_of_them: bool
    """True: one of them is enough. False: all have to stop."""


@dataclass(frozen=True)
class Simulation:
    """One pool from now on, if no workbench starts or stops."""

    pool: LicensePool
    rules: PoolRules
    needs: Mapping[str, Need]
    memory: PoolMemory
    now: datetime
    server: LicenseServer | None = None
    may_release: bool = True

    @cached_property
    def answer(self) -> Allocation:
        """The allocation of this moment."""
        return self._answer(self.needs, self.memory, self.now)

    def seat_at(self, user: str, *, without: Collection[str] = ()) -> datetime | None:
        """Returns when the user gets a seat. None: never, or not within 64 changes. `without` are users who stop now."""
        needs = {name: need for name, need in self.needs.items() if name not in without} if without else self.needs
        memory, now = self.memory, self.now
        for _ in range(MAX_STEPS):
            answer = self._answer(needs, memory, now)
            if user in answer.seats:
                return now
            if answer.next_change is None:
                return None
            memory, now = answer.memory, max(answer.next_change, now + _TICK)
        return None

    def find_stop(self, user: str, *, position: int) -> Stop | None:
        """Returns the fewest users whose stop brings the seat sooner than time alone. None: no stop helps."""
        otherwise = self.seat_at(user)
        candidates = self._candidates(user)[:MAX_CANDIDATES]
        for count in range(1, min(len(candidates), position + MORE_THAN_POSITION) + 1):
            instant = self.seat_at(user, without=candidates[:count])
            if instant is None or (otherwise is not None and instant >= otherwise):
                continue
            if count > 1:
                return Stop(tuple(candidates[:count]), instant, any_of_them=False)
            alike = [one for one in candidates if self.seat_at(user, without=(one,)) == instant]
            return Stop(tuple(alike), instant, any_of_them=True)
        return None

    def _candidates(self, user: str) -> list[str]:
        """Returns the holders whose active workbenches keep their seats. The seat that would end first comes first."""

        def end(grant: Grant) -> tuple[datetime, datetime, str]:
            return self.end_if_stopped(grant), grant.since, grant.user

        holders = self.answer.memory.assigned.values()
        free = [
            one for one in holders if one.user in self.needs and one.user not in self.rules.always and one.user != user
        ]
        return [grant.user for grant in sorted(free, key=end)]

    def end_if_stopped(self, grant: Grant) -> datetime:
        """Returns when the seat comes free if its holder stops now, or has stopped already."""
        return tenure_of(with_idle_since(grant, needed=False, now=self.now), rules=self.rules).until or self.now

    def _answer(self, needs: Mapping[str, Need], memory: PoolMemory, now: datetime) -> Allocation:
        if self.may_release or self.server is None:
            return allocate(self.rules, needs, memory, now)
        pool = Question(pool=self.pool, rules=self.rules, needs=needs, memory=memory)
        return plan(self.server, [pool], others={}, may_release=False, now=now).answers[self.pool.key]
