"""A paged LIST now and then, to repair what a watch missed.

A watch that was cut and began anew tells of living objects only: what was deleted meanwhile would stay for ever, and with it
somebody's seat. What the list shows newer than known is taken in; what it does not show is forgotten.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from seatpool.api.base import Resource, key_of
from seatpool.cache.store import Raw, Store
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import KubeClient, Pages
from seatpool.kube.errors import KubeError, NotFound

SETTLE = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resync:
    """Compares the store with the API server."""

    kinds: Sequence[type[Resource]]
    namespaces: Sequence[str]
    kube: KubeClient
    store: Store
    take: Callable[[type[Resource], Raw], bool]
    forget: Callable[[type[Resource], str, str | None], bool]
    metrics: ControlMetrics
    log: FilteringBoundLogger
    clock: Callable[[], datetime]

    async def load(self, loaded: Callable[[type[Resource]], None] = lambda _kind: None) -> None:
        """The first list of every kind, one taken in after the other; `loaded` is told of each when it is.

        All are asked for at once, so that the API server does not wait while somebody works here. Raises what it answers:
        KubeError.
        """
        async with self._listed(*self.kinds) as lists:
            for kind, objects in zip(self.kinds, lists, strict=True):
                async for raw in objects:
                    self.take(kind, raw)
                loaded(kind)

    async def run(self, *, interval: float) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(interval)
            for kind in self.kinds:
                try:
                    await self.look_at(kind)
                except KubeError as error:
                    self.log.warning("audit failed", kind=kind.kind, error=str(error))

    async def catch_up(self) -> None:
        """Everything as it is now, for who is about to decide by it. Raises what the API server answers: KubeError."""
        for kind in self.kinds:
            await self.look_at(kind, settle=0.0)

    async def look_at(self, kind: type[Resource], *, settle: float = SETTLE) -> None:
        """Compare one kind, and repair."""
        before = self.store.known(kind)
        async with self._listed(kind) as (objects,):
            listed = {key_of(raw["metadata"]): raw async for raw in objects}
        await asyncio.sleep(settle)  # what a living watch knows by now it has brought by then
        after = self.store.known(kind)
        repaired = 0
        for key, raw in listed.items():
            if key in after and after[key][1] < int(raw["metadata"]["resourceVersion"]):
                repaired += self.take(kind, raw)
            elif key not in after and (again := await self._read(kind, key)) is not None:
                repaired += self.take(kind, again)
        pruned = sum(
            self.forget(kind, key, uid)
            for key, (uid, _) in before.items()
            if (key not in listed or listed[key]["metadata"]["uid"] != uid) and after.get(key, ("", 0))[0] == uid
        )
        if repaired or pruned:
            self.metrics.repairs.labels(kind.kind).inc(repaired)
            self.metrics.ghosts.labels(kind.kind).inc(pruned)
            self.log.warning("a watch had missed something", kind=kind.kind, repaired=repaired, pruned=pruned)

    async def _read(self, kind: type[Resource], key: str) -> Raw | None:
        """An object that the list showed and no watch did; it may have been deleted since."""
        try:
            return await self.kube.get(kind, *key.split("/", 1))
        except NotFound:
            return None

    @contextlib.asynccontextmanager
    async def _listed(self, *kinds: type[Resource]) -> AsyncIterator[list[AsyncIterator[Raw]]]:
        """The objects of each kind; all lists are asked for at once."""
        async with contextlib.AsyncExitStack() as asked:

            async def ask(kind: type[Resource]) -> list[Pages]:
                pages = (self.kube.pages(kind, namespace=namespace) for namespace in self.namespaces or (None,))
                return [await asked.enter_async_context(one) for one in pages]

            yield [_each(await ask(kind)) for kind in kinds]


async def _each(parts: Iterable[Pages]) -> AsyncIterator[Raw]:
    for pages in parts:
        async for page in pages:
            for raw in page["items"]:
                yield raw
