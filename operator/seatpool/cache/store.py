"""What the operator knows of the cluster right now, in memory.

Fed by a paged LIST at start, by Kopf's watches, and by the audit that repairs what a watch missed. It keeps of a Workbench
only what decisions need, so that ten thousand of them are a few megabytes. Every change names the pools whose answer
may be different now; the reconciler of their server is woken.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from sys import intern
from typing import Any

from seatpool.api.base import Metadata, Resource, key_of
from seatpool.api.conditions import Condition
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.api.seatledger import SeatLedger, SeatLedgerSpec
from seatpool.api.workbench import Workbench, WorkbenchStatus
from seatpool.domain.demand import DemandIndex, WorkbenchFact
from seatpool.domain.identity import InvalidUser
from seatpool.domain.rules import PoolRules
from seatpool.policy.pool_rules import pool_rules, pool_selector

Raw = dict[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class WorkbenchView:
    """The part of a Workbench that is kept."""

    metadata: Metadata
    user: str | None
    problem: str | None
    """Why the owner is no user id."""
    status: WorkbenchStatus
    fact: WorkbenchFact
    """With the owner as the spec spells it."""
    account: str
    region: str
    instance_id: str

    @property
    def place(self) -> tuple[str, str]:
        return self.account, self.region

    @property
    def generation(self) -> int:
        return self.metadata.generation

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.status.conditions

    @property
    def observed_generation(self) -> int | None:
        return self.status.observed_generation

    def status_wire(self) -> Raw:
        return self.status.wire()


@dataclass(slots=True)
class LedgerView:
    """One share of a pool's memory as it is stored."""

    name: str
    uid: str
    resource_version: str
    spec: SeatLedgerSpec


class StoreHandler:
    """Is told of changes by a `Store` to which it subscribed. It takes what it needs; it neither waits nor fails."""

    def server_dirty(self, server: str) -> None:
        """The server of this key has work."""

    def workbench_moved(self, workbench: str, changed_at: datetime, pools: Collection[str]) -> None:
        """A workbench was taken in. Its news is of `changed_at` and makes a difference in these pools.

        Called before their servers are told.
        """

    def workbench_upserted(self, view: WorkbenchView) -> None:
        """A workbench was taken in."""

    def workbench_deleted(self, view: WorkbenchView) -> None:
        """A workbench vanished; this is what it was before."""

    def workbench_changed(self, workbench: str) -> None:
        """The status of the workbench of this key may be another one."""

    def pool_changed(self, pool: str) -> None:
        """The pool of this key appeared, changed or vanished."""

    def server_changed(self, server: str) -> None:
        """The server of this key appeared, changed or vanished."""


@dataclass
class Store:
    """The cluster's objects by `namespace/name`. Not thread safe: it belongs to one event loop."""

    identity: IdentitySettings
    _handlers: list[StoreHandler] = field(default_factory=list, init=False)

    demand: DemandIndex = field(default_factory=DemandIndex)
    workbenches: dict[str, WorkbenchView] = field(default_factory=dict)
    pools: dict[str, LicensePool] = field(default_factory=dict)
    rules: dict[str, PoolRules] = field(default_factory=dict)
    servers: dict[str, LicenseServer] = field(default_factory=dict)
    ledgers: dict[str, dict[int, LedgerView]] = field(default_factory=lambda: defaultdict(dict))
    dirty_pools: dict[str, datetime] = field(default_factory=dict)
    """Pools whose demand or rules changed, and since when nobody has looked."""
    _served: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Keys of the pools that refer to a server."""
    _claims: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    _versions: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    _gone_ledgers: dict[str, str] = field(default_factory=dict)
    """The uid of the last share of a name that was deleted."""

    def subscribe(self, handler: StoreHandler) -> None:
        """Tells the handler of every change from now on, after those that subscribed before it."""
        self._handlers.append(handler)

    def wake(self, server: str) -> None:
        """Says that a server has work that no object tells of."""
        for handler in self._handlers:
            handler.server_dirty(server)

    def take_dirty(self, pools: Iterable[str]) -> dict[str, datetime]:
        """Returns which of these pools changed, and since when no reconciler has looked. They are clean then."""
        return {pool: self.dirty_pools.pop(pool) for pool in pools if pool in self.dirty_pools}

    def put(self, resource: type[Resource], raw: Raw, *, now: datetime, parsed: Workbench | None = None) -> bool:
        """Take an object in; False when it is not newer than what is known. ValidationError for a broken one.

        `parsed` is the same from whoever has read it already.
        """
        if not self.is_news(resource, raw):
            return False
        metadata = raw["metadata"]
        if resource is Workbench:
            self._put_workbench(parsed or Workbench.model_validate(raw), now)
        elif resource is LicensePool:
            self._put_pool(LicensePool.model_validate(raw), now)
        elif resource is LicenseServer:
            self._put_server(LicenseServer.model_validate(raw))
        else:
            return self.put_ledger(SeatLedger.model_validate(raw))
        self._versions[resource.kind, key_of(metadata)] = (metadata["uid"], int(metadata["resourceVersion"]))
        return True

    def is_news(self, resource: type[Resource], raw: Raw) -> bool:
        """Whether the object is newer than what is known of its name."""
        metadata = raw["metadata"]
        known = self._versions.get((resource.kind, key_of(metadata)))
        return known is None or int(metadata["resourceVersion"]) > known[1]

    def knows(self, resource: type[Resource], raw: Raw) -> bool:
        """Whether this very object is known, and not only one of its name."""
        metadata = raw["metadata"]
        known = self._versions.get((resource.kind, key_of(metadata)))
        return known is not None and known[0] == metadata["uid"]

    def workbenches_served_by(self, pool: str) -> Iterator[str]:
        """Keys of the active workbenches that a pool serves."""
        for keys in self.demand.workbenches(pool).values():
            yield from keys

    def remove(self, resource: type[Resource], key: str, *, uid: str | None, now: datetime) -> bool:
        """Forget an object; False when it is not known, or when another object of that name is."""
        if resource is SeatLedger:
            return self._remove_ledger(key, uid, now)
        known = self._versions.get((resource.kind, key))
        if known is None or (uid is not None and known[0] != uid):
            return False
        del self._versions[resource.kind, key]
        if resource is Workbench:
            view = self.workbenches.pop(key)
            for handler in self._handlers:
                handler.workbench_deleted(view)
            self._mark(self.demand.remove(key), now)
        elif resource is LicensePool:
            self._remove_pool(key, now)
            for handler in self._handlers:
                handler.pool_changed(key)
        else:
            del self.servers[key]
            for handler in self._handlers:
                handler.server_changed(key)
        return True

    def known(self, resource: type[Resource]) -> dict[str, tuple[str, int]]:
        """uid and version of every known object of a kind, by key."""
        return {key: seen for (kind, key), seen in self._versions.items() if kind == resource.kind}

    def pools_of_server(self, server: str) -> Iterator[LicensePool]:
        """The pools that refer to a server, in a stable order."""
        for key in sorted(self._served[server]):
            yield self.pools[key]

    def server_of(self, pool: str) -> str:
        """Key of the server that a pool refers to, whether it exists or not."""
        return self.pools[pool].server_key

    def mode_of(self, pool: LicensePool) -> Mode:
        """Whether the pool's answers become lists: its server may say no for it."""
        server = self.servers.get(pool.server_key)
        modes = {pool.spec.mode} if server is None else {pool.spec.mode, server.spec.mode}
        return Mode.DRY_RUN if Mode.DRY_RUN in modes else Mode.ENFORCE

    def claimant(self, pool: str) -> str:
        """Returns the key of the pool that manages this pool's product on its server: the oldest."""
        return self._claims[self.server_of(pool), self.pools[pool].spec.product][0]

    def mark(self, pool: str, now: datetime) -> None:
        """Say that a pool should be looked at."""
        self._mark({pool}, now)

    def put_ledger(self, ledger: SeatLedger) -> bool:
        """Remember a share as it is stored, told by a watch or by the answer to our own write; whether that was news.

        What is older than our own last write is none, nor is the answer to a write of one that was deleted since.
        """
        metadata = ledger.metadata
        pool = f"{metadata.namespace}/{ledger.spec.pool}"
        index = int(metadata.name.rpartition("-")[2])
        known = self.ledgers[pool].get(index)
        if known is not None and int(metadata.resource_version) <= int(known.resource_version):
            return False
        if self._gone_ledgers.get(ledger.key) == metadata.uid:
            return False
        self.ledgers[pool][index] = LedgerView(
            name=metadata.name, uid=metadata.uid, resource_version=metadata.resource_version, spec=ledger.spec
        )
        self._versions[SeatLedger.kind, ledger.key] = (metadata.uid, int(metadata.resource_version))
        return True

    def identify(self, identity: IdentitySettings, *, now: datetime) -> None:
        """Normalise every owner anew, all at once: nobody may have two spellings, and so two seats, for a moment."""
        if identity == self.identity:
            return
        self.identity = identity
        for key, view in list(self.workbenches.items()):
            user, problem = self.identity.user_or_problem(view.fact.owner)
            if (user, problem) != (view.user, view.problem):
                self.workbenches[key] = replace(view, user=user, problem=problem)
                self._mark(self._demand_of(self.workbenches[key]), now)
                for handler in self._handlers:
                    handler.workbench_changed(key)
        for key, pool in self.pools.items():
            try:
                self.rules[key] = pool_rules(pool.spec, identity)
            except InvalidUser:
                continue  # what it has to say about its users holds as it was
            self._mark({key}, now)

    def _demand_of(self, view: WorkbenchView) -> set[str]:
        """Count the workbench as it is now; the pools in which that makes a difference."""
        if view.user is None or view.metadata.deletion_timestamp is not None:
            return self.demand.remove(view.fact.key)
        fact = view.fact
        return self.demand.put(fact if view.user == fact.owner else replace(fact, owner=view.user))

    def _put_workbench(self, workbench: Workbench, now: datetime) -> None:
        spec, metadata = workbench.spec, workbench.metadata
        user, problem = self.identity.user_or_problem(spec.owner)
        before = self.workbenches.get(workbench.key)
        fact = WorkbenchFact(
            key=workbench.key,
            namespace=metadata.namespace,
            owner=spec.owner,
            type=spec.type,
            state=spec.state.value,
            active_since=spec.launched_at or spec.state_changed_at,
        )
        view = WorkbenchView(
            metadata=metadata, user=user, problem=problem, status=workbench.status, fact=fact, account=intern(spec.account),
            region=intern(spec.region),
            instance_id=metadata.name if spec.instance_id == metadata.name else spec.instance_id,
        )  # fmt: skip
        self.workbenches[workbench.key] = view
        dirty = self._demand_of(view)
        for handler in self._handlers:
            handler.workbench_moved(workbench.key, spec.state_changed_at, dirty)
        for handler in self._handlers:
            handler.workbench_upserted(view)
        self._mark(dirty, now, tell_again=False)
        if before is None or before.generation != metadata.generation or problem != before.problem:
            for handler in self._handlers:
                handler.workbench_changed(workbench.key)

    def _put_pool(self, pool: LicensePool, now: datetime) -> None:
        before = self.pools.get(pool.key)
        if before is not None and _decides_the_same(before, pool):
            self.pools[pool.key] = pool
            return
        rules = pool_rules(pool.spec, self.identity)  # a pool that cannot be computed with changes nothing here
        if before is not None and before.metadata.uid != pool.metadata.uid:
            self._remove_pool(pool.key, now)
            for handler in self._handlers:
                handler.pool_changed(pool.key)
        self.pools[pool.key] = pool
        self.rules[pool.key] = rules
        self._served[self.server_of(pool.key)].add(pool.key)
        self.demand.put_pool(pool_selector(pool))
        claims = self._claims[self.server_of(pool.key), pool.spec.product]
        if pool.key not in claims:
            claims.append(pool.key)
        claims.sort(key=lambda key: (self.pools[key].metadata.creation_timestamp or _EPOCH, key))
        for key in claims:
            for handler in self._handlers:
                handler.pool_changed(key)
        self._mark(set(claims), now)

    def _remove_pool(self, key: str, now: datetime) -> None:
        server = self.server_of(key)
        self._served[server].discard(key)
        pool = self.pools.pop(key)
        self.rules.pop(key, None)
        self.demand.remove_pool(key)
        self.dirty_pools.pop(key, None)
        claims = self._claims[server, pool.spec.product]
        claims.remove(key)
        for other in claims:
            for handler in self._handlers:
                handler.pool_changed(other)
        if not claims:
            del self._claims[server, pool.spec.product]
        self._mark(set(claims), now)
        for handler in self._handlers:
            handler.server_dirty(server)

    def _put_server(self, server: LicenseServer) -> None:
        before = self.servers.get(server.key)
        self.servers[server.key] = server
        if (
            before is None
            or before.metadata.uid != server.metadata.uid
            or before.metadata.generation != server.metadata.generation
            or before.metadata.annotations != server.metadata.annotations
        ):
            for handler in self._handlers:
                handler.server_changed(server.key)

    def _remove_ledger(self, key: str, uid: str | None, now: datetime) -> bool:
        """A memory that somebody deleted has to be written again, even one whose beginning no watch has told of yet."""
        namespace, name = key.split("/", 1)
        pool, _, index = name.rpartition("-")
        known = self._versions.get((SeatLedger.kind, key))
        if uid is not None:
            self._gone_ledgers[key] = uid
            if known is not None and known[0] != uid:
                return False
        self._versions.pop((SeatLedger.kind, key), None)
        self.ledgers.get(f"{namespace}/{pool}", {}).pop(int(index), None)
        self._mark({f"{namespace}/{pool}"}, now)
        return known is not None

    def _mark(self, pools: set[str], now: datetime, *, tell_again: bool = True) -> None:
        """`tell_again` is whether a server that was told of the pool, and has not looked yet, is told once more."""
        for pool in pools:
            if pool in self.pools and (tell_again or pool not in self.dirty_pools):
                self.dirty_pools.setdefault(pool, now)
                for handler in self._handlers:
                    handler.server_dirty(self.server_of(pool))


def _decides_the_same(before: LicensePool, pool: LicensePool) -> bool:
    """Whether only the status, or labels, changed."""
    old, new = before.metadata, pool.metadata
    return (old.uid, old.generation, old.deletion_timestamp, old.annotations) == (
        new.uid,
        new.generation,
        new.deletion_timestamp,
        new.annotations,
    )
