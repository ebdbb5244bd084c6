"""Delivers objects from watches, lists and answers to our own writes to the cache and the mirror.

Nothing here raises, because Kopf would only log it. An object that cannot be read must not stop the others.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationError
from structlog.typing import FilteringBoundLogger

from seatpool.api.base import Metadata, Resource, key_of
from seatpool.api.problems import problem_of
from seatpool.api.reasons import EventReason
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Raw, Store
from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.mirror.mirror import Mirror


@dataclass(frozen=True, slots=True, kw_only=True)
class Informer:
    """Delivers objects to the cache and the mirror. Posts an Event for an object that cannot be read."""

    store: Store
    mirror: Mirror
    recorder: EventRecorder
    metrics: ControlMetrics
    log: FilteringBoundLogger
    clock: Callable[[], datetime]

    def on_watch_event(self, kind: type[Resource], event: str, raw: Raw) -> None:
        """Delivers an object from a watch event."""
        metadata = raw["metadata"]
        self.metrics.last_event.labels(kind.kind).set(self.clock().timestamp())
        if event == "DELETED":
            self.deleted(kind, key_of(metadata), metadata["uid"])
        else:
            self.upserted(kind, raw)

    def upserted(self, kind: type[Resource], raw: Raw) -> bool:
        """Delivers an object. Returns whether it was newer than the cached one."""
        workbench = self._deliver_to_mirror(raw) if kind is Workbench else None
        try:
            return self.store.upsert(kind, raw, now=self.clock(), parsed=workbench)
        except Exception as error:  # noqa: BLE001
            self._refuse(kind, raw, error)
            return False

    def _refuse(self, kind: type[Resource], raw: Raw, error: Exception) -> None:
        """Tells of an object that cannot be taken in, whatever is odd about it: the others must not notice.

        The store keeps it, and so its status says why. It is told once for each reason.
        """
        problem = problem_of(error)
        name = str(raw.get("metadata", {}).get("name", ""))
        try:
            if not self.store.refuse(kind, raw, problem, now=self.clock()):
                return
        except Exception as failure:  # noqa: BLE001
            self.log.error("an object was not refused", kind=kind.kind, name=name, error=problem_of(failure))
        self.metrics.refused.labels(kind.kind).inc()
        self.log.warning("an object cannot be read", kind=kind.kind, name=name, error=problem)
        with contextlib.suppress(ValidationError):
            metadata = Metadata.model_validate(raw["metadata"])
            self.recorder.warning(kind, metadata, EventReason.INVALID_SPEC, problem)

    def _deliver_to_mirror(self, raw: Raw) -> Workbench | None:
        """Delivers a workbench to the mirror, which needs less of it than the cache.

        Returns the parsed object. None: it is not newer than the cached one, or invalid.
        """
        workbench: Workbench | None = None
        if self.store.is_newer(Workbench, raw):
            with contextlib.suppress(ValidationError):
                workbench = Workbench.model_validate(raw)
        self.mirror.observe(raw, workbench.spec if workbench is not None else None)
        return workbench

    def written(self, kind: type[Resource], raw: Raw) -> None:
        """Delivers the answer to our own write, before a watch brings the object.

        A watch may have shown meanwhile that the object was deleted. The older answer must not bring it back.
        """
        if self.store.has_object(kind, raw):
            self.upserted(kind, raw)

    def deleted(self, kind: type[Resource], key: str, uid: str | None) -> bool:
        """Drops a deleted object. Returns whether it was in the cache. `uid` None: any uid."""
        if kind is Workbench:
            self.mirror.forget(key, uid=uid)
        try:
            return self.store.delete(kind, key, uid=uid, now=self.clock())
        except Exception as error:  # noqa: BLE001
            self.log.error("a deleted object was not dropped", kind=kind.kind, object=key, error=problem_of(error))
            return False
