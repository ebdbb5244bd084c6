"""The one finalizer: on pools whose list is to be emptied before they go (`spec.onDelete: Clear`).

A pool with `Retain` never carries it. The way out when the server cannot be reached any more is to set `Retain`, or to delete
the LicenseServer.
"""

from dataclasses import dataclass

from seatpool.api.base import GROUP
from seatpool.api.licensepool import LicensePool, OnDelete
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Conflict, NotFound

CLEAR_LIST = f"{GROUP}/clear-list"


@dataclass(frozen=True, slots=True)
class Finalizer:
    """Puts it on and takes it off."""

    kube: KubeClient
    metrics: ControlMetrics

    async def look_at(self, pool: LicensePool, *, cleared: bool) -> None:
        """Make the finalizer right; `cleared` says that the list was seen empty, or that there is no server."""
        present = CLEAR_LIST in pool.metadata.finalizers
        deleting = pool.metadata.deletion_timestamp is not None
        needed = pool.spec.on_delete is OnDelete.CLEAR and not (deleting and cleared)
        if present == needed or (needed and deleting):
            return
        others = [name for name in pool.metadata.finalizers if name != CLEAR_LIST]
        body = {
            "metadata": {
                "resourceVersion": pool.metadata.resource_version,
                "finalizers": [*others, CLEAR_LIST] if needed else others,
            }
        }
        self.metrics.writes.labels("finalizer").inc()
        try:
            await self.kube.merge_patch(LicensePool, pool.metadata.namespace, pool.metadata.name, body)
        except (Conflict, NotFound):
            return  # the pool has changed, and will be looked at again when the watch brings it
