"""Reads the cluster once, into the operator's own store.

Nothing is watched, and AWS is not asked. A user who may list the kinds gets the same answer as the operator computed. The
lists come from the API server's cache (`resourceVersion=0`). They cost etcd nothing and are a moment old at most.
"""

import asyncio
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from pydantic import ValidationError

from seatpool.api.base import Resource
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.problems import problem_of
from seatpool.api.seatledger import SeatLedger
from seatpool.backoff import Backoff, retry_call
from seatpool.cache.store import Raw, Store
from seatpool.domain.demand import DemandIndex
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.memory import PoolMemory
from seatpool.explain.observed_identity import observed_identity
from seatpool.explain.workbench_table import WorkbenchRow, read_rows
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Unavailable
from seatpool.policy.ledger_codec import from_specs, ledger_key
from seatpool.policy.pool_rules import pool_selector
from seatpool.text import format_known, format_names

if TYPE_CHECKING:
    from seatpool.explain.wait_estimate import Remembered

_DEFAULT_IDENTITY = IdentitySettings()
RETRIES = 2
PAUSE = 0.5
"""Seconds between two reads, give or take a quarter."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The user whom a question is about, and the workbenches that it is about."""

    user: str
    rows: tuple[WorkbenchRow, ...]


@dataclass(frozen=True)
class Snapshot:
    """The cluster at one moment."""

    now: datetime
    store: Store
    ledgers: Mapping[str, tuple[Raw, ...]]
    """The SeatLedgers of each product on its server, by `ledger_key`, not parsed yet. Most answers need few of them."""
    rows: tuple[WorkbenchRow, ...] = ()
    unreadable: tuple[str, ...] = ()
    """Objects that this version cannot parse, each with the reason."""

    def memory(self, pool: str) -> PoolMemory | None:
        """Returns the pool's memory. None: it has no ledger. Raises SeatpoolError if a ledger cannot be parsed."""
        shares = self._shares(pool)
        if not shares:
            return None
        try:
            return from_specs(SeatLedger.model_validate(raw).spec for raw in shares)
        except ValidationError as error:
            raise SeatpoolError(f"a SeatLedger of LicensePool {pool} cannot be read: {problem_of(error)}") from error

    def has_entry(self, pool: str, user: str) -> bool:
        """Tells whether the user has a seat or waits in the pool's ledger."""
        specs = [raw["spec"] for raw in self._shares(pool)]
        entries = (entry for spec in specs for part in ("assigned", "waiting") for entry in spec.get(part, ()))
        return any(entry["user"] == user for entry in entries)

    def _shares(self, pool: str) -> tuple[Raw, ...]:
        """A pool that does not manage its product has no ledger."""
        found = self.store.pools.get(pool)
        if found is None or self.store.owner_pool(pool) != pool:
            return ()
        return self.ledgers.get(ledger_key(found.server_key, found.spec.product), ())

    def demand(self, pools: Iterable[LicensePool], rows: Iterable[WorkbenchRow] | None = None) -> DemandIndex:
        """Returns the demand for seats of these pools, by all workbenches or by these rows.

        The cost grows with the number of pools. The start of a need has no weight here: the ledger has it for every
        user who waits.
        """
        index = DemandIndex()
        for pool in pools:
            index.put_pool(pool_selector(pool))
        served = cache(index.serves)
        for row in self.rows if rows is None else rows:
            fact = row.fact(active_since=self.now) if served(row.kind) else None
            if fact is not None:
                index.put(fact)
        return index

    def rows_of(self, keys: Iterable[str]) -> dict[str, WorkbenchRow]:
        """Returns the workbenches with these keys that exist."""
        wanted = frozenset(keys)
        return {row.key: row for row in self.rows if row.key in wanted}

    def remembered(self, pool: str) -> "Remembered | None":
        """Returns what remembers the estimates of a pool's waiting line. None: a snapshot is for one answer."""
        del pool
        return None

    def server_of(self, pool: str) -> LicenseServer | None:
        return self.store.servers.get(self.store.server_of(pool))

    def pools_named(self, name: str | None) -> tuple[LicensePool, ...]:
        """Returns the pools of that name or `namespace/name`. None: all pools. Raises SeatpoolError if there is none."""
        pools = [self.store.pools[key] for key in sorted(self.store.pools)]
        found = tuple(pool for pool in pools if name in (None, pool.key, pool.metadata.name))
        if name is not None and not found:
            known = {pool.metadata.name for pool in pools} if "/" not in name else {pool.key for pool in pools}
            raise SeatpoolError(f"there is no LicensePool {name}; {format_known(name, known)}")
        return found

    def subject(self, name: str) -> Subject:
        """Returns whom a name means: a user id, an owner in any spelling, or a workbench as NAME or NAMESPACE/NAME.

        Raises SeatpoolError if the name means several users.
        """
        if self._is_user(name):
            return self._user(name)
        user, _ = self.store.identity.user_or_problem(name)
        if user is not None and self._is_user(user):
            return self._user(user)
        named = [row for row in self.rows if name in (row.name, row.key)]
        if named:
            return Subject(named[0].user or named[0].owner, _sorted(named))
        spelt = [
            row for row in self.rows if row.owner == name or (user is not None and _plain(row.owner) == _plain(name))
        ]
        users = sorted({row.user or row.owner for row in spelt})
        if len(users) > 1:
            raise SeatpoolError(f"{name} may be {format_names(users)}: name one of them")
        return Subject(users[0], _sorted(spelt)) if users else Subject(user or name, ())

    def _is_user(self, name: str) -> bool:
        """Tells whether there is a trace of this user id."""
        return (
            any(row.user == name for row in self.rows)
            or any(self.has_entry(pool, name) for pool in self.store.pools)
            or any(name in rules.protected for rules in self.store.rules.values())
        )

    def _user(self, user: str) -> Subject:
        return Subject(user, _sorted(row for row in self.rows if row.user == user))


def _sorted(rows: Iterable[WorkbenchRow]) -> tuple[WorkbenchRow, ...]:
    return tuple(sorted(rows, key=lambda row: row.key))


def _plain(owner: str) -> str | None:
    """Returns the user id by the default settings."""
    return _DEFAULT_IDENTITY.user_or_problem(owner)[0]


def build_snapshot(
    objects: Iterable[tuple[type[Resource], Raw]],
    rows: Iterable[WorkbenchRow],
    *,
    identity: IdentitySettings,
    now: datetime,
) -> Snapshot:
    """Returns a snapshot of these objects and workbenches. Objects that cannot be parsed are in `unreadable`."""
    store = Store(identity)
    unreadable: list[str] = []
    ledgers: dict[str, tuple[Raw, ...]] = {}
    for kind, raw in objects:
        metadata = raw["metadata"]
        if kind is SeatLedger:
            spec = raw["spec"]
            memory = ledger_key(f"{metadata['namespace']}/{spec.get('server')}", spec.get("product", ""))
            ledgers[memory] = (*ledgers.get(memory, ()), raw)
            continue
        try:
            store.upsert(kind, raw, now=now)
        except (ValidationError, SeatpoolError) as error:
            problem = problem_of(error)
            store.refuse(kind, raw, problem, now=now)
            unreadable.append(f"{kind.kind} {metadata['namespace']}/{metadata['name']}: {problem}")
    seen = Snapshot(now=now, store=store, ledgers=ledgers, unreadable=tuple(unreadable))
    return with_rows(seen, rows)


def with_rows(snapshot: Snapshot, rows: Iterable[WorkbenchRow]) -> Snapshot:
    """Returns the snapshot with these workbenches, and with rules by the identity settings that their statuses show."""
    found = tuple(rows)
    pairs = ((row.owner, row.told_user) for row in found if row.told_user is not None)
    snapshot.store.set_identity(observed_identity(snapshot.store.identity, pairs), now=snapshot.now)
    return replace(snapshot, rows=found)


async def read_snapshot(
    kube: KubeClient,
    *,
    namespace: str | None,
    identity: IdentitySettings,
    now: datetime,
    ledgers: bool = True,
    workbenches: bool = True,
) -> Snapshot:
    """Reads all kinds at once. Raises KubeError. Namespace None: all namespaces.

    Retries twice, because the API server refuses requests for a moment after a CRD was changed.
    """
    backoff = Backoff(random.Random(), first=PAUSE, longest=PAUSE)  # noqa: S311
    kinds: list[type[Resource]] = [LicenseServer, LicensePool, *([SeatLedger] if ledgers else [])]
    return await retry_call(
        lambda: _read_once(kube, kinds, namespace=namespace, identity=identity, now=now, workbenches=workbenches),
        errors=Unavailable,
        backoff=backoff,
        on_error=lambda _error: None,
        give_up=lambda: backoff.failures == RETRIES,
    )


async def _read_once(
    kube: KubeClient,
    kinds: Sequence[type[Resource]],
    *,
    namespace: str | None,
    identity: IdentitySettings,
    now: datetime,
    workbenches: bool,
) -> Snapshot:
    async def without_rows() -> tuple[Snapshot, bool]:
        """Returns the snapshot, and whether workbenches of other namespaces matter."""
        listed = await asyncio.gather(*(kube.list_cached(kind, namespace=namespace) for kind in kinds))
        pairs = ((kind, raw) for kind, items in zip(kinds, listed, strict=True) for raw in items)
        seen = build_snapshot(pairs, (), identity=identity, now=now)
        return seen, namespace is not None and any(_serves_others(pool, namespace) for pool in listed[1])

    if not workbenches:
        return (await without_rows())[0]
    # The table of workbenches takes longest: the other kinds are parsed meanwhile.
    (seen, others), rows = await asyncio.gather(without_rows(), read_rows(kube, namespace=namespace, identity=identity))
    if others:
        rows = await read_rows(kube, namespace=None, identity=identity)
    return with_rows(seen, rows)


def _serves_others(pool: Raw, namespace: str) -> bool:
    """Tells whether a pool's answer depends on workbenches outside its own namespace."""
    return bool(set(pool["spec"].get("workbenchNamespaces", ())) - {namespace})
