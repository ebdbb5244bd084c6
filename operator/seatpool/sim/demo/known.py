"""What the events say, as far as they have arrived: who needs a seat of what, since when and until when.

This is the judge's own understanding. It shares no code with the mirror or with allocation; of Seatpool it uses only
how owners' names become user ids. Events come twice and in any order, so each instance is looked at anew from all that
has arrived of it, sorted by the events' own time.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import groupby
from operator import attrgetter

from seatpool.domain.identity import InvalidUser, check_user, normalise
from seatpool.sim.demo.event_file import STATES, WorkbenchEvent

__all__ = ["Known", "Life", "PoolFacts", "Spell", "life_of", "user_of"]

ACTIVE = frozenset({"pending", "running"})
FOR_EVER = frozenset({"shutting-down", "terminated"})


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """What decides about a pool's list."""

    seats: int
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Life:
    """Where an instance stands."""

    active: bool
    since: datetime | None
    """Since when it is active without a break."""
    owner: str
    type: str


@dataclass(slots=True)
class Spell:
    """One person's need of one product, from the arrival of the event that began it to that of its end."""

    began: float
    crowded: bool
    """More people than seats needed the product then."""
    claims: list[tuple[float, datetime]]
    """The time that counts in a waiting line, and since which arrival it did."""
    ended: float | None = None


@dataclass
class _Demand:
    """One product."""

    pool: PoolFacts
    active: dict[str, dict[str, datetime]] = field(default_factory=lambda: defaultdict(dict))
    """By user and instance, since when."""
    spells: dict[str, list[Spell]] = field(default_factory=lambda: defaultdict(list))

    def needs(self) -> set[str]:
        return {user for user, instances in self.active.items() if instances}


class Known:
    """Everything that has arrived. May be asked while another thread adds."""

    def __init__(self, pools: Mapping[str, PoolFacts]) -> None:
        """`pools` by product."""
        self.events = 0
        self._lock = threading.RLock()
        self._products = {product: _Demand(pool) for product, pool in pools.items()}
        self._arrived: dict[str, list[WorkbenchEvent]] = defaultdict(list)
        self._counted: dict[str, tuple[str, str]] = {}

    @property
    def pools(self) -> dict[str, PoolFacts]:
        return {product: demand.pool for product, demand in self._products.items()}

    def add(self, event: WorkbenchEvent, at: float) -> None:
        """An event is in the queue since `at`, in seconds since the epoch."""
        with self._lock:
            self.events += 1
            so_far = self._arrived[event.instance]
            if event.owner is None and not so_far:
                return  # nobody knows whose it is, and nobody keeps it until somebody does
            so_far.append(event)
            self._look_at(event.instance, life_of(so_far), at)

    def needs(self, product: str) -> frozenset[str]:
        """Who needs a seat now."""
        with self._lock:
            return frozenset(self._products[product].needs())

    def spells(self, product: str) -> dict[str, tuple[Spell, ...]]:
        """All needs that there were, by user, in the order of time."""
        with self._lock:
            return {user: tuple(spells) for user, spells in self._products[product].spells.items()}

    def people(self, product: str) -> int:
        """How many different people have needed it."""
        with self._lock:
            return len(self._products[product].spells)

    def _look_at(self, instance: str, life: Life, at: float) -> None:
        user = user_of(life.owner) if life.active else None
        now = (user, life.type) if user is not None else None
        before = self._counted.pop(instance, None)
        if before is not None and before != now:
            for demand in self._serving(before[1]):
                self._leave(demand, before[0], instance, at)
        if now is not None and life.since is not None:
            self._counted[instance] = now
            for demand in self._serving(now[1]):
                self._enter(demand, now[0], instance, since=life.since, at=at)

    def _enter(self, demand: _Demand, user: str, instance: str, *, since: datetime, at: float) -> None:
        instances = demand.active[user]
        began = not instances
        instances[instance] = since
        claim = min(instances.values())
        if began:
            crowded = len(demand.needs()) > demand.pool.seats
            demand.spells[user].append(Spell(at, crowded, [(at, claim)]))
        elif demand.spells[user][-1].claims[-1][1] != claim:
            demand.spells[user][-1].claims.append((at, claim))

    def _leave(self, demand: _Demand, user: str, instance: str, at: float) -> None:
        instances = demand.active[user]
        del instances[instance]
        spell = demand.spells[user][-1]
        if not instances:
            spell.ended = at
        elif spell.claims[-1][1] != (claim := min(instances.values())):
            spell.claims.append((at, claim))

    def _serving(self, workbench_type: str) -> Iterable[_Demand]:
        for demand in self._products.values():
            if any(fnmatchcase(workbench_type, pattern) for pattern in demand.pool.types):
                yield demand


def life_of(events: Iterable[WorkbenchEvent]) -> Life:
    """Where an instance stands after these events, of which one tells whose it is; their order does not matter."""
    active, since = False, None
    owner = of_type = ""
    over = False
    for at, group in groupby(sorted(events, key=attrgetter("at")), key=attrgetter("at")):
        states = set()
        for event in group:
            states.add(event.state)
            if event.owner is not None and event.type is not None:
                owner, of_type = event.owner, event.type
        over = over or not states.isdisjoint(FOR_EVER)
        began = _is_active_after(states, was_active=active)
        if began and not active:
            since = at
        active = began
    return Life(active=active and not over, since=since, owner=owner, type=of_type)


def user_of(owner: str) -> str | None:
    """The user id of an owner, None for one that no license server could take."""
    user = normalise(owner, strip_domain=True, fold_case=True, mapping={})
    try:
        check_user(user)
    except InvalidUser:
        return None
    return user


def _is_active_after(states: set[str], *, was_active: bool) -> bool:
    """In one second an instance that was active can only have stopped and started, another only started and stopped."""
    if states == {"running", "stopped"}:
        return was_active
    return max(states, key=STATES.index) in ACTIVE
