"""Holds the cluster's objects as the watches bring them, and looks like a Snapshot to the code of `explain`.

A Snapshot is read for one answer. Here objects change between two answers, and a request must not cost a look at all of
them: 10,000 workbenches and 500 pools have indexes by user, and each pool counts its versions, so that an answer is computed
once for many requests.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from seatpool.api.base import Resource, key_of
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Raw, Store, WorkbenchView
from seatpool.domain.demand import DemandIndex
from seatpool.domain.memory import PoolMemory
from seatpool.explain.observed_identity import observed_identity
from seatpool.explain.snapshot import Snapshot, Subject
from seatpool.explain.wait_estimate import Remembered
from seatpool.explain.why import WrittenSeats
from seatpool.explain.workbench_table import WorkbenchRow
from seatpool.policy.ledger_codec import from_specs

T = TypeVar("T")
FRESH = 20.0
"""Seconds for which a computed answer is used if nothing changed. The time itself changes answers too."""
ESTIMATES_FRESH = 120.0
"""Seconds for which the estimates of a waiting line are used. They are drawn at random, many times, and take longest."""
MOST_LINES = 100_000
"""Lines of computed answers that are kept. A pool's answer has one for each user, and most answers are one."""
MOST_BYTES = 32 * 1024 * 1024
"""Bytes of answers that are kept as bytes too."""


@dataclass(frozen=True)
class LiveSnapshot(Snapshot):
    """The cluster as it is now. It is valid until control goes back to the event loop."""

    cluster: "LiveCluster | None" = None
    concerned: tuple[LicensePool, ...] | None = None
    """The pools that an answer is about. None: all."""

    @property
    def live(self) -> "LiveCluster":
        assert self.cluster is not None  # noqa: S101
        return self.cluster

    def memory(self, pool: str) -> PoolMemory | None:
        return self.live.memory(pool)

    def has_entry(self, pool: str, user: str) -> bool:
        memory = self.live.memory(pool)
        return memory is not None and (user in memory.assigned or user in memory.waiting)

    def demand(self, pools: Iterable[LicensePool], rows: Iterable[WorkbenchRow] | None = None) -> DemandIndex:
        """Returns the index of all pools and workbenches, which holds that of these.

        It knows since when each workbench is active, as the operator's own does.
        """
        del pools, rows
        return self.store.demand

    def remembered(self, pool: str) -> Remembered:
        version = self.live.pool_version(pool)
        return lambda compute: self.live.computed(
            ("estimates", pool), version, compute, fresh=ESTIMATES_FRESH, lines=len
        )

    def rows_of(self, keys: Iterable[str]) -> dict[str, WorkbenchRow]:
        views = self.store.workbenches
        return {key: row_of(views[key]) for key in keys if key in views}

    def pools_named(self, name: str | None) -> tuple[LicensePool, ...]:
        if name is None and self.concerned is not None:
            return self.concerned
        return super().pools_named(name)


@dataclass(frozen=True, slots=True)
class _Computed:
    version: Hashable
    at: float
    lines: int
    answer: object


@dataclass
class LiveCluster:
    """The objects of the cluster, and the answers computed from them. It belongs to one event loop."""

    identity: IdentitySettings
    """As the settings say. What the operator's statuses show wins."""
    clock: Callable[[], datetime]
    monotonic: Callable[[], float] = time.monotonic
    store: Store = field(init=False)
    on_change: list[Callable[[str], None]] = field(default_factory=list)
    """Called with the key of each pool whose answers may differ now."""
    _pool_versions: dict[str, int] = field(default_factory=lambda: defaultdict(int), init=False)
    _version: int = field(default=0, init=False)
    """Counts all changes."""
    _rows_version: int = field(default=0, init=False)
    _of_user: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set), init=False)
    _memories: dict[str, tuple[tuple[tuple[str, str], ...], PoolMemory | None]] = field(
        default_factory=dict, init=False
    )
    _named_in: dict[str, frozenset[str]] = field(default_factory=dict, init=False)
    """Users whom a pool's memory or rules name, by pool."""
    _pools_naming: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set), init=False)
    _answers: dict[Hashable, _Computed] = field(default_factory=dict, init=False)
    _lines: int = field(default=0, init=False)
    _encoded: dict[Hashable, tuple[object, bytes]] = field(default_factory=dict, init=False)
    _bytes: int = field(default=0, init=False)
    _contradicted: bool = field(default=False, init=False)
    """Whether a status shows another user than the identity settings make of the owner."""

    def __post_init__(self) -> None:
        self.store = Store(self.identity)

    # -- what the watches bring ------------------------------------------------------------------------------------

    def upsert(self, kind: type[Resource], raw: Raw) -> bool:
        """Stores an object. Returns False if it is not newer. Raises what `Store.upsert` raises."""
        key = key_of(raw["metadata"])
        before = self.store.workbenches.get(key) if kind is Workbench else None
        touched = self._pools_touched(kind, key, raw)
        if not self.store.upsert(kind, raw, now=self.clock()):
            return False
        if kind is Workbench:
            self._index(before, self.store.workbenches[key])
        self._changed(touched | self._pools_touched(kind, key, raw))
        return True

    def refuse(self, kind: type[Resource], raw: Raw, problem: str) -> bool:
        """Notes that an object cannot be read. Returns False if that was known."""
        key = key_of(raw["metadata"])
        touched = self._pools_touched(kind, key, raw)
        view = self.store.workbenches.get(key) if kind is Workbench else None
        told = self.store.refuse(kind, raw, problem, now=self.clock())
        if view is not None and key not in self.store.workbenches:
            self._index(view, None)
        self._changed(touched)
        return told

    def delete(self, kind: type[Resource], key: str, uid: str | None) -> bool:
        """Drops an object. Returns whether it was stored."""
        before = self.store.workbenches.get(key) if kind is Workbench else None
        touched = self._pools_touched(kind, key, None)
        done = self.store.delete(kind, key, uid=uid, now=self.clock())
        if before is not None and key not in self.store.workbenches:
            self._index(before, None)
        self._changed(touched)
        return done

    def renew_identity(self) -> bool:
        """Takes the identity settings that the operator's statuses show. Returns whether anything was to do."""
        if not self._contradicted:
            return False
        self._contradicted = False
        views = self.store.workbenches.values()
        pairs = [(view.fact.owner, view.status.user) for view in views if view.status.user is not None]
        self.store.set_identity(observed_identity(self.identity, pairs), now=self.clock())
        self._of_user.clear()
        for view in self.store.workbenches.values():
            self._index(None, view)
        self._contradicted = False
        self._changed(set(self.store.pools))
        return True

    # -- what answers are computed from ----------------------------------------------------------------------------

    def snapshot(self, *, concerned: tuple[LicensePool, ...] | None = None) -> LiveSnapshot:
        """Returns the cluster as it is now, for the functions of `explain`."""
        unreadable = tuple(
            f"{kind} {key}: {found.problem}" for (kind, key), found in sorted(self.store.unreadable.items())
        )
        return LiveSnapshot(
            now=self.clock(), store=self.store, ledgers={}, unreadable=unreadable, cluster=self, concerned=concerned
        )

    def memory(self, pool: str) -> PoolMemory | None:
        """Returns the pool's memory. None: it has no ledger."""
        shares = self.store.shares_of(pool)
        versions = tuple((view.uid, view.resource_version) for view in shares.values())
        known = self._memories.get(pool)
        if known is None or known[0] != versions:
            known = versions, from_specs(view.spec for view in shares.values()) if shares else None
            self._memories[pool] = known
        return known[1]

    def subject(self, user: str) -> Subject:
        """Returns a user by the id, with all workbenches. A workbench of that name is not meant."""
        keys = sorted(self._of_user.get(user, ()))
        return Subject(user, tuple(row_of(self.store.workbenches[key]) for key in keys))

    def pools_of(self, subject: Subject) -> tuple[LicensePool, ...]:
        """Returns the pools that have to do with a user, sorted by key."""
        keys = set(self._pools_naming.get(subject.user, ()))
        keys = keys.union(*(self.store.demand.pools_of(row.key) for row in subject.rows))
        return tuple(self.store.pools[key] for key in sorted(keys) if key in self.store.pools)

    def written(self, subject: Subject) -> WrittenSeats:
        """Returns the seats in the statuses of the user's workbenches."""
        return {row.key: self.store.workbenches[row.key].status.seats for row in subject.rows}

    def workbench_keys(self) -> tuple[str, ...]:
        """Returns the keys of all workbenches, sorted."""
        return self.computed("workbench keys", self._rows_version, lambda: tuple(sorted(self.store.workbenches)))

    def pool_version(self, pool: str) -> int:
        """Returns a number that is another one after each change that concerns the pool."""
        return self._pool_versions.get(pool, 0)

    @property
    def version(self) -> int:
        """A number that is another one after each change."""
        return self._version

    def computed(
        self,
        name: Hashable,
        version: Hashable,
        compute: Callable[[], T],
        *,
        fresh: float = FRESH,
        lines: Callable[[T], int] = lambda _answer: 1,
    ) -> T:
        """Returns the answer of this name, computed anew if its version is another one, or if it is not fresh any more.

        `lines` tells how large it is.
        """
        known, now = self._answers.get(name), self.monotonic()
        if known is not None and known.version == version and now - known.at < fresh:
            return cast("T", known.answer)
        found = compute()
        old = self._answers.pop(name, None)  # not `known`: computing may have made room
        self._lines -= 0 if old is None else old.lines
        self._answers[name] = _Computed(version, now, lines(found), found)
        self._lines += self._answers[name].lines
        while self._lines > MOST_LINES:
            self._lines -= self._answers.pop(next(iter(self._answers))).lines
        return found

    def encoded(self, name: Hashable, answer: object, encode: Callable[[object], bytes]) -> bytes:
        """Returns an answer of `computed` as bytes, made once for each computed answer."""
        known = self._encoded.pop(name, None)
        if known is not None:
            self._bytes -= len(known[1])
        if known is None or known[0] is not answer:
            known = answer, encode(answer)
        self._encoded[name] = known
        self._bytes += len(known[1])
        while self._bytes > MOST_BYTES:
            self._bytes -= len(self._encoded.pop(next(iter(self._encoded)))[1])
        return known[1]

    # -- indexes ---------------------------------------------------------------------------------------------------

    def _pools_touched(self, kind: type[Resource], key: str, raw: Mapping[str, Any] | None) -> set[str]:
        """Returns the pools whose answers an object of this key is in."""
        if kind is LicensePool:
            return {key}
        if kind is LicenseServer:
            return {pool.key for pool in self.store.pools_of_server(key)}
        if kind is Workbench:
            return set(self.store.demand.pools_of(key))
        if raw is not None and isinstance(spec := raw.get("spec"), Mapping):
            server = f"{key.partition('/')[0]}/{spec.get('server')}"
            return {one.key for one in self.store.pools_of_server(server) if one.spec.product == spec.get("product")}
        return set(self.store.pools)  # a deleted ledger, of which only the name is known

    def _changed(self, pools: set[str]) -> None:
        """Counts the change, for these pools and for those that the store itself found to be concerned."""
        self._version += 1
        changed = pools | set(self.store.pop_dirty(tuple(self.store.dirty_pools)))
        for pool in changed:
            self._pool_versions[pool] += 1
            self._name(pool)
            for told in self.on_change:
                told(pool)

    def _name(self, pool: str) -> None:
        """Renews which users a pool names."""
        if pool in self.store.pools:
            memory = self.memory(pool)
            users = self.store.rules[pool].always
            if memory is not None:
                users = users.union(memory.assigned, memory.waiting)
        else:
            self._memories.pop(pool, None)
            users = frozenset()
        before = self._named_in.get(pool, frozenset())
        for user in before - users:
            self._pools_naming[user].discard(pool)
            if not self._pools_naming[user]:
                del self._pools_naming[user]
        for user in users - before:
            self._pools_naming[user].add(pool)
        if users:
            self._named_in[pool] = frozenset(users)
        else:
            self._named_in.pop(pool, None)

    def _index(self, before: WorkbenchView | None, after: WorkbenchView | None) -> None:
        if before is not None and (old := user_of(before)) is not None:
            self._of_user[old].discard(before.fact.key)
            if not self._of_user[old]:
                del self._of_user[old]
        if after is not None and (new := user_of(after)) is not None:
            self._of_user[new].add(after.fact.key)
            self._contradicted |= after.status.user is not None and after.status.user != after.user
        if before is None or after is None:
            self._rows_version += 1


def user_of(view: WorkbenchView) -> str | None:
    """Returns the user of a workbench: as the operator wrote it, or else by the identity settings."""
    return view.status.user or view.user


def row_of(view: WorkbenchView) -> WorkbenchRow:
    """Returns a workbench as answers show it."""
    fact, user = view.fact, user_of(view)
    return WorkbenchRow(
        name=view.metadata.name, namespace=fact.namespace, owner=fact.owner, type=fact.type, state=fact.state, user=user,
        problem=None if user is not None else view.problem, told_user=view.status.user,
    )  # fmt: skip


def rows_of(cluster: LiveCluster, keys: Iterable[str]) -> Iterator[WorkbenchRow]:
    """Yields the workbenches with these keys."""
    for key in keys:
        yield row_of(cluster.store.workbenches[key])
