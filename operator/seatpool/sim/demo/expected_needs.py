"""Computes from the events that have arrived which user needs a seat of which product, from when to when.

This is the judge's own understanding. It shares no code with the mirror or with allocation. It uses only the rule by
which owners become user ids. Events come twice and in any order. So the state of an instance is computed again from all
its events, sorted by their own time.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import groupby
from math import inf
from operator import attrgetter

from seatpool.domain.identity import InvalidUser, check_user, normalise
from seatpool.sim.demo.event_file import STATES, WorkbenchEvent

__all__ = ["ExpectedNeeds", "Life", "NeedInterval", "PoolFacts", "PossibleNeed", "life_of", "user_of"]

ACTIVE = frozenset({"pending", "running"})
FOR_EVER = frozenset({"shutting-down", "terminated"})


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """Facts that decide about a pool's list."""

    seats: int
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """State of an instance."""

    active: bool
    owner: str
    type: str


@dataclass(slots=True)
class NeedInterval:
    """One user's need of one product, from the arrival of the event that began it to that of the event that ended it."""

    began: float
    crowded: bool
    """More users than seats needed the product then."""
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class PossibleNeed:
    """Possible effect of one event that makes an instance active, whatever else of the queue was read so far.

    The operator may have read this event and not yet the others, also those that arrived before it. So the need is
    certain only until the first event that supersedes it arrives. It may be seen until that one has certainly been
    read.
    """

    claim: datetime
    """The event's own time, which decides the place in line."""
    arrived: float
    superseded: float
    """Arrival of the first event with a later time that ends the need. Infinity: there is none."""
    doubted: float
    """The same, also with events of the same time."""


@dataclass
class _Demand:
    """Needs of one product."""

    pool: PoolFacts
    active: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Instances by user."""
    intervals: dict[str, list[NeedInterval]] = field(default_factory=lambda: defaultdict(list))

    def serves(self, workbench_type: str) -> bool:
        return any(fnmatchcase(workbench_type, pattern) for pattern in self.pool.types)

    def needs(self) -> set[str]:
        return {user for user, instances in self.active.items() if instances}


class ExpectedNeeds:
    """All events that have arrived. Another thread may add events meanwhile."""

    def __init__(self, pools: Mapping[str, PoolFacts]) -> None:
        """Starts without events. `pools` is by product."""
        self.events = 0
        self._lock = threading.RLock()
        self._products = {product: _Demand(pool) for product, pool in pools.items()}
        self._arrived: dict[str, list[tuple[float, WorkbenchEvent]]] = defaultdict(list)
        self._counted: dict[str, tuple[str, str]] = {}

    @property
    def pools(self) -> dict[str, PoolFacts]:
        return {product: demand.pool for product, demand in self._products.items()}

    def add(self, event: WorkbenchEvent, at: float) -> None:
        """Adds an event that is in the queue since `at`, in seconds since the epoch."""
        with self._lock:
            self.events += 1
            so_far = self._arrived[event.instance]
            if event.owner is None and not so_far:
                return  # its owner is not known, and the mirror does not keep such events either
            so_far.append((at, event))
            self._look_at(event.instance, life_of(one for _, one in so_far), at)

    def needs(self, product: str) -> frozenset[str]:
        """Returns the users who need a seat now."""
        with self._lock:
            return frozenset(self._products[product].needs())

    def intervals(self, product: str) -> dict[str, tuple[NeedInterval, ...]]:
        """Returns all needs so far, by user, in the order of time."""
        with self._lock:
            return {user: tuple(intervals) for user, intervals in self._products[product].intervals.items()}

    def possible_needs(self, product: str) -> dict[str, tuple[PossibleNeed, ...]]:
        """Returns by user each event after which the operator may believe that the user needs the product."""
        found: dict[str, list[PossibleNeed]] = defaultdict(list)
        with self._lock:
            for arrived in self._arrived.values():
                for user, workbench_type, possible in _possible_needs_of(arrived):
                    if self._products[product].serves(workbench_type):
                        found[user].append(possible)
        return {user: tuple(possible_needs) for user, possible_needs in found.items()}

    def _look_at(self, instance: str, life: Life, at: float) -> None:
        user = user_of(life.owner) if life.active else None
        now = (user, life.type) if user is not None else None
        before = self._counted.pop(instance, None)
        if before is not None and before != now:
            for demand in self._serving(before[1]):
                self._leave(demand, before[0], instance, at)
        if now is not None:
            self._counted[instance] = now
            for demand in self._serving(now[1]):
                self._enter(demand, now[0], instance, at)

    def _enter(self, demand: _Demand, user: str, instance: str, at: float) -> None:
        instances = demand.active[user]
        began = not instances
        instances.add(instance)
        if began:
            demand.intervals[user].append(NeedInterval(at, len(demand.needs()) > demand.pool.seats))

    def _leave(self, demand: _Demand, user: str, instance: str, at: float) -> None:
        instances = demand.active[user]
        instances.remove(instance)
        if not instances:
            demand.intervals[user][-1].ended = at

    def _serving(self, workbench_type: str) -> Iterable[_Demand]:
        return (demand for demand in self._products.values() if demand.serves(workbench_type))


def life_of(events: Iterable[WorkbenchEvent]) -> Life:
    """Returns the state of an instance after these events, in any order. One of them names the owner."""
    active = False
    owner = of_type = ""
    over = False
    for _, group in groupby(sorted(events, key=attrgetter("at")), key=attrgetter("at")):
        states = set()
        for event in group:
            states.add(event.state)
            if event.owner is not None and event.type is not None:
                owner, of_type = event.owner, event.type
        over = over or not states.isdisjoint(FOR_EVER)
        active = _is_active_after(states, was_active=active)
    return Life(active=active and not over, owner=owner, type=of_type)


def _possible_needs_of(arrived: Sequence[tuple[float, WorkbenchEvent]]) -> Iterator[tuple[str, str, PossibleNeed]]:
    """Yields user, type and possible effect of each event of one instance that makes it active."""
    holders = {(event.owner, event.type) for _, event in arrived if event.owner is not None and event.type is not None}
    ends = [(event.at, at) for at, event in arrived if event.state not in ACTIVE]
    end_for_ever = min((at for at, event in arrived if event.state in FOR_EVER), default=inf)
    for at, event in arrived:
        if event.state not in ACTIVE:
            continue
        holder = (event.owner, event.type)
        handed_on = [
            (other.at, when)
            for when, other in arrived
            if other.owner is not None and (other.owner, other.type) != holder
        ]
        superseded = min((when for time, when in [*ends, *handed_on] if time > event.at), default=inf)
        doubted = min((when for time, when in [*ends, *handed_on] if time == event.at), default=inf)
        possible = PossibleNeed(
            claim=event.at,
            arrived=at,
            superseded=min(superseded, end_for_ever),
            doubted=min(superseded, doubted, end_for_ever),
        )
        for owner, workbench_type in [holder] if event.owner is not None else holders:
            if owner is not None and workbench_type is not None and (user := user_of(owner)) is not None:
                yield user, workbench_type, possible


def user_of(owner: str) -> str | None:
    """Returns the user id of an owner. None: no license server could take it."""
    user = normalise(owner, strip_domain=True, fold_case=True, mapping={})
    try:
        check_user(user)
    except InvalidUser:
        return None
    return user


def _is_active_after(states: set[str], *, was_active: bool) -> bool:
    """Orders the states within one second.

    An active instance can only have stopped and started, another only the reverse.
    """
    if states == {"running", "stopped"}:
        return was_active
    return max(states, key=STATES.index) in ACTIVE
