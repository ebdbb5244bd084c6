"""Tells on an object of the cluster whether its owner has every seat, and lets a Pod that waits for it be scheduled.

A rule asks for it: `seat_annotation` names the annotation, and `scheduling_gate` the gate that is taken away once. No seat waits
for a write. Before an object is changed, it and its Workbench are read: an object of that name may be another one meanwhile,
of another owner, or one whose seat went in between.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from seatpool.api.workbench import SourceKind, Workbench, WorkbenchSource
from seatpool.backoff import SHORTENING_JITTER, Backoff
from seatpool.kube.client import KubeClient
from seatpool.kube.errors import Conflict, KubeError, NotFound
from seatpool.mirror.kubernetes.objects import KubernetesObjects
from seatpool.mirror.names import object_name
from seatpool.mirror.rate_limited_log import RateLimitedLog

BATCH_DELAY = 0.1
WRITES_AT_ONCE = 16
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class SeatNote:
    """What an object should say."""

    owner: str
    value: str | None
    """None: the annotation is taken away."""
    opens: bool
    """True: its Pod may be scheduled."""
    generation: int
    """The generation of the Workbench that this follows from."""


class SeatWriter:
    """Writes what objects say of seats, for all rules that ask for it."""

    def __init__(
        self,
        objects: Mapping[str, KubernetesObjects],
        kube: KubeClient,
        *,
        log: RateLimitedLog,
        leads: Callable[[], bool],
        rng: random.Random,
    ) -> None:
        """`objects` are those of each rule, by its name."""
        self._objects = {name: one for name, one in objects.items() if one.served.rule.tells_seats}
        self._kube = kube
        self._log = log
        self._leads = leads
        self._rng = rng
        self._desired: dict[str, SeatNote] = {}
        self._pending: dict[str, SeatNote] = {}
        self._wake = asyncio.Event()

    @property
    def is_used(self) -> bool:
        """True: some rule asks for it."""
        return bool(self._objects)

    def set_desired(self, reference: str, note: SeatNote) -> None:
        """Records what an object should say."""
        if reference.partition("/")[0] not in self._objects:
            return
        if self._desired.get(reference) == note:
            return
        self._desired[reference] = self._pending[reference] = note
        self._wake.set()

    def observe(self, rule: str, raw: Mapping[str, Any]) -> None:
        """Compares an object that a watch brought with what it should say. It may be a new one of that name."""
        objects = self._objects.get(rule)
        if objects is None:
            return
        reference = objects.reference(raw["metadata"])
        note = self._desired.get(reference)
        if note is not None and self._patch(objects, raw, note) is not None:
            self._pending[reference] = note
            self._wake.set()

    def forget(self, reference: str) -> None:
        """Forgets an object that has no Workbench any more."""
        self._desired.pop(reference, None)
        self._pending.pop(reference, None)

    async def run(self) -> None:
        """Writes until cancelled."""
        backoff = Backoff(self._rng, first=FIRST_PAUSE, longest=LONGEST_PAUSE, spread=SHORTENING_JITTER)
        slots = asyncio.Semaphore(WRITES_AT_ONCE)

        async def write(reference: str, note: SeatNote) -> bool:
            async with slots:
                return await self._write(reference, note)

        while True:
            await self._wake.wait()
            await asyncio.sleep(BATCH_DELAY)
            self._wake.clear()
            batch, self._pending = self._pending, {}
            done = await asyncio.gather(*(write(*one) for one in batch.items()))
            failed = {reference: batch[reference] for reference, ok in zip(batch, done, strict=True) if not ok}
            if not failed:
                backoff.succeeded()
                continue
            self._pending = failed | self._pending
            self._wake.set()
            await asyncio.sleep(backoff.failed())

    async def _write(self, reference: str, note: SeatNote) -> bool:
        """Writes one object. False: it has to be tried again."""
        objects = self._objects[reference.partition("/")[0]]
        if not self._leads():
            return False
        try:
            raw = await self._kube.get_raw(objects.path_of(reference))
            patch = self._patch(objects, raw, note)
            if patch is not None and await self._still_holds(objects, reference, note):
                await self._kube.merge_patch_raw(objects.path_of(reference), patch)
        except NotFound:
            return True
        except Conflict:
            return False
        except KubeError as error:
            self._log.warning(
                "an object is not told of its seat", reason=type(error).__name__, object=reference, error=str(error)
            )
            return False
        return True

    async def _still_holds(self, objects: KubernetesObjects, reference: str, note: SeatNote) -> bool:
        """Tells whether the Workbench is the one that the note follows from. If not, another note comes. Raises KubeError."""
        name = object_name(WorkbenchSource(kind=SourceKind.KUBERNETES, reference=reference))
        found = await self._kube.get(Workbench, objects.served.namespace, name)
        generations = (found["metadata"].get("generation"), found.get("status", {}).get("observedGeneration"))
        return generations == (note.generation, note.generation)

    def _patch(self, objects: KubernetesObjects, raw: Mapping[str, Any], note: SeatNote) -> dict[str, Any] | None:
        """Returns what to change. None: nothing, or the object is another user's meanwhile."""
        rule, metadata = objects.served.rule, raw["metadata"]
        if objects.owner_of(raw) != note.owner:
            return None
        patch: dict[str, Any] = {}
        if (
            rule.seat_annotation is not None
            and (metadata.get("annotations") or {}).get(rule.seat_annotation) != note.value
        ):
            patch["metadata"] = {"annotations": {rule.seat_annotation: note.value}}
        gates = raw.get("spec", {}).get("schedulingGates") or []
        left = [gate for gate in gates if gate.get("name") != rule.scheduling_gate]
        if note.opens and rule.scheduling_gate is not None and len(left) < len(gates):
            patch["spec"] = {"schedulingGates": left}
        if not patch:
            return None
        patch["metadata"] = patch.get("metadata", {}) | {"resourceVersion": metadata["resourceVersion"]}
        return patch
