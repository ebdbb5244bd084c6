"""Writes the mirror's Workbench objects. Nothing else in the mirror writes them.

Known objects are kept in memory, so an event costs one write and no read. Every write is a compare-and-swap. If another
writer was faster, the object is read and the facts are merged again. An object of the same name without the mirror's
label was written by hand and is left unchanged.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from seatpool.api.base import MANAGED_BY, key_of
from seatpool.api.workbench import InstanceState, SourceKind, Workbench, WorkbenchSpec
from seatpool.domain.instants import after as time_after
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from seatpool.mirror.event_order import Fact, Ignored, Stored, merge_all, without_future
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.rate_limited_log import RateLimitedLog
from seatpool.mirror.regions import AccountRegion
from seatpool.mirror.workbenches.entry import Entry, Upsert, UpsertResult, from_spec, to_spec
from seatpool.mirror.workbenches.message_context import MessageContexts
from seatpool.tracing.spans import UNTRACED, Role, Traces

MANAGER = "seatpool-mirror"
SELECTOR = f"{MANAGED_BY}={MANAGER}"
ATTEMPTS = 8
LOCKS = 256
DELETED_REMEMBERED = 50_000
T = TypeVar("T")


class WorkbenchWriter:
    """All objects of the mirror, in the namespaces of its accounts."""

    def __init__(
        self,
        kube: KubeClient,
        *,
        metrics: MirrorMetrics,
        clock: Callable[[], datetime],
        concurrency: int,
        contexts: MessageContexts,
        log: RateLimitedLog,
        future_tolerance: timedelta,
        monotonic: Callable[[], float] = time.monotonic,
        traces: Traces = UNTRACED,
    ) -> None:
        self._kube = kube
        self._metrics = metrics
        self._clock = clock
        self._contexts = contexts
        self._log = log
        self._monotonic = monotonic
        self._future_tolerance = future_tolerance
        self._traces = traces
        self._entries: dict[str, Entry] = {}
        metrics.objects.set_function(lambda: len(self._entries))
        self._deleted: OrderedDict[str, None] = OrderedDict()
        self._slots = asyncio.Semaphore(concurrency)
        self._locks = [asyncio.Lock() for _ in range(LOCKS)]
        self.last_success: datetime | None = None
        """Time at which the API server last accepted a write or answered a read."""

    async def load(self, namespaces: Iterable[str]) -> None:
        """Reads all objects of the mirror. Raises KubeError."""
        for namespace in namespaces:
            items, _ = await self._kube.list_all(Workbench, namespace=namespace, label_selector=SELECTOR)
            for item in items:
                self.observe(item)

    def observe(self, raw: dict[str, Any], spec: WorkbenchSpec | None = None) -> None:
        """Records an object from a list, a watch or an answer. `spec` is its spec if the caller has parsed it.

        Older versions, and objects of other writers, are ignored.
        """
        metadata = raw["metadata"]
        key = key_of(metadata)
        entry = self._entries.get(key)
        if entry is not None and int(metadata["resourceVersion"]) <= int(entry.version):
            return
        if (metadata.get("labels") or {}).get(MANAGED_BY) != MANAGER:
            self._drop(key)
            return
        try:
            stored = from_spec(spec or WorkbenchSpec.model_validate(raw["spec"]))
        except (KeyError, ValueError):
            self._drop(key)
            return
        self._record(metadata, stored, entry if entry is not None and entry.uid == metadata["uid"] else None)

    def forget(self, key: str, *, uid: str | None = None) -> None:
        """Drops the object `namespace/name` after it was deleted."""
        entry = self._entries.get(key)
        if entry is not None and uid in (None, entry.uid):
            self._drop(key)

    def get(self, namespace: str, name: str) -> Entry | None:
        """Returns the object as it is known. None: not known."""
        return self._entries.get(f"{namespace}/{name}")

    def entries_in(self, key: AccountRegion, kind: SourceKind | None = None) -> Iterator[Entry]:
        """Yields the objects of one place. `kind`: only those of this kind of source."""
        for entry in list(self._entries.values()):
            if (entry.stored.account, entry.stored.region) == key and kind in (None, entry.stored.kind):
                yield entry

    def entries(self) -> list[Entry]:
        """Returns every object."""
        return list(self._entries.values())

    def terminated(self) -> list[Entry]:
        """Returns the objects whose instance is known to be terminated."""
        return [entry for entry in self._entries.values() if entry.terminated_since is not None]

    def horizon(self) -> datetime:
        """Returns the latest time that is believed now."""
        return time_after(self._clock(), self._future_tolerance)

    async def upsert(self, namespace: str, name: str, facts: Sequence[Fact]) -> Upsert:
        """Merges facts into an object and writes it if it changes. Raises KubeError."""
        key = f"{namespace}/{name}"
        async with self._locks[hash(key) % LOCKS]:
            for _ in range(ATTEMPTS):
                entry = self._entries.get(key)
                before = entry.stored if entry is not None else None
                after = self._merge(entry, key, facts)
                if isinstance(after, UpsertResult):
                    return Upsert(after, before, before)
                try:
                    await self._write_with_context(namespace, name, entry, after)
                except (AlreadyExists, Conflict):
                    if not await self._reload(namespace, name):
                        return Upsert(UpsertResult.HAND_WRITTEN)
                    continue
                except NotFound:
                    if entry is None:
                        raise
                    self._drop(key)
                    continue
                return Upsert(UpsertResult.WRITTEN, before, after)
        raise Conflict(
            status=409,
            reason="Conflict",
            message=f"changed {ATTEMPTS} times while it was written",
            what=f"workbench {key}",
        )

    async def delete(self, entry: Entry) -> bool:
        """Deletes exactly this version of the object. False: it has changed or is gone. Raises KubeError."""
        async with self._locks[hash(entry.key) % LOCKS]:
            if self._entries.get(entry.key) is not entry:
                return False
            try:
                await self._call(
                    "delete",
                    lambda: self._kube.delete(
                        Workbench, entry.namespace, entry.name, uid=entry.uid, resource_version=entry.version
                    ),
                )
            except Conflict:
                await self._reload(entry.namespace, entry.name)
                return False
            except NotFound:
                self._drop(entry.key)
                return False
            self._drop(entry.key)
            self._deleted[entry.key] = None
            while len(self._deleted) > DELETED_REMEMBERED:
                self._deleted.popitem(last=False)
            return True

    def _merge(self, entry: Entry | None, key: str, facts: Sequence[Fact]) -> Stored | UpsertResult:
        if entry is None and key in self._deleted and not any(fact.observed for fact in facts):
            return UpsertResult.GONE
        stored, confirmed_at = (entry.stored, entry.confirmed_at) if entry is not None else (None, None)
        horizon = self.horizon()
        merged = merge_all(stored, facts, confirmed_at=confirmed_at, horizon=horizon)
        if isinstance(merged, Stored):
            if stored is not None and without_future(stored, horizon) is not stored:
                self._metrics.future_times.labels("object").inc()
                self._log.warning(
                    "time of the future not believed", reason="object", workbench=key,
                    state_changed_at=stored.changed_at.isoformat(),
                    launched_at=stored.launched_at and stored.launched_at.isoformat(),
                )  # fmt: skip
            return merged
        if entry is not None and merged is Ignored.SAME:
            for fact in facts:
                if fact.observed:
                    known = confirmed_at if confirmed_at is not None and confirmed_at <= horizon else fact.at
                    entry.confirmed_at = max(known, fact.at)
        return UpsertResult(merged.value)

    async def _write_with_context(self, namespace: str, name: str, entry: Entry | None, stored: Stored) -> None:
        # The context comes first: a watch may deliver the object before the API server's answer is here.
        key = f"{namespace}/{name}"
        context = self._contexts.put(key, stored.changed_at)
        try:
            with self._traces.span("write workbench", role=Role.CLIENT):
                await self._write(namespace, name, entry, stored)
        except BaseException:
            self._contexts.discard(key, context)
            raise

    async def _write(self, namespace: str, name: str, entry: Entry | None, stored: Stored) -> None:
        metadata: dict[str, Any] = {"labels": {MANAGED_BY: MANAGER}}
        spec = to_spec(name, stored)
        if entry is None:
            body = {"metadata": metadata | {"name": name}, "spec": spec}
            answer = await self._call("create", lambda: self._kube.create(Workbench, namespace, body))
        else:
            # A patch keeps labels and annotations of others. Its resource version makes it a compare-and-swap.
            body = {"metadata": {"resourceVersion": entry.version}, "spec": spec}
            answer = await self._call("patch", lambda: self._kube.merge_patch(Workbench, namespace, name, body))
        self._record(answer["metadata"], stored, entry)

    async def _reload(self, namespace: str, name: str) -> bool:
        """Reads an object again. True: it is the mirror's or does not exist. False: it was written by hand."""
        self._drop(f"{namespace}/{name}")
        try:
            raw = await self._call("get", lambda: self._kube.get(Workbench, namespace, name))
        except NotFound:
            return True
        self.observe(raw)
        return self.get(namespace, name) is not None

    async def _call(self, verb: str, call: Callable[[], Awaitable[T]]) -> T:
        """Calls the API server within the limit of concurrent calls, and counts the result."""
        async with self._slots:
            try:
                answer = await call()
            except KubeError as error:
                self._metrics.writes.labels(verb, type(error).__name__).inc()
                raise
        self._metrics.writes.labels(verb, "ok").inc()
        self.last_success = self._clock()
        return answer

    def _record(self, metadata: dict[str, Any], stored: Stored, before: Entry | None) -> None:
        entry = Entry(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            version=metadata["resourceVersion"],
            stored=stored,
        )
        if before is not None:
            entry.confirmed_at, entry.misses = before.confirmed_at, before.misses
            entry.terminated_since = before.terminated_since
        if stored.state is not InstanceState.TERMINATED:
            entry.terminated_since = None
        elif entry.terminated_since is None:
            entry.terminated_since = self._monotonic()
        known = self._entries.get(entry.key)
        if known is not None and known.uid == entry.uid and int(known.version) > int(entry.version):
            return  # a watch was faster than the answer to the mirror's own write
        self._entries[entry.key] = entry

    def _drop(self, key: str) -> None:
        self._entries.pop(key, None)
