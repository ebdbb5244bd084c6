"""What the events say, as far as they have arrived: who needs a seat of what, since when and until when.

This is the judge's own understanding. It shares no code with the mirror or with allocation; of Seatpool it uses only
how owners' names become user ids. Events come twice and in any order, so each instance is looked at anew from all that
has arrived of it, sorted by the events' own time.
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

__all__ = ["Chance", "Known", "Life", "PoolFacts", "Spell", "life_of", "user_of"]

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
    owner: str
    type: str


@dataclass(slots=True)
class Spell:
    """One person's need of one product, from the arrival of the event that began it to that of its end."""

    began: float
    crowded: bool
    """More people than seats needed the product then."""
    ended: float | None = None


@dataclass(frozen=True, slots=True)
class Chance:
    """What one event that makes an instance active can do, whatever else of the queue has been read so far.

    The operator may have read this event and not yet the others, also those that arrived before it. So the need holds
    for sure only until the first event that supersedes it arrives, and may be seen until that one has surely been read.
    """

    claim: datetime
    """The event's own time: what counts in a waiting line."""
    arrived: float
    superseded: float
    """When the first event with a later time that ends the need arrived; infinity without one."""
    doubted: float
    """The same, with those of the same time."""


@dataclass
class _Demand:
    """One product."""

    pool: PoolFacts
    active: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Instances by user."""
    spells: dict[str, list[Spell]] = field(default_factory=lambda: defaultdict(list))

    def serves(self, workbench_type: str) -> bool:
        return any(fnmatchcase(workbench_type, pattern) for pattern in self.pool.types)

    def needs(self) -> set[str]:
        return {user for user, instances in self.active.items() if instances}


class Known:
    """Everything that has arrived. May be asked while another thread adds."""

    def __init__(self, pools: Mapping[str, PoolFacts]) -> None:
        """`pools` by product."""
        self.events = 0
        self._lock = threading.RLock()
        self._products = {product: _Demand(pool) for product, pool in pools.items()}
        self._arrived: dict[str, list[tuple[float, WorkbenchEvent]]] = defaultdict(list)
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
            so_far.append((at, event))
            self._look_at(event.instance, life_of(one for _, one in so_far), at)

    def needs(self, product: str) -> frozenset[str]:
        """Who needs a seat now."""
        with self._lock:
            return frozenset(self._products[product].needs())

    def spells(self, product: str) -> dict[str, tuple[Spell, ...]]:
        """All needs that there were, by user, in the order of time."""
        with self._lock:
            return {user: tuple(spells) for user, spells in self._products[product].spells.items()}

    def chances(self, product: str) -> dict[str, tuple[Chance, ...]]:
        """By user, each event after which the operator may take somebody to need it."""
        found: dict[str, list[Chance]] = defaultdict(list)
        with self._lock:
            for arrived in self._arrived.values():
                for user, workbench_type, chance in _chances_of(arrived):
                    if self._products[product].serves(workbench_type):
                        found[user].append(chance)
        return {user: tuple(chances) for user, chances in found.items()}

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
            demand.spells[user].append(Spell(at, len(demand.needs()) > demand.pool.seats))

    def _leave(self, demand: _Demand, user: str, instance: str, at: float) -> None:
        instances = demand.active[user]
        instances.remove(instance)
        if not instances:
            demand.spells[user][-1].ended = at

    def _serving(self, workbench_type: str) -> Iterable[_Demand]:
        return (demand for demand in self._products.values() if demand.serves(workbench_type))


def life_of(events: Iterable[WorkbenchEvent]) -> Life:
    """Where an instance stands after these events, of which one tells whose it is; their order does not matter."""
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


def _chances_of(arrived: Sequence[tuple[float, WorkbenchEvent]]) -> Iterator[tuple[str, str, Chance]]:
    """The user, the type and what may come of it, for each event of one instance that makes it active."""
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
        chance = Chance(
            claim=event.at,
            arrived=at,
            superseded=min(superseded, end_for_ever),
            doubted=min(superseded, doubted, end_for_ever),
        )
        for owner, workbench_type in [holder] if event.owner is not None else holders:
            if owner is not None and workbench_type is not None and (user := user_of(owner)) is not None:
                yield user, workbench_type, chance


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
