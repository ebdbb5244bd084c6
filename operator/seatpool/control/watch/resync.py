"""Repairs what a watch missed, by a paged LIST from time to time.

A watch that was cut and restarted shows existing objects only. An object that was deleted meanwhile would stay in the cache for
ever, and with it a user's seat. So objects that the list shows in a newer version are upserted, and objects that it does not
show are deleted.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from seatpool.api.base import Resource, key_of
from seatpool.cache.store import Raw
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import KubeClient, Pages
from seatpool.kube.errors import KubeError, NotFound

SETTLE = 1.0
"""Seconds that the watches get to bring what the list showed."""


class Stored(Protocol):
    """Knows which version of each object is stored, as Store does."""

    def versions(self, resource: type[Resource]) -> dict[str, tuple[str, int]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Resync:
    """Lists the objects of the cluster and repairs the cache."""

    kinds: Sequence[type[Resource]]
    namespaces: Sequence[str]
    kube: KubeClient
    store: Stored
    upsert: Callable[[type[Resource], Raw], bool]
    """Stores an object. Returns whether it was newer than the stored one."""
    delete: Callable[[type[Resource], str, str | None], bool]
    """Drops an object by key and uid. Returns whether it was stored."""
    metrics: ControlMetrics
    log: FilteringBoundLogger
    clock: Callable[[], datetime]

    async def load_all(self, kind_loaded: Callable[[type[Resource]], None] = lambda _kind: None) -> None:
        """Loads all objects, one kind after the other, and calls `kind_loaded` after each.

        All lists are requested at once, so that the API server works while this process does. Raises KubeError.
        """
        async with self._listed(*self.kinds) as lists:
            for kind, objects in zip(self.kinds, lists, strict=True):
                async for raw in objects:
                    self.upsert(kind, raw)
                kind_loaded(kind)

    async def run(self, *, interval: float) -> None:
        """Refreshes all kinds every `interval` seconds, until cancelled."""
        while True:
            await asyncio.sleep(interval)
            for kind in self.kinds:
                try:
                    await self.refresh(kind)
                except KubeError as error:
                    self.log.warning("resync failed", kind=kind.kind, error=str(error))

    async def refresh_all(self) -> None:
        """Brings the cache up to date, before this process decides anything. Raises KubeError."""
        for kind in self.kinds:
            await self.refresh(kind, settle=0.0)

    async def refresh(self, kind: type[Resource], *, settle: float = SETTLE) -> None:
        """Lists one kind and repairs the cache. Raises KubeError."""
        before = self.store.versions(kind)
        listed: dict[str, str] = {}
        # Objects whose versions are stored already are not kept: all of them are some 60 MB at 10,000 workbenches.
        newer: dict[str, Raw] = {}
        async with self._listed(kind) as (objects,):
            async for raw in objects:
                key = key_of(raw["metadata"])
                listed[key] = raw["metadata"]["uid"]
                if key not in before or before[key][1] < _version(raw):
                    newer[key] = raw
        await asyncio.sleep(settle)  # a working watch brings the listed versions meanwhile
        after = self.store.versions(kind)
        repaired = 0
        for key, raw in newer.items():
            if key in after and after[key][1] < _version(raw):
                repaired += self.upsert(kind, raw)
        for key in listed.keys() - after.keys():
            if (read := await self._read(kind, key)) is not None:
                repaired += self.upsert(kind, read)
        pruned = sum(
            self.delete(kind, key, uid)
            for key, (uid, _) in before.items()
            if listed.get(key) != uid and after.get(key, ("", 0))[0] == uid
        )
        if repaired or pruned:
            self.metrics.repairs.labels(kind.kind).inc(repaired)
            self.metrics.ghosts.labels(kind.kind).inc(pruned)
            self.log.warning("a watch had missed something", kind=kind.kind, repaired=repaired, pruned=pruned)

    async def _read(self, kind: type[Resource], key: str) -> Raw | None:
        """Reads an object that the list showed and no watch did. None: it was deleted since."""
        try:
            return await self.kube.get(kind, *key.split("/", 1))
        except NotFound:
            return None

    @contextlib.asynccontextmanager
    async def _listed(self, *kinds: type[Resource]) -> AsyncIterator[list[AsyncIterator[Raw]]]:
        """Gives the objects of each kind. All lists are requested at once."""
        async with contextlib.AsyncExitStack() as requests:

            async def request(kind: type[Resource]) -> list[Pages]:
                pages = (self.kube.pages(kind, namespace=namespace) for namespace in self.namespaces or (None,))
                return [await requests.enter_async_context(one) for one in pages]

            yield [_items(await request(kind)) for kind in kinds]


def _version(raw: Raw) -> int:
    return int(raw["metadata"]["resourceVersion"])


async def _items(lists: Iterable[Pages]) -> AsyncIterator[Raw]:
    for pages in lists:
        async for page in pages:
            for raw in page["items"]:
                yield raw
