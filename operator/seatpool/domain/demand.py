"""Keeps track of which user needs a seat of which pool, change by change.

Thousands of workbenches start and stop. One change touches one user in the few pools that serve the workbench, and costs the
same however many other workbenches exist. The content depends only on the workbenches and pools that exist, not on the order
of the changes.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heapify, heappop, heappush
from types import MappingProxyType

from seatpool.domain.globs import matcher
from seatpool.domain.need import Need

ALL_NAMESPACES = "*"
_SLACK = 8

Kind = tuple[str, str]
"""A namespace and a type. The same pools serve all workbenches that agree in both."""


@dataclass(frozen=True, slots=True)
class WorkbenchFact:
    """The facts of a workbench that the demand depends on."""

    key: str
    namespace: str
    owner: str
    type: str
    state: str
    active_since: datetime

    @property
    def kind(self) -> Kind:
        """Namespace and type: they decide which pools serve the workbench."""
        return self.namespace, self.type


@dataclass(frozen=True, slots=True)
class PoolSelector:
    """The workbenches that a pool serves. No namespaces: the pool's own. `*`: all."""

    key: str
    namespace: str
    namespaces: frozenset[str]
    types: tuple[str, ...]
    active_states: frozenset[str]


class _Active:
    """The active workbenches of one user in one pool. A heap finds the oldest one without looking at all."""

    __slots__ = ("_by_age", "since")

    def __init__(self, key: str, since: datetime) -> None:
        self.since = {key: since}
        self._by_age = [(since, key)]

    def put(self, key: str, since: datetime) -> None:
        self.since[key] = since
        heappush(self._by_age, (since, key))
        if len(self._by_age) > 2 * len(self.since) + _SLACK:
            self._by_age = [(began, active) for active, began in self.since.items()]
            heapify(self._by_age)

    def oldest(self) -> datetime:
        while self.since.get(self._by_age[0][1]) != self._by_age[0][0]:
            heappop(self._by_age)
        return self._by_age[0][0]


@dataclass(slots=True)
class _PoolDemand:
    """The demand of one pool."""

    selector: PoolSelector
    matches_type: Callable[[str], bool]
    active: dict[str, _Active] = field(default_factory=dict)
    needs: dict[str, Need] = field(default_factory=dict)

    def serves(self, kind: Kind) -> bool:
        namespace, workbench_type = kind
        if not self.matches_type(workbench_type):
            return False
        namespaces = self.selector.namespaces or {self.selector.namespace}
        return ALL_NAMESPACES in namespaces or namespace in namespaces

    def counts(self, state: str) -> bool:
        return state in self.selector.active_states

    def add(self, fact: WorkbenchFact) -> None:
        user, since = fact.owner, fact.active_since
        active = self.active.get(user)
        if active is None:
            self.active[user] = _Active(fact.key, since)
            self.needs[user] = Need(user, since)
            return
        active.put(fact.key, since)
        self._renew(user, active)

    def drop(self, fact: WorkbenchFact) -> None:
        active = self.active[fact.owner]
        del active.since[fact.key]
        if active.since:
            self._renew(fact.owner, active)
        else:
            del self.active[fact.owner], self.needs[fact.owner]

    def _renew(self, user: str, active: _Active) -> None:
        since = active.oldest()
        known = self.needs.get(user)
        if known is None or known.since != since:
            self.needs[user] = Need(user, since)


class DemandIndex:
    """Index of the needs of all pools. It is not thread safe."""

    def __init__(self) -> None:
        self._facts: dict[str, WorkbenchFact] = {}
        self._of_kind: dict[Kind, set[str]] = defaultdict(set)
        self._route: dict[Kind, frozenset[str]] = {}
        self._counting: dict[tuple[Kind, str], frozenset[str]] = {}
        """Cache of `_counted`, until a pool changes or the last workbench of a kind goes."""
        self._pools: dict[str, _PoolDemand] = {}

    def put(self, fact: WorkbenchFact) -> set[str]:
        """Adds or updates a workbench. Returns the keys of the pools in which a need, or its workbenches, changed."""
        before = self._facts.get(fact.key)
        if before == fact:
            return set()
        self._enter(fact)
        old, new = self._counted(before), self._counted(fact)
        dirty = set(old ^ new)
        if before is not None:
            for pool in old:
                if pool not in new or (before.owner, before.active_since) != (fact.owner, fact.active_since):
                    self._pools[pool].drop(before)
                    dirty.add(pool)
        for pool in dirty & new:
            self._pools[pool].add(fact)
        if before is not None and before.kind != fact.kind:
            self._leave(before)
        return dirty

    def remove(self, key: str) -> set[str]:
        """Removes a workbench. Returns the keys of the pools that counted it."""
        fact = self._facts.pop(key, None)
        if fact is None:
            return set()
        dirty = set(self._counted(fact))
        for pool in dirty:
            self._pools[pool].drop(fact)
        self._leave(fact)
        return dirty

    def put_pool(self, selector: PoolSelector) -> None:
        """Adds or updates a pool."""
        known = self._pools.get(selector.key)
        if known is not None and known.selector == selector:
            return
        self.remove_pool(selector.key)
        pool = self._pools[selector.key] = _PoolDemand(selector, matcher(selector.types))
        self._counting.clear()
        for kind, workbenches in self._of_kind.items():
            if pool.serves(kind):
                self._route[kind] |= {selector.key}
                for fact in map(self._facts.__getitem__, workbenches):
                    if pool.counts(fact.state):
                        pool.add(fact)

    def remove_pool(self, key: str) -> None:
        """Removes a pool."""
        if self._pools.pop(key, None) is not None:
            self._counting.clear()
            self._route = {kind: pools - {key} for kind, pools in self._route.items()}

    def serves(self, kind: Kind) -> bool:
        """Tells whether any pool serves workbenches of this kind."""
        return any(pool.serves(kind) for pool in self._pools.values())

    def needs(self, pool: str) -> Mapping[str, Need]:
        """Returns the needs of a pool by user, as a live view. It is empty for an unknown pool."""
        known = self._pools.get(pool)
        return MappingProxyType(known.needs if known is not None else {})

    def workbenches_of(self, pool: str, user: str) -> frozenset[str]:
        """Returns the keys of the user's active workbenches that the pool serves."""
        known = self._pools.get(pool)
        active = known.active.get(user) if known is not None else None
        return frozenset(active.since) if active is not None else frozenset()

    def workbenches(self, pool: str) -> Mapping[str, frozenset[str]]:
        """Returns the keys of the active workbenches that the pool serves, by user."""
        known = self._pools.get(pool)
        return {} if known is None else {user: frozenset(active.since) for user, active in known.active.items()}

    def pools_of(self, workbench: str) -> frozenset[str]:
        """Returns the keys of the pools that serve the workbench, active or not."""
        fact = self._facts.get(workbench)
        return frozenset() if fact is None else self._route[fact.kind]

    def _enter(self, fact: WorkbenchFact) -> None:
        self._facts[fact.key] = fact
        self._of_kind[fact.kind].add(fact.key)
        if fact.kind not in self._route:
            self._route[fact.kind] = frozenset(key for key, pool in self._pools.items() if pool.serves(fact.kind))

    def _leave(self, fact: WorkbenchFact) -> None:
        others = self._of_kind[fact.kind]
        others.discard(fact.key)
        if not others:
            del self._of_kind[fact.kind], self._route[fact.kind]
            self._counting.clear()

    def _counted(self, fact: WorkbenchFact | None) -> frozenset[str]:
        """Returns the pools in which the workbench makes a need. Its kind must be known."""
        if fact is None:
            return frozenset()
        found = self._counting.get((fact.kind, fact.state))
        if found is None:
            found = frozenset(key for key in self._route[fact.kind] if self._pools[key].counts(fact.state))
            self._counting[fact.kind, fact.state] = found
        return found
