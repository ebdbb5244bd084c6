"""What a pool's own rules say will happen, found by asking the very same `allocate` about later instants.

No rule is told a second time here: if a seat comes at 09:42 in the answer, that is because `allocate` gives it at 09:42.
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
from seatpool.domain.tenure import observed, standing
from seatpool.policy.plan import Question, plan

STEPS = 64
TRIED = 20
SPARE = 5
_TICK = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Stop:
    """Who would have to stop, and when the seat would come then."""

    users: tuple[str, ...]
    instant: datetime
    any_of_them: bool
    """One of them is enough; else it takes all."""


@dataclass(frozen=True)
class Replay:
    """One pool, from now on."""

    pool: LicensePool
    rules: PoolRules
    needs: Mapping[str, Need]
    memory: PoolMemory
    now: datetime
    server: LicenseServer | None = None
    may_release: bool = True

    @cached_property
    def answer(self) -> Allocation:
        """The answer of this moment."""
        return self._answer(self.needs, self.memory, self.now)

    def seat_at(self, user: str, *, without: Collection[str] = ()) -> datetime | None:
        """When the person gets a seat if nobody starts or stops any more; `without` are people who stop now."""
        needs = {name: need for name, need in self.needs.items() if name not in without} if without else self.needs
        memory, now = self.memory, self.now
        for _ in range(STEPS):
            answer = self._answer(needs, memory, now)
            if user in answer.seats:
                return now
            if answer.next_change is None:
                return None
            memory, now = answer.memory, max(answer.next_change, now + _TICK)
        return None

    def stop_that_helps(self, user: str, *, position: int) -> Stop | None:
        """The fewest people whose stop brings the seat sooner than time alone."""
        otherwise = self.seat_at(user)
        candidates = self._who_could_stop(user)[:TRIED]
        for count in range(1, min(len(candidates), position + SPARE) + 1):
            instant = self.seat_at(user, without=candidates[:count])
            if instant is None or (otherwise is not None and instant >= otherwise):
                continue
            if count > 1:
                return Stop(tuple(candidates[:count]), instant, any_of_them=False)
            alike = [one for one in candidates if self.seat_at(user, without=(one,)) == instant]
            return Stop(tuple(alike), instant, any_of_them=True)
        return None

    def _who_could_stop(self, user: str) -> list[str]:
        """Holders whose workbenches keep their seats, those first whose seats would end first."""

        def end(grant: Grant) -> tuple[datetime, datetime, str]:
            return self.end_if_stopped(grant), grant.since, grant.user

        holders = self.answer.memory.assigned.values()
        free = [
            one for one in holders if one.user in self.needs and one.user not in self.rules.always and one.user != user
        ]
        return [grant.user for grant in sorted(free, key=end)]

    def end_if_stopped(self, grant: Grant) -> datetime:
        """When the seat would come free if its holder stopped now; of one that is not needed any more, when it does."""
        return standing(observed(grant, needed=False, now=self.now), rules=self.rules).until or self.now

    def _answer(self, needs: Mapping[str, Need], memory: PoolMemory, now: datetime) -> Allocation:
        if self.may_release or self.server is None:
            return allocate(self.rules, needs, memory, now)
        asked = Question(pool=self.pool, rules=self.rules, needs=needs, memory=memory)
        return plan(self.server, [asked], others_present=0, may_release=False, now=now).answers[self.pool.key]
