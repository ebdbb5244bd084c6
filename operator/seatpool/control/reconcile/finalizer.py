"""Sets the only finalizer of Seatpool: on pools whose list is emptied before they are deleted (`spec.onDelete: Clear`).

A pool with `Retain` never has it. If the server cannot be reached any more, an admin can set `Retain` or delete the
LicenseServer.
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
    """Adds the finalizer to a pool and removes it."""

    kube: KubeClient
    metrics: ControlMetrics

    async def ensure(self, pool: LicensePool, *, cleared: bool) -> None:
        """Adds or removes the finalizer, as the pool needs it. Raises KubeError.

        `cleared`: the list was read back empty, or there is no server.
        """
        desired = _finalizers(pool, cleared=cleared)
        for _ in range(ATTEMPTS):
            if desired is None:
                return
            body = {"metadata": {"resourceVersion": pool.metadata.resource_version, "finalizers": desired}}
            self.metrics.writes.labels("finalizer").inc()
            try:
                await self.kube.merge_patch(LicensePool, pool.metadata.namespace, pool.metadata.name, body)
                return
            except NotFound:
                return
            except Conflict:
                # Writes of the status change the version too. So the pool is read again and decided about again.
                current = await self._read(pool)
                if current is None:
                    return
                pool, desired = current, _finalizers(current, cleared=cleared)

    async def _read(self, pool: LicensePool) -> LicensePool | None:
        """Reads the pool again. None: it is gone, even if another pool has its name now."""
        try:
            raw = await self.kube.get(LicensePool, pool.metadata.namespace, pool.metadata.name)
        except NotFound:
            return None
        found = LicensePool.model_validate(raw)
        return found if found.metadata.uid == pool.metadata.uid else None


def _finalizers(pool: LicensePool, *, cleared: bool) -> list[str] | None:
    """Returns the desired finalizers. None: the pool has them."""
    present = CLEAR_LIST in pool.metadata.finalizers
    deleting = pool.metadata.deletion_timestamp is not None
    needed = pool.spec.on_delete is OnDelete.CLEAR and not (deleting and cleared)
    if present == needed or (needed and deleting):
        return None
    others = [name for name in pool.metadata.finalizers if name != CLEAR_LIST]
    return [*others, CLEAR_LIST] if needed else others
