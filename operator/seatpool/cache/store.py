"""Caches the cluster's objects in memory.

Three sources fill it: a paged LIST at start, Kopf's watches, and the resync that repairs what a watch missed. It keeps of a
Workbench only what decisions need. So 10,000 of them take a few megabytes.

Each change marks the pools whose answer may differ now, and wakes the reconciler of their server.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from sys import intern
from typing import Any

from seatpool.api.base import Metadata, Resource, key_of
from seatpool.api.conditions import Condition
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.api.seatledger import LedgerEnded, SeatLedger, SeatLedgerSpec
from seatpool.api.workbench import SourceKind, Workbench, WorkbenchSpec, WorkbenchStatus
from seatpool.cache.claims import ProductClaims, place_of
from seatpool.domain.demand import DemandIndex, WorkbenchFact
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.identity import PLACEHOLDER, InvalidUser
from seatpool.domain.rules import PoolRules
from seatpool.policy.ledger_codec import ledger_key, ledger_name, share_index
from seatpool.policy.pool_rules import pool_rules, pool_selector

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WorkbenchView:
    """The part of a Workbench that the cache keeps."""

    metadata: Metadata
    user: str | None
    """User id of the owner. None: the owner is no user id, see `problem`."""
    problem: str | None
    """Why the owner is no user id. None: it is one."""
    status: WorkbenchStatus
    fact: WorkbenchFact
    """Input of decisions. Its owner is spelled as in the spec."""
    account: str | None
    """None: the source has no accounts, as `region`."""
    region: str | None
    instance_id: str | None
    """EC2 instance id. None: it is another machine."""
    object_reference: str | None = None
    """rule/namespace/name of an object of the cluster. None: it is another machine."""

    @property
    def generation(self) -> int:
        return self.metadata.generation

    @property
    def conditions(self) -> tuple[Condition, ...]:
        return self.status.conditions

    @property
    def observed_generation(self) -> int | None:
        return self.status.observed_generation


@dataclass(slots=True)
class LedgerView:
    """A stored SeatLedger: a share of a pool's memory."""

    name: str
    uid: str
    resource_version: str
    spec: SeatLedgerSpec


@dataclass(frozen=True, slots=True)
class UnreadableObject:
    """An object whose newest version the API server has and the operator cannot read."""

    resource: type[Resource]
    raw: Raw
    problem: str
    """Which field is wrong, and what would be right."""


class ForeignLedger(SeatpoolError):
    """A SeatLedger that this operator did not write."""


class StoreHandler:
    """Receives the changes of a `Store` after `Store.subscribe`. Its methods neither wait nor raise."""

    def server_dirty(self, server: str) -> None:
        """The server with this key has work."""

    def workbench_moved(self, workbench: str, changed_at: datetime, pools: Collection[str]) -> None:
        """A workbench was upserted. Its change happened at `changed_at` and affects these pools.

        Called before `server_dirty` of their servers.
        """

    def workbench_upserted(self, view: WorkbenchView) -> None:
        """A workbench was upserted."""

    def workbench_deleted(self, view: WorkbenchView) -> None:
        """A workbench was deleted. `view` is its last state."""

    def workbench_changed(self, workbench: str) -> None:
        """The status of the workbench with this key may differ now."""

    def pool_changed(self, pool: str) -> None:
        """The pool with this key was created, changed or deleted."""

    def server_changed(self, server: str) -> None:
        """The server with this key was created, changed or deleted."""

    def readability_changed(self, resource: type[Resource], key: str) -> None:
        """The object cannot be read any more, or can be again, or for another reason."""


@dataclass
class Store:
    """Holds the cluster's objects by `namespace/name`. It is not thread-safe and belongs to one event loop."""

    identity: IdentitySettings
    _handlers: list[StoreHandler] = field(default_factory=list, init=False)

    demand: DemandIndex = field(default_factory=DemandIndex)
    workbenches: dict[str, WorkbenchView] = field(default_factory=dict)
    pools: dict[str, LicensePool] = field(default_factory=dict)
    rules: dict[str, PoolRules] = field(default_factory=dict)
    servers: dict[str, LicenseServer] = field(default_factory=dict)
    ledgers: dict[str, dict[int, LedgerView]] = field(default_factory=lambda: defaultdict(dict))
    """Shares of the memory of each product on its server, by `ledger_key` and number."""
    dirty_pools: dict[str, datetime] = field(default_factory=dict)
    """Pools whose demand or rules changed and that no reconciler has read since: key -> instant of the first change."""
    _pools_of_server: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Keys of the pools that refer to a server."""
    _claims: ProductClaims = field(default_factory=ProductClaims)
    unreadable: dict[tuple[str, str], UnreadableObject] = field(default_factory=dict)
    """Objects that cannot be read, by (kind, key). The last readable version of one stays in use, if there was any."""
    _versions: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    """uid and resourceVersion of each object by (kind, key)."""
    _deleted_ledgers: dict[str, str] = field(default_factory=dict)
    """uid of the last deleted SeatLedger by key."""

    def subscribe(self, handler: StoreHandler) -> None:
        """Calls the handler for every change from now on, after the handlers that subscribed before it."""
        self._handlers.append(handler)

    def wake_server(self, server: str) -> None:
        """Tells the handlers that a server has work that follows from no object."""
        for handler in self._handlers:
            handler.server_dirty(server)

    def pop_dirty(self, pools: Iterable[str]) -> dict[str, datetime]:
        """Returns those of these pools that are dirty, with the instant of their first change. They are clean then."""
        return {pool: self.dirty_pools.pop(pool) for pool in pools if pool in self.dirty_pools}

    def upsert(self, resource: type[Resource], raw: Raw, *, now: datetime, parsed: Workbench | None = None) -> bool:
        """Stores an object. Returns False if it is not newer than the stored one.

        `parsed` is the same object if the caller has parsed it already. Raises ValidationError for an invalid object.
        """
        if not self.is_newer(resource, raw):
            return False
        metadata = raw["metadata"]
        if resource is Workbench:
            self._upsert_workbench(parsed or Workbench.model_validate(raw), now)
        elif resource is LicensePool:
            self._upsert_pool(LicensePool.model_validate(raw), now)
        elif resource is LicenseServer:
            self._upsert_server(LicenseServer.model_validate(raw), now)
        else:
            is_stored = self.upsert_ledger(SeatLedger.model_validate(raw))
            if is_stored:
                self._read_again(resource, key_of(metadata), now)
            return is_stored
        self._versions[resource.kind, key_of(metadata)] = (metadata["uid"], int(metadata["resourceVersion"]))
        self._read_again(resource, key_of(metadata), now)
        return True

    def refuse(self, resource: type[Resource], raw: Raw, problem: str, *, now: datetime) -> bool:
        """Notes that the newest version of an object cannot be read. Returns False if that was known."""
        metadata = raw["metadata"]
        key, uid = key_of(metadata), metadata["uid"]
        if not self.is_newer(resource, raw):
            return False
        stored = self._versions.get((resource.kind, key))
        if stored is not None and stored[0] != uid:
            self.delete(resource, key, uid=stored[0], now=now)
        before = self.unreadable.get((resource.kind, key))
        self._versions[resource.kind, key] = (uid, int(metadata["resourceVersion"]))
        self.unreadable[resource.kind, key] = UnreadableObject(resource, raw, problem)
        if before is not None and before.problem == problem:
            return False
        self._tell_readability(resource, key, now)
        return True

    def _read_again(self, resource: type[Resource], key: str, now: datetime) -> None:
        if self.unreadable.pop((resource.kind, key), None) is not None:
            self._tell_readability(resource, key, now)

    def _tell_readability(self, resource: type[Resource], key: str, now: datetime) -> None:
        if resource is SeatLedger:
            self._mark_dirty(self._pools_of_ledger(key), now)
        for handler in self._handlers:
            handler.readability_changed(resource, key)

    def is_there(self, resource: type[Resource], key: str) -> bool:
        """Whether an object of this key exists, readable or not."""
        return (resource.kind, key) in self._versions

    def problem_of(self, resource: type[Resource], key: str) -> str | None:
        """Returns why the object cannot be read. None: it can, or there is none."""
        found = self.unreadable.get((resource.kind, key))
        return found.problem if found is not None else None

    def ledger_problem(self, pool: str) -> str | None:
        """Returns why the memory of a pool cannot be known: a SeatLedger with the name of one of its shares is unreadable."""
        for (kind, key), found in self.unreadable.items():
            if kind == SeatLedger.kind and pool in self._pools_of_ledger(key):
                return f"SeatLedger {key.partition('/')[2]} cannot be read: {found.problem}"
        return None

    def _pools_of_ledger(self, ledger: str) -> set[str]:
        """Returns the keys of the pools whose product has a share of this name."""
        namespace, name = ledger.split("/", 1)
        return {
            key
            for server, pools in self._pools_of_server.items()
            if server.startswith(f"{namespace}/")
            for key in pools
            if share_index(server.partition("/")[2], self.pools[key].spec.product, name) is not None
        }

    def is_newer(self, resource: type[Resource], raw: Raw) -> bool:
        """Whether the object is newer than the stored one of its name."""
        metadata = raw["metadata"]
        stored = self._versions.get((resource.kind, key_of(metadata)))
        return stored is None or int(metadata["resourceVersion"]) > stored[1]

    def has_object(self, resource: type[Resource], raw: Raw) -> bool:
        """Whether an object of the same name and uid is stored."""
        metadata = raw["metadata"]
        stored = self._versions.get((resource.kind, key_of(metadata)))
        return stored is not None and stored[0] == metadata["uid"]

    def workbenches_served_by(self, pool: str) -> Iterator[str]:
        """Yields the keys of the active workbenches that a pool serves."""
        for keys in self.demand.workbenches(pool).values():
            yield from keys

    def delete(self, resource: type[Resource], key: str, *, uid: str | None, now: datetime) -> bool:
        """Drops an object. Returns False if none of this key and uid is stored. `uid` None: any uid."""
        if resource is SeatLedger:
            return self._delete_ledger(key, uid, now)
        stored = self._versions.get((resource.kind, key))
        if stored is None or (uid is not None and stored[0] != uid):
            return False
        del self._versions[resource.kind, key]
        self._read_again(resource, key, now)
        if resource is Workbench:
            view = self.workbenches.pop(key, None)
            if view is None:
                return True
            for handler in self._handlers:
                handler.workbench_deleted(view)
            self._mark_dirty(self.demand.remove(key), now)
        elif resource is LicensePool:
            if key in self.pools:
                self._delete_pool(key, now)
            for handler in self._handlers:
                handler.pool_changed(key)
        else:
            self.servers.pop(key, None)
            self._place_pools(key, now)
            for handler in self._handlers:
                handler.server_changed(key)
        return True

    def versions(self, resource: type[Resource]) -> dict[str, tuple[str, int]]:
        """Returns uid and resourceVersion of every stored object of a kind, by key."""
        return {key: version for (kind, key), version in self._versions.items() if kind == resource.kind}

    def pools_of_server(self, server: str) -> Iterator[LicensePool]:
        """Yields the pools that refer to a server, sorted by key."""
        for key in sorted(self._pools_of_server[server]):
            yield self.pools[key]

    def server_of(self, pool: str) -> str:
        """Returns the key of the server that a pool refers to. The server may not exist."""
        return self.pools[pool].server_key

    def mode_of(self, pool: LicensePool) -> Mode:
        """Returns DryRun if the pool or its server says so, otherwise Enforce."""
        server = self.servers.get(pool.server_key)
        modes = {pool.spec.mode} if server is None else {pool.spec.mode, server.spec.mode}
        return Mode.DRY_RUN if Mode.DRY_RUN in modes else Mode.ENFORCE

    def owner_pool(self, pool: str) -> str:
        """Returns the key of the pool that manages this pool's list: the oldest of all that claim it."""
        return self._claims.owner(pool)

    def shares_of(self, pool: str) -> Mapping[int, LedgerView]:
        """Returns the stored shares of the pool's memory, by number. A pool that does not manage its product has none."""
        found = self.pools.get(pool)
        if found is None or self.owner_pool(pool) != pool:
            return {}
        return self.ledgers.get(ledger_key(found.server_key, found.spec.product), {})

    def ended_of(self, pool: str) -> Iterator[LedgerEnded]:
        """Yields the seats and waits of the pool that ended. Those of a pool of another name are not its own."""
        for view in self.shares_of(pool).values():
            if view.spec.pool == self.pools[pool].metadata.name:
                yield from view.spec.ended

    def upsert_ledger(self, ledger: SeatLedger) -> bool:
        """Stores a SeatLedger from a watch or from the answer to our own write. Returns False if it is out of date.

        It is out of date if it is older than our last write, or if it was deleted since it was written. Raises ForeignLedger
        if its name is not that of a share of its product: then it is a copy, and no memory of ours.
        """
        metadata, spec = ledger.metadata, ledger.spec
        index = share_index(spec.server, spec.product, metadata.name)
        if index is None:
            raise ForeignLedger(
                f"the name of SeatLedger {metadata.name} is not that of a share of product {spec.product} on LicenseServer "
                f"{spec.server}, such as {ledger_name(spec.server, spec.product, 0)}: it is a copy and is ignored; delete it"
            )
        memory = ledger_key(f"{metadata.namespace}/{spec.server}", spec.product)
        stored = self.ledgers[memory].get(index)
        if stored is not None and int(metadata.resource_version) <= int(stored.resource_version):
            return False
        if self._deleted_ledgers.get(ledger.key) == metadata.uid:
            return False
        self.ledgers[memory][index] = LedgerView(
            name=metadata.name, uid=metadata.uid, resource_version=metadata.resource_version, spec=ledger.spec
        )
        self._versions[SeatLedger.kind, ledger.key] = (metadata.uid, int(metadata.resource_version))
        return True

    def set_identity(self, identity: IdentitySettings, *, now: datetime) -> None:
        """Applies new identity settings to all owners at once.

        If it were done bit by bit, a user could have two spellings for a moment, and so two seats.
        """
        if identity == self.identity:
            return
        self.identity = identity
        for key, view in list(self.workbenches.items()):
            user, problem = self.identity.user_or_problem(view.fact.owner)
            if (user, problem) != (view.user, view.problem):
                self.workbenches[key] = replace(view, user=user, problem=problem)
                self._mark_dirty(self._update_demand(self.workbenches[key]), now)
                for handler in self._handlers:
                    handler.workbench_changed(key)
        for key, pool in self.pools.items():
            try:
                self.rules[key] = self._rules_of(pool)
            except InvalidUser:
                continue  # the rules by the old settings stay
            for handler in self._handlers:
                handler.pool_changed(key)
            self._mark_dirty({key}, now)

    def _update_demand(self, view: WorkbenchView) -> set[str]:
        """Updates the demand of the workbench. Returns the pools whose demand changed."""
        if view.user is None or view.metadata.deletion_timestamp is not None:
            return self.demand.remove(view.fact.key)
        fact = view.fact
        return self.demand.put(fact if view.user == fact.owner else replace(fact, owner=view.user))

    def _upsert_workbench(self, workbench: Workbench, now: datetime) -> None:
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
            metadata=metadata, user=user, problem=problem, status=workbench.status, fact=fact,
            account=spec.account and intern(spec.account), region=spec.region and intern(spec.region),
            instance_id=metadata.name if spec.instance_id == metadata.name else spec.instance_id,
            object_reference=_object_reference(spec),
        )  # fmt: skip
        self.workbenches[workbench.key] = view
        dirty = self._update_demand(view)
        for handler in self._handlers:
            handler.workbench_moved(workbench.key, spec.state_changed_at, dirty)
        for handler in self._handlers:
            handler.workbench_upserted(view)
        self._mark_dirty(dirty, now, wake_again=False)
        if before is None or before.generation != metadata.generation or problem != before.problem:
            for handler in self._handlers:
                handler.workbench_changed(workbench.key)

    def _upsert_pool(self, pool: LicensePool, now: datetime) -> None:
        before = self.pools.get(pool.key)
        if before is not None and _has_same_decisions(before, pool):
            self.pools[pool.key] = pool
            return
        rules = self._rules_of(pool)  # raises for an invalid pool before anything is changed
        if before is not None and before.metadata.uid != pool.metadata.uid:
            self._delete_pool(pool.key, now)
            for handler in self._handlers:
                handler.pool_changed(pool.key)
        self.pools[pool.key] = pool
        self.rules[pool.key] = rules
        self._pools_of_server[self.server_of(pool.key)].add(pool.key)
        self.demand.put_pool(pool_selector(pool))
        self._tell_claims(self._claims.put(pool, place_of(pool.server_key, self.servers.get(pool.server_key))), now)

    def _rules_of(self, pool: LicensePool) -> PoolRules:
        server = self.servers.get(pool.server_key)
        placeholder = server.spec.placeholder_user if server is not None else PLACEHOLDER
        unlistable = (one.user for one in pool.status.unlistable)
        return pool_rules(pool.spec, self.identity, placeholder=placeholder, unlistable=unlistable)

    def _place_pools(self, server: str, now: datetime) -> None:
        """Takes over where the lists of a server are now."""
        place = place_of(server, self.servers.get(server))
        for key in self._pools_of_server[server]:
            affected = self._claims.put(self.pools[key], place)
            if affected != {key}:
                self._tell_claims(affected, now)

    def _tell_claims(self, pools: set[str], now: datetime) -> None:
        """Tells of pools that may have another owner pool now."""
        for key in pools:
            for handler in self._handlers:
                handler.pool_changed(key)
        self._mark_dirty(pools, now)

    def _delete_pool(self, key: str, now: datetime) -> None:
        server = self.server_of(key)
        self._pools_of_server[server].discard(key)
        self.pools.pop(key)
        self.rules.pop(key, None)
        self.demand.remove_pool(key)
        self.dirty_pools.pop(key, None)
        self._tell_claims(self._claims.remove(key), now)
        for handler in self._handlers:
            handler.server_dirty(server)

    def _upsert_server(self, server: LicenseServer, now: datetime) -> None:
        before = self.servers.get(server.key)
        self.servers[server.key] = server
        self._place_pools(server.key, now)
        if before is None or before.spec.placeholder_user != server.spec.placeholder_user:
            for key in self._pools_of_server[server.key]:
                self.rules[key] = self._rules_of(self.pools[key])
                self._mark_dirty({key}, now)
        if (
            before is None
            or before.metadata.uid != server.metadata.uid
            or before.metadata.generation != server.metadata.generation
            or before.metadata.annotations != server.metadata.annotations
        ):
            for handler in self._handlers:
                handler.server_changed(server.key)

    def _delete_ledger(self, key: str, uid: str | None, now: datetime) -> bool:
        """Drops a SeatLedger. The pools of its product are dirty then, because the ledger has to be written again.

        That also holds for a ledger whose creation no watch has shown yet.
        """
        namespace, name = key.split("/", 1)
        stored = self._versions.get((SeatLedger.kind, key))
        if uid is not None:
            self._deleted_ledgers[key] = uid
            if stored is not None and stored[0] != uid:
                return False
        self._versions.pop((SeatLedger.kind, key), None)
        was_refused = self.unreadable.pop((SeatLedger.kind, key), None) is not None
        for memory, shares in self.ledgers.items():
            if memory.startswith(f"{namespace}/"):
                for index in [index for index, view in shares.items() if view.name == name]:
                    del shares[index]
        self._mark_dirty(self._pools_of_ledger(key), now)
        return stored is not None and not was_refused

    def _mark_dirty(self, pools: set[str], now: datetime, *, wake_again: bool = True) -> None:
        """Marks pools and wakes their servers. `wake_again`: also for pools that are dirty already."""
        for pool in pools:
            if pool in self.pools and (wake_again or pool not in self.dirty_pools):
                self.dirty_pools.setdefault(pool, now)
                for handler in self._handlers:
                    handler.server_dirty(self.server_of(pool))


def _has_same_decisions(before: LicensePool, pool: LicensePool) -> bool:
    """Whether only labels changed, or such a part of the status that no decision depends on."""
    old, new = before.metadata, pool.metadata
    if before.status.unlistable != pool.status.unlistable:
        return False
    return (old.uid, old.generation, old.deletion_timestamp, old.annotations) == (
        new.uid,
        new.generation,
        new.deletion_timestamp,
        new.annotations,
    )


def _object_reference(spec: WorkbenchSpec) -> str | None:
    is_object = spec.source is not None and spec.source.kind is SourceKind.KUBERNETES
    return spec.source.reference if is_object and spec.source is not None else None
