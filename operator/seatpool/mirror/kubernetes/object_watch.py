"""Keeps the Workbenches of a rule's objects up to date, by what a watch brings and by the lists of the inventory.

An object says its whole state, so only its newest version counts, whether a watch or a list brought it. A version that is
not newer changes nothing. So a watch that is behind does not undo what a list has shown, and brings back no object that was
deleted before the list. What cannot be written now is tried again, unless a newer version has come.
"""

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from seatpool.api.workbench import InstanceState, SourceKind
from seatpool.backoff import Backoff
from seatpool.domain.instants import to_milliseconds
from seatpool.kube.client import Body
from seatpool.kube.errors import Invalid, KubeError
from seatpool.mirror.event_order import Fact
from seatpool.mirror.kubernetes.objects import KubernetesObjects
from seatpool.mirror.names import object_name
from seatpool.mirror.rate_limited_log import RateLimitedLog, escaped
from seatpool.mirror.source import ById, Machine, Survey
from seatpool.mirror.workbenches.entry import NOT_WRITTEN
from seatpool.mirror.workbenches.writer import WorkbenchWriter

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0
DELETED = "DELETED"
_ENDED = frozenset({InstanceState.SHUTTING_DOWN, InstanceState.TERMINATED})


class ObjectWatch:
    """The objects of one rule, as the newest of watch and list shows them. See MachineSource."""

    kind = SourceKind.KUBERNETES
    lag = timedelta(0)
    trusts_empty = True

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
        self._listed: dict[str | None, int] = {}
        """Resource version of the last whole list of each namespace. None: of all namespaces."""
        self._pending: dict[str, Fact] = {}
        """What is not written yet, by reference."""
        self._wake = asyncio.Event()
        self._writing = False

    def observe(self, event: str, raw: Mapping[str, Any]) -> None:
        """Records an object from a watch. `event` is ADDED, MODIFIED or DELETED; empty in a first list."""
        metadata = raw["metadata"]
        if not self._objects.served.rule.covers(metadata):
            return
        reference, version = self._objects.reference(metadata), int(metadata["resourceVersion"])
        known = self._versions.get(reference)
        if known is None:
            # If a list did not show it then, it was deleted, or had other labels.
            known = max(self._listed.get(metadata.get("namespace"), -1), self._listed.get(None, -1))
            if not self._objects.served.rule.selects(metadata):
                return
        if version <= known:
            return
        if event == DELETED:
            self._versions.pop(reference, None)
        else:
            self._versions[reference] = version
        fact = self._fact(raw, is_deleted=event == DELETED)
        if fact is not None:
            self._pending[reference] = fact
            self._wake.set()

    async def check_access(self) -> None:
        """There is only one API server."""

    async def list_workbenches(self) -> Sequence[Machine]:
        shown: set[str] = set()
        versions: dict[str | None, int] = {}

        def take(namespace: str | None, page: Body) -> None:
            versions[namespace] = int(page["metadata"]["resourceVersion"])
            for raw in page["items"]:
                reference, version = self._objects.reference(raw["metadata"]), int(raw["metadata"]["resourceVersion"])
                shown.add(reference)
                known = self._versions.setdefault(reference, version)
                if known < version:
                    self.observe("MODIFIED", raw)  # the watch is behind, and may have written an older version since

        machines = await self._objects.list_workbenches(take)
        self._listed = versions
        self._versions = {
            reference: version
            for reference, version in self._versions.items()
            if reference in shown or version > self._listed_version(reference)
        }
        return machines

    async def describe(self, references: Sequence[str]) -> Mapping[str, Machine]:
        return (await self.describe_by_id(references)).found

    async def describe_by_id(self, references: Sequence[str]) -> ById:
        return await self._objects.describe_by_id(references)

    async def survey(self) -> Survey | None:
        return None

    def _listed_version(self, reference: str) -> int:
        return max(self._listed.get(reference.split("/")[1], -1), self._listed.get(None, -1))

    @property
    def is_busy(self) -> bool:
        """True: something that was recorded is not written yet."""
        return bool(self._pending) or self._writing

    async def run(self) -> None:
        """Writes until cancelled."""
        backoff = Backoff(self._rng, first=FIRST_PAUSE, longest=LONGEST_PAUSE)
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._pending = self._pending, {}
            self._writing = True
            written = await asyncio.gather(*(self._write(*one) for one in batch.items()))
            self._writing = False
            failed = {reference: batch[reference] for reference, ok in zip(batch, written, strict=True) if not ok}
            if not failed:
                backoff.succeeded()
                continue
            self._pending = failed | self._pending
            self._wake.set()
            await asyncio.sleep(backoff.failed())

    async def _write(self, reference: str, fact: Fact) -> bool:
        """Writes one object. False: it has to be tried again."""
        place = self._objects.served
        assert fact.source is not None  # noqa: S101
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

    def _fact(self, raw: Mapping[str, Any], *, is_deleted: bool) -> Fact | None:
        """Returns what an object says now. None: nothing, or the inventory has to decide."""
        machine = self._objects.gone(raw) if is_deleted else self._objects.machine(raw)
        if machine is None or (machine.is_no_workbench and not is_deleted):
            return None
        return machine.as_fact(self._objects.served.key, at=to_milliseconds(self._clock()))
