"""Loads and saves a pool's memory, kept in SeatLedger objects.

They belong to the product on its LicenseServer: Kubernetes deletes them with the LicenseServer, and not with the pool.

Only changed shares are written, each as a compare-and-swap. So an operator that does not know yet that another one took over
cannot overwrite the other's memory. After a conflict the caller loads the memory again and computes again.

If one decision changes several shares, `order_writes` says which ones are stored first.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from seatpool.api.base import API_VERSION, Metadata, OwnerReference
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger, SeatLedgerSpec
from seatpool.cache.store import LedgerView, Store
from seatpool.control.metrics import ControlMetrics
from seatpool.domain.memory import PoolMemory
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import AlreadyExists, Conflict, NotFound
from seatpool.policy.ended_entries import Ending, IsRecorded, bare, with_ended
from seatpool.policy.ledger_codec import (
    changed_shares,
    entry_count,
    from_specs,
    ledger_key,
    ledger_name,
    share_count,
    to_specs,
)
from seatpool.policy.ledger_writes import order_writes


@dataclass(frozen=True, slots=True)
class _Stored:
    """A memory, and the shares that held exactly this memory when they were stored."""

    memory: PoolMemory
    shares: Mapping[int, LedgerView]

    def matches(self, memory: PoolMemory, stored: Mapping[int, LedgerView]) -> bool:
        """Whether these shares hold this memory and were not changed since."""
        untouched = stored.keys() == self.shares.keys() and all(stored[index] is self.shares[index] for index in stored)
        return untouched and memory == self.memory


@dataclass(frozen=True, slots=True)
class LedgerStore:
    """Reads and writes the SeatLedgers of all pools."""

    store: Store
    kube: KubeClient
    metrics: ControlMetrics
    is_recorded: IsRecorded | None = None
    """Returns whether history and receivers have a seat or wait that ended. None: neither is configured."""
    _stored: dict[str, _Stored] = field(default_factory=dict)
    """The last stored memory by pool. Comparing with it is cheap, and most answers change nothing."""

    def load(self, pool: LicensePool) -> PoolMemory | None:
        """Returns the memory of a pool from the cache. None: its product has no ledger."""
        shares = self._shares(pool)
        if not shares:
            return None
        memory = from_specs(view.spec for _, view in sorted(shares.items()))
        if all(view.spec.pool == pool.metadata.name for view in shares.values()):
            self._remember_stored(pool, memory)
        return memory

    def _shares(self, pool: LicensePool) -> dict[int, LedgerView]:
        return self.store.ledgers.get(ledger_key(pool.server_key, pool.spec.product), {})

    async def reload(self, pool: LicensePool) -> PoolMemory | None:
        """Returns the memory of a pool from the API server. None: its product has no ledger. Raises KubeError."""
        namespace = pool.metadata.namespace
        cached = self.store.ledgers.pop(ledger_key(pool.server_key, pool.spec.product), {})
        asked: set[int] = set()
        expected = cached.keys() | set(range(share_count(pool.spec.seats)))
        while expected > asked:
            index = min(expected - asked)
            asked.add(index)
            try:
                raw = await self.kube.get(SeatLedger, namespace, _name(pool, index))
            except NotFound:
                continue
            ledger = SeatLedger.model_validate(raw)
            self.store.upsert_ledger(ledger)
            expected |= set(range(ledger.spec.shares))
        return self.load(pool)

    async def save(self, pool: LicensePool, memory: PoolMemory, *, ending: Ending) -> int:
        """Writes the memory into the SeatLedgers. Returns how many were written.

        Raises Conflict if another process wrote them meanwhile, and KubeError.
        """
        present = self._shares(pool)
        shares = share_count(pool.spec.seats, entries=entry_count(memory), present=len(present))
        stored = self._stored.get(pool.key)
        if stored is not None and len(stored.shares) == shares and stored.matches(memory, present):
            return 0
        specs = to_specs(memory, pool=pool, shares=shares)
        cached = self._shares(pool)
        views = dict(cached)
        before = {index: _own(view.spec, pool) for index, view in views.items()}
        changed = changed_shares({index: bare(spec) for index, spec in before.items()}, specs)
        if self.is_recorded is not None and changed:
            is_recorded = partial(self.is_recorded, pool.key)
            specs = with_ended(before, specs, changed=changed, ending=ending, is_recorded=is_recorded)
        if not changed and len(cached) == shares:
            self._remember_stored(pool, memory)
        writes = order_writes(before, specs, changed=changed)
        await self._write_all(pool, writes.first, views)
        await self._write_all(pool, writes.then, views)
        for index in writes.last:
            await self._delete(pool, views[index])
            cached.pop(index, None)
        return len(changed)

    async def _write_all(
        self, pool: LicensePool, specs: Mapping[int, SeatLedgerSpec], views: dict[int, LedgerView]
    ) -> None:
        """Writes these shares at the same time, and notes in `views` what is stored then."""
        written = await asyncio.gather(
            *(self._write(pool, index, spec, views.get(index)) for index, spec in specs.items())
        )
        views.update(zip(specs, written, strict=True))

    def _remember_stored(self, pool: LicensePool, memory: PoolMemory) -> None:
        """Remembers that the shares hold exactly this memory now.

        It is not called after a write, because another writer may have changed them meanwhile.
        """
        self._stored[pool.key] = _Stored(memory, dict(self._shares(pool)))
        if len(self._stored) > 2 * len(self.store.pools):
            for gone in self._stored.keys() - self.store.pools.keys():
                del self._stored[gone]

    async def _write(
        self, pool: LicensePool, index: int, spec: SeatLedgerSpec, cached: LedgerView | None
    ) -> LedgerView:
        namespace, name = pool.metadata.namespace, _name(pool, index)
        metadata: Body = {"name": name, "namespace": namespace, "ownerReferences": self._owners(pool)}
        body: Body = {"metadata": metadata, "spec": spec.wire()}
        self.metrics.writes.labels("ledger").inc()
        if cached is None:
            stored = await self._create(namespace, body)
        else:
            metadata["resourceVersion"] = cached.resource_version
            try:
                stored = await self.kube.replace(SeatLedger, namespace, name, body)
            except NotFound:
                del metadata["resourceVersion"]
                stored = await self._create(namespace, body)
        written = Metadata.model_validate(stored["metadata"])
        self.store.upsert_ledger(SeatLedger(metadata=written, spec=spec))
        return LedgerView(name=name, uid=written.uid, resource_version=written.resource_version, spec=spec)

    def _owners(self, pool: LicensePool) -> list[Body]:
        """Returns the LicenseServer as the owner: the memory goes with it, whichever pools come and go."""
        server = self.store.servers.get(pool.server_key)
        if server is None:
            return []
        owner = OwnerReference(
            api_version=API_VERSION,
            kind=LicenseServer.kind,
            name=server.metadata.name,
            uid=server.metadata.uid,
            controller=True,
        )
        return [owner.wire()]

    async def _create(self, namespace: str, body: Body) -> Body:
        """Creates a SeatLedger. Raises Conflict if it exists: another process wrote it, and the cache has it not yet."""
        try:
            return await self.kube.create(SeatLedger, namespace, body)
        except AlreadyExists as error:
            raise Conflict(
                status=error.status, reason=error.reason, message=str(error), what=body["metadata"]["name"]
            ) from error

    async def _delete(self, pool: LicensePool, view: LedgerView) -> None:
        try:
            await self.kube.delete(
                SeatLedger, pool.metadata.namespace, view.name, uid=view.uid, resource_version=view.resource_version
            )
        except NotFound:
            return


def _name(pool: LicensePool, index: int) -> str:
    return ledger_name(pool.spec.server_ref.name, pool.spec.product, index)


def _own(spec: SeatLedgerSpec, pool: LicensePool) -> SeatLedgerSpec:
    """Returns a stored share without what ended in a pool of another name, whose history and receivers are not this pool's."""
    return spec if spec.pool == pool.metadata.name else bare(spec)
