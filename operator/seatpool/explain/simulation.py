"""Simulates a pool's next hours: runs the operator's own `allocate` for later times.

No rule is written a second time here. If the answer has a seat at 09:42, then `allocate` gives it at 09:42.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Literal, NamedTuple

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import Grant, PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules
from seatpool.policy.plan import Question, plan
from seatpool.policy.wait_estimate import Line, end_if_stopped

MAX_WORK = 120_000
"""Users that all allocations of one simulation may look at together. That is about half a second."""
MORE_THAN_POSITION = 5
"""Stops that are tried beyond the place in line if not every set can be tried. Some freed seats may not help."""
_TICK = timedelta(milliseconds=1)


class Arrival(NamedTuple):
    """When time alone brings something. None: never, or not known."""

    instant: datetime | None
    is_known: bool = True
    """False: the search was cut short at `seen_until`."""
    seen_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """So many of these users."""

    count: int
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stops:
    """The smallest sets of holders whose stop brings a seat sooner than time alone, and the soonest that they do."""

    count: int
    """Holders in each of the sets."""
    instant: datetime
    """When the seat comes then."""
    ways: tuple[tuple[Group, ...], ...]
    """Each way stands for all sets that have so many users of each of its groups."""
    all_tried: bool
    """False: the search was cut short. There may be smaller sets, other sets, or a set that brings the seat sooner."""


@dataclass
class _Work:
    """What is left of the work that a simulation may do."""

    left: int

    def spend(self, users: int) -> bool:
        """Counts one allocation. False: nothing is left."""
        self.left -= users + 1
        return self.left >= 0


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
    max_work: int = MAX_WORK

    @cached_property
    def answer(self) -> Allocation:
        """The allocation of this moment."""
        return self._answer(self.needs, self.memory, self.now)

    @property
    def line(self) -> Line:
        """The waiting line of this moment."""
        return Line(pool=self.pool, rules=self.rules, answer=self.answer, working=self.needs, now=self.now)

    @cached_property
    def _work(self) -> _Work:
        return _Work(self.max_work)

    def seat_at(self, user: str, *, without: Collection[str] = ()) -> Arrival:
        """Returns when the user gets a seat. `without` are users who stop now."""
        for instant, answer in self._later(without):
            if answer is None:
                return Arrival(None, is_known=False, seen_until=instant)
            if user in answer.seats:
                return Arrival(instant)
        return Arrival(None)

    def lost_at(self, user: str) -> Arrival:
        """Returns when a holder loses the seat."""
        for instant, answer in self._later(()):
            if answer is None:
                return Arrival(None, is_known=False, seen_until=instant)
            if user not in answer.seats:
                return Arrival(instant)
        return Arrival(None)

    def _later(self, without: Collection[str]) -> Iterator[tuple[datetime, Allocation | None]]:
        """Yields the allocation now and at each time at which it changes. None: the work that is allowed is done."""
        needs = {name: need for name, need in self.needs.items() if name not in without} if without else self.needs
        memory, now = self.memory, self.now
        while True:
            if not self._work.spend(len(memory.assigned) + len(needs)):
                yield now, None
                return
            answer = self._answer(needs, memory, now)
            yield now, answer
            if answer.next_change is None:
                return
            memory, now = answer.memory, max(answer.next_change, now + _TICK)

    def find_stops(self, user: str, *, otherwise: datetime | None, position: int = 1) -> Stops | Literal[False] | None:
        """Returns the smallest sets of holders whose stop brings the seat sooner than `otherwise`.

        None: no set does. False: the search was cut short, and no set was found. `position` is the user's place in line: so
        many stops are tried if not every set can be.
        """
        kinds = self._kinds_of_holders(user)
        for count in range(1, sum(map(len, kinds)) + 1):
            best, found, cut = None, list[tuple[int, ...]](), False
            for numbers in _splits(count, tuple(map(len, kinds))):
                chosen = [name for number, kind in zip(numbers, kinds, strict=True) for name in kind[:number]]
                arrival = self.seat_at(user, without=chosen)
                if not arrival.is_known:
                    cut = True
                    break
                if arrival.instant is None or (otherwise is not None and arrival.instant >= otherwise):
                    continue
                if best is None or arrival.instant < best:
                    best, found = arrival.instant, []
                if arrival.instant == best:
                    found.append(numbers)
            if best is not None:
                return Stops(count, best, _ways(found, kinds), all_tried=not cut)
            if cut:
                return self._first_set(user, kinds, otherwise=otherwise, position=position) or False
        return None

    def _first_set(
        self, user: str, kinds: Sequence[Sequence[str]], *, otherwise: datetime | None, position: int
    ) -> Stops | None:
        """Returns a set that helps, of those whose seats would end first. There may be smaller ones."""
        sizes = tuple(map(len, kinds))
        self._work.left = self.max_work
        for count in range(position, min(position + MORE_THAN_POSITION, sum(sizes)) + 1):
            numbers = tuple(_filled(count, sizes))
            chosen = [name for number, kind in zip(numbers, kinds, strict=True) for name in kind[:number]]
            comes = self.seat_at(user, without=chosen).instant
            if comes is not None and (otherwise is None or comes < otherwise):
                return Stops(count, comes, _ways([numbers], kinds), all_tried=False)
        return None

    def _kinds_of_holders(self, user: str) -> list[list[str]]:
        """Returns the holders whose stop can free a seat. Those of one list are alike: it does not matter which one stops.

        A list begins with the seat that has been held longest, and the list whose seats would end first comes first.
        """
        rules, holders = self.rules, self.answer.memory.assigned
        # Who gives way to a protected user, or goes because there are too many, depends on each holder's own times. Who gets
        # a seat at this moment depends on the place in line.
        alone = len(self.memory.assigned) > rules.seats or not rules.always <= holders.keys()
        kinds = defaultdict[tuple[object, ...], list[Grant]](list)
        for grant in holders.values():
            own = grant.user
            if own in self.needs and own not in rules.always and own not in rules.barred and own != user:
                single = own if alone or own not in self.memory.assigned else None
                kinds[self.end_if_stopped(grant), rules.reservation_of(own), single].append(grant)
        ordered = [sorted(kind, key=lambda grant: (grant.since, grant.user)) for kind in kinds.values()]
        ordered.sort(key=lambda kind: (self.end_if_stopped(kind[0]), kind[0].since, kind[0].user))
        return [[grant.user for grant in kind] for kind in ordered]

    def end_if_stopped(self, grant: Grant) -> datetime:
        """Returns when the seat comes free if its holder stops now, or has stopped already."""
        return end_if_stopped(grant, rules=self.rules, now=self.now)

    def _answer(self, needs: Mapping[str, Need], memory: PoolMemory, now: datetime) -> Allocation:
        if self.may_release or self.server is None:
            return allocate(self.rules, needs, memory, now)
        pool = Question(pool=self.pool, rules=self.rules, needs=needs, memory=memory)
        return plan(self.server, [pool], others={}, may_release=False, now=now).answers[self.pool.key]


def _splits(count: int, sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yields every way to take so many from lists of these sizes, as a number for each list. The first lists come first."""
    numbers = _filled(count, sizes)
    while True:
        yield tuple(numbers)
        taken, room = 0, 0
        for index in range(len(sizes) - 1, -1, -1):
            if numbers[index] > 0 and room > taken:
                numbers[index] -= 1
                numbers[index + 1 :] = _filled(taken + 1, sizes[index + 1 :])
                break
            taken, room = taken + numbers[index], room + sizes[index]
        else:
            return


def _filled(count: int, sizes: Sequence[int]) -> list[int]:
    """Returns so many taken from the first lists."""
    numbers = []
    for size in sizes:
        numbers.append(min(size, count))
        count -= numbers[-1]
    return numbers


def _ways(found: Sequence[tuple[int, ...]], kinds: Sequence[Sequence[str]]) -> tuple[tuple[Group, ...], ...]:
    """Returns the sets in few groups: those that each set has, and then any of the others, if any will do."""
    fixed = [index for index in range(len(kinds)) if len({numbers[index] for numbers in found}) == 1]
    free = [index for index in range(len(kinds)) if index not in fixed]
    same = tuple(Group(number, tuple(kinds[index])) for index in fixed if (number := found[0][index]) > 0)
    if not free:
        return (same,)
    rest = sum(found[0][index] for index in free)
    users = tuple(user for index in free for user in kinds[index])
    if sum(_choices(numbers, kinds, free) for numbers in found) == math.comb(len(users), rest):
        return ((*same, Group(rest, users)),)
    return tuple(
        tuple(Group(number, tuple(kinds[index])) for index, number in enumerate(numbers) if number) for numbers in found
    )


def _choices(numbers: Sequence[int], kinds: Sequence[Sequence[str]], of: Sequence[int]) -> int:
    """Returns how many sets have these numbers of users of these lists."""
    return math.prod(math.comb(len(kinds[index]), numbers[index]) for index in of)
