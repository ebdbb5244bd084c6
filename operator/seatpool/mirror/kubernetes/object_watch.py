"""Takes what a watch brings of a rule's objects, and writes their Workbenches.

An object says its whole state, so only its newest version counts, and a version that was seen before changes nothing. What
cannot be written now is tried again, unless a newer version has come. What a watch misses, the inventory finds.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from seatpool.api.workbench import InstanceState
from seatpool.backoff import Backoff
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.errors import Invalid, KubeError
from seatpool.mirror.event_order import Fact
from seatpool.mirror.kubernetes.objects import KubernetesObjects
from seatpool.mirror.names import object_name
from seatpool.mirror.rate_limited_log import RateLimitedLog, escaped
from seatpool.mirror.workbenches.entry import NOT_WRITTEN
from seatpool.mirror.workbenches.writer import WorkbenchWriter

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
DELETED = "DELETED"
_ENDED = frozenset({InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED})


@dataclass(frozen=True, slots=True)
class _Change:
    raw: dict[str, Any]
    is_deleted: bool
    at: datetime


class ObjectWatch:
    """The newest versions of one rule's objects that are not written yet."""

    def __init__(
        self,
        objects: KubernetesObjects,
        workbenches: WorkbenchWriter,
        *,
        log: RateLimitedLog,
        clock: Callable[[], datetime],
        rng: random.Random,
    ) -> None:
        self._objects = objects
        self._workbenches = workbenches
        self._log = log
        self._clock = clock
        self._rng = rng
        self._versions: dict[str, int] = {}
        """Newest resource version of each object that exists."""
        self._pending: dict[str, _Change] = {}
        self._wake = asyncio.Event()

    def observe(self, event: str, raw: dict[str, Any]) -> None:
        """Records an object from a watch. `event` is ADDED, MODIFIED or DELETED; empty in a first list."""
        metadata = raw["metadata"]
        if not self._objects.served.rule.covers(metadata):
            return
        reference, version = self._objects.reference(metadata), int(metadata["resourceVersion"])
        if not self._objects.served.rule.selects(metadata) and reference not in self._versions:
            return
        if version <= self._versions.get(reference, -1):
            return
        if event == DELETED:
            self._versions.pop(reference, None)
        else:
            self._versions[reference] = version
        self._pending[reference] = _Change(raw, event == DELETED, to_milliseconds(self._clock()))
        self._wake.set()

    async def run(self) -> None:
        """Writes until cancelled."""
        backoff = Backoff(self._rng, first=FIRST_PAUSE, longest=LONGEST_PAUSE)
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._pending = self._pending, {}
            written = await asyncio.gather(*(self._write(*one) for one in batch.items()))
            failed = {reference: batch[reference] for reference, ok in zip(batch, written, strict=True) if not ok}
            if not failed:
                backoff.succeeded()
                continue
            self._pending = failed | self._pending
            self._wake.set()
            await asyncio.sleep(backoff.failed())

    async def _write(self, reference: str, change: _Change) -> bool:
        """Writes one object. False: it has to be tried again."""
        place = self._objects.served
        fact = self._fact(change)
        if fact is None or fact.source is None:
            return True
        name = object_name(fact.source)
        if self._workbenches.get(place.namespace, name) is None and fact.state in _ENDED:
            return True
        try:
            upsert = await self._workbenches.upsert(place.namespace, name, [fact])
        except Invalid as error:
            self._log.warning("object refused", reason="Invalid", object=reference, error=escaped(str(error)))
            return True
        except KubeError as error:
            self._log.warning("object not written", reason=type(error).__name__, object=reference, error=str(error))
            return False
        if upsert.result in NOT_WRITTEN:
            self._log.warning("workbench not written", reason=upsert.result, object=reference)
        return True

    def _fact(self, change: _Change) -> Fact | None:
        """Returns what an object says. None: nothing, or the inventory has to decide."""
        machine = self._objects.gone(change.raw) if change.is_deleted else self._objects.machine(change.raw)
        if machine is None or (machine.is_no_workbench and not change.is_deleted):
            return None
        return machine.as_fact(self._objects.served.key, at=change.at)
