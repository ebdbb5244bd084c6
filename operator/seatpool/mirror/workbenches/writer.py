"""The mirror's Workbench objects: what the API server holds, and the only place that writes them.

Known ones are kept in memory, so that an event costs one write and no read. Every write is a compare-and-swap: when
somebody else was faster, the object is read again and the facts are weighed again. An object of the same name without
our label was written by a person and is left alone.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from pydantic import ValidationError

from seatpool.api.base import MANAGED_BY, key_of
from seatpool.api.workbench import InstanceState, Workbench, WorkbenchSpec
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import AlreadyExists, Conflict, KubeError, NotFound
from seatpool.mirror.event_order import Fact, Held, Ignored, decide_all
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.regions import Source
from seatpool.mirror.workbenches.message_context import MessageContexts
from seatpool.mirror.workbenches.stored import Entry, from_spec, to_spec
from seatpool.tracing.spans import UNTRACED, Role, Traces

MANAGER = "seatpool-mirror"
SELECTOR = f"{MANAGED_BY}={MANAGER}"
ATTEMPTS = 8
LOCKS = 256
GONE_REMEMBERED = 50_000
T = TypeVar("T")


class Settled(StrEnum):
    """What became of the facts about one instance."""

    WRITTEN = "written"
    SAME = "same"
    OLDER = "older"
    UNKNOWN_INSTANCE = "unknown_instance"
    OTHER_PLACE = "other_place"
    GONE = "gone"
    HAND_WRITTEN = "hand_written"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result, with what the object said before and says now."""

    settled: Settled
    before: Held | None = None
    after: Held | None = None


class WorkbenchObjects:
    """All objects of the mirror in the namespaces of its accounts."""

    def __init__(
        self,
        kube: KubeClient,
        *,
        metrics: MirrorMetrics,
        clock: Callable[[], datetime],
        concurrency: int,
        origins: MessageContexts,
        traces: Traces = UNTRACED,
    ) -> None:
        self._kube = kube
        self._metrics = metrics
        self._clock = clock
        self._origins = origins
        self._traces = traces
        self._entries: dict[str, Entry] = {}
        metrics.objects.set_function(lambda: len(self._entries))
        self._gone: OrderedDict[str, None] = OrderedDict()
        self._slots = asyncio.Semaphore(concurrency)
        self._locks = [asyncio.Lock() for _ in range(LOCKS)]
        self.last_success: datetime | None = None
        """When the API server last took a write or answered a read."""

    async def load(self, namespaces: Iterable[str]) -> None:
        """Read all objects of ours."""
        for namespace in namespaces:
            items, _ = await self._kube.list_all(Workbench, namespace=namespace, label_selector=SELECTOR)
            for item in items:
                self.observe(item)

    def observe(self, raw: dict[str, Any], spec: WorkbenchSpec | None = None) -> None:
        """Take in an object from a list, a watch or an answer. Older versions and other people's are ignored.

        `spec` is that of the object, from whoever has read it already.
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
            held = from_spec(spec or WorkbenchSpec.model_validate(raw["spec"]))
        except (KeyError, ValidationError):
            self._drop(key)
            return
        self._keep(metadata, held, entry if entry is not None and entry.uid == metadata["uid"] else None)

    def forget(self, key: str, *, uid: str | None = None) -> None:
        """The object `namespace/name` was deleted."""
        entry = self._entries.get(key)
        if entry is not None and uid in (None, entry.uid):
            self._drop(key)

    def get(self, namespace: str, name: str) -> Entry | None:
        return self._entries.get(f"{namespace}/{name}")

    def of(self, source: Source) -> Iterator[Entry]:
        """The objects of one region of one account."""
        for entry in list(self._entries.values()):
            if (entry.held.account, entry.held.region) == source.place:
                yield entry

    def places(self) -> Iterator[tuple[str, str]]:
        """Account and region of every object."""
        for entry in list(self._entries.values()):
            yield entry.held.account, entry.held.region

    def terminated_before(self, instant: datetime) -> list[Entry]:
        return [
            entry
            for entry in self._entries.values()
            if entry.terminated_since is not None and entry.terminated_since <= instant
        ]

    async def settle(self, namespace: str, name: str, facts: Sequence[Fact]) -> Outcome:
        """Make the object say what the facts add up to. Raises what the API server answers: KubeError."""
        key = f"{namespace}/{name}"
        async with self._locks[hash(key) % LOCKS]:
            for _ in range(ATTEMPTS):
                entry = self._entries.get(key)
                before = entry.held if entry is not None else None
                after = self._weigh(entry, key, facts)
                if isinstance(after, Settled):
                    return Outcome(after, before, before)
                try:
                    await self._write_for_its_origin(namespace, name, entry, after)
                except (AlreadyExists, Conflict):
                    if not await self._read(namespace, name):
                        return Outcome(Settled.HAND_WRITTEN)
                    continue
                except NotFound:
                    if entry is None:
                        raise
                    self._drop(key)
                    continue
                return Outcome(Settled.WRITTEN, before, after)
        raise Conflict(
            status=409,
            reason="Conflict",
            message=f"changed {ATTEMPTS} times while it was written",
            what=f"workbench {key}",
        )

    async def remove(self, entry: Entry) -> bool:
        """Delete the very version of the object that was judged; False when it has changed or is gone already."""
        async with self._locks[hash(entry.key) % LOCKS]:
            if self._entries.get(entry.key) is not entry:
                return False
            try:
                await self._counted(
                    "delete",
                    lambda: self._kube.delete(
                        Workbench, entry.namespace, entry.name, uid=entry.uid, resource_version=entry.version
                    ),
                )
            except Conflict:
                await self._read(entry.namespace, entry.name)
                return False
            except NotFound:
                self._drop(entry.key)
                return False
            self._drop(entry.key)
            self._gone[entry.key] = None
            while len(self._gone) > GONE_REMEMBERED:
                self._gone.popitem(last=False)
            return True

    def _weigh(self, entry: Entry | None, key: str, facts: Sequence[Fact]) -> Held | Settled:
        if entry is None and key in self._gone and not any(fact.observed for fact in facts):
            return Settled.GONE
        held, confirmed_at = (entry.held, entry.confirmed_at) if entry is not None else (None, None)
        answer = decide_all(held, facts, confirmed_at=confirmed_at)
        if isinstance(answer, Held):
            return answer
        if entry is not None and answer is Ignored.SAME:
            for fact in facts:
                if fact.observed:
                    entry.confirmed_at = max(entry.confirmed_at or fact.at, fact.at)
        return Settled(answer.value)

    async def _write_for_its_origin(self, namespace: str, name: str, entry: Entry | None, held: Held) -> None:
        """Write, with word left for whoever sees the object: a watch may be faster than the answer."""
        key = f"{namespace}/{name}"
        origin = self._origins.leave(key, held.changed_at)
        try:
            with self._traces.span("write workbench", role=Role.CLIENT):
                await self._write(namespace, name, entry, held)
        except BaseException:
            self._origins.withdraw(key, origin)
            raise

    async def _write(self, namespace: str, name: str, entry: Entry | None, held: Held) -> None:
        metadata: dict[str, Any] = {"labels": {MANAGED_BY: MANAGER}}
        spec = to_spec(name, held)
        if entry is None:
            body = {"metadata": metadata | {"name": name}, "spec": spec}
            stored = await self._counted("create", lambda: self._kube.create(Workbench, namespace, body))
        else:
            # A patch keeps labels and annotations of others; the resource version in it makes it a compare-and-swap.
            body = {"metadata": {"resourceVersion": entry.version}, "spec": spec}
            stored = await self._counted("patch", lambda: self._kube.merge_patch(Workbench, namespace, name, body))
        self._keep(stored["metadata"], held, entry)

    async def _read(self, namespace: str, name: str) -> bool:
        """Read an object again; whether it is ours to write, or is not there any more."""
        self._drop(f"{namespace}/{name}")
        try:
            raw = await self._counted("get", lambda: self._kube.get(Workbench, namespace, name))
        except NotFound:
            return True
        self.observe(raw)
        return self.get(namespace, name) is not None

    async def _counted(self, verb: str, call: Callable[[], Awaitable[T]]) -> T:
        async with self._slots:
            try:
                answer = await call()
            except KubeError as error:
                self._metrics.writes.labels(verb, type(error).__name__).inc()
                raise
        self._metrics.writes.labels(verb, "ok").inc()
        self.last_success = self._clock()
        return answer

    def _keep(self, metadata: dict[str, Any], held: Held, before: Entry | None) -> None:
        entry = Entry(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            version=metadata["resourceVersion"],
            held=held,
        )
        if before is not None:
            entry.confirmed_at, entry.misses = before.confirmed_at, before.misses
            entry.terminated_since = before.terminated_since
        if held.state is not InstanceState.TERMINATED:
            entry.terminated_since = None
        elif entry.terminated_since is None:
            entry.terminated_since = self._clock()
        known = self._entries.get(entry.key)
        if known is not None and known.uid == entry.uid and int(known.version) > int(entry.version):
            return  # a watch was faster than the answer to our own write
        self._entries[entry.key] = entry

    def _drop(self, key: str) -> None:
        self._entries.pop(key, None)
