"""The one finalizer: on pools whose list is to be emptied before they go (`spec.onDelete: Clear`).

A pool with `Retain` never carries it. The way out when the server cannot be reached any more is to set `Retain`, or to delete
the LicenseServer.
"""

from dataclasses import dataclass

from seatpool.api.annotations import CLEAR_LIST
from seatpool.api.licensepool import LicensePool, OnDelete
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Conflict, NotFound

ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Finalizer:
    """Puts it on and takes it off."""

    kube: KubeClient
    metrics: ControlMetrics

    async def ensure(self, pool: LicensePool, *, cleared: bool) -> None:
        """Puts the finalizer on the pool or takes it off. `cleared`: the list was seen empty, or there is no server."""
        wanted = _finalizers(pool, cleared=cleared)
        for _ in range(ATTEMPTS):
            if wanted is None:
                return
            body = {"metadata": {"resourceVersion": pool.metadata.resource_version, "finalizers": wanted}}
            self.metrics.writes.labels("finalizer").inc()
            try:
                await self.kube.merge_patch(LicensePool, pool.metadata.namespace, pool.metadata.name, body)
                return
            except NotFound:
                return
            except Conflict:
                # Statuses change the version too; what is decided is decided again on what is there now.
                current = await self._read(pool)
                if current is None:
                    return
                pool, wanted = current, _finalizers(current, cleared=cleared)

    async def _read(self, pool: LicensePool) -> LicensePool | None:
        """The same pool as it is now; None when it is gone, even if there is another one of its name."""
        try:
            raw = await self.kube.get(LicensePool, pool.metadata.namespace, pool.metadata.name)
        except NotFound:
            return None
        found = LicensePool.model_validate(raw)
        return found if found.metadata.uid == pool.metadata.uid else None


def _finalizers(pool: LicensePool, *, cleared: bool) -> list[str] | None:
    """The finalizers as they should be, None when they are."""
    present = CLEAR_LIST in pool.metadata.finalizers
    deleting = pool.metadata.deletion_timestamp is not None
    needed = pool.spec.on_delete is OnDelete.CLEAR and not (deleting and cleared)
    if present == needed or (needed and deleting):
        return None
    others = [name for name in pool.metadata.finalizers if name != CLEAR_LIST]
    return [*others, CLEAR_LIST] if needed else others
