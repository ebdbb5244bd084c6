"""Kubernetes Events for people: few, merged, and never in the way of a seat.

The API server keeps each Event for an hour, and `kubectl describe` shows them all, so a storm of them helps nobody. The
same news about the same object within some minutes is one Event with a count, and each object has a small allowance.
Writing happens beside the work: a full queue or a refusal costs an Event, nothing else.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from structlog.typing import FilteringBoundLogger

from seatpool.api.base import API_VERSION, Metadata, Resource, format_instant
from seatpool.api.reasons import EventReason
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import KubeError, NotFound

COMPONENT = "seatpool"
MERGE_FOR = 600.0
BURST = 25
REFILL = 60.0
QUEUED = 1000
REMEMBERED = 5000
LONGEST = 1024


@dataclass(slots=True)
class _Series:
    name: str
    first: datetime
    count: int
    until: float


@dataclass(slots=True)
class _Allowance:
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class _Note:
    kind: str
    namespace: str
    name: str
    uid: str
    type: Literal["Normal", "Warning"]
    reason: EventReason
    message: str
    at: datetime


class EventRecorder:
    """Posts Events about our objects. One that does not speak drops them: it stands by, and the leader says the same."""

    def __init__(
        self,
        kube: KubeClient,
        *,
        instance: str,
        metrics: ControlMetrics,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        speaks: Callable[[], bool] = lambda: True,
    ) -> None:
        self._kube = kube
        self._instance = instance
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._monotonic = monotonic
        self._speaks = speaks
        self._queue: asyncio.Queue[_Note] = asyncio.Queue(QUEUED)
        self._series: OrderedDict[tuple[str, EventReason], _Series] = OrderedDict()
        self._allowances: OrderedDict[str, _Allowance] = OrderedDict()

    def normal(self, kind: type[Resource], metadata: Metadata, reason: EventReason, message: str) -> None:
        """Something happened as it should."""
        self._take(kind, metadata, "Normal", reason, message)

    def warning(self, kind: type[Resource], metadata: Metadata, reason: EventReason, message: str) -> None:
        """Somebody should look."""
        self._take(kind, metadata, "Warning", reason, message)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            note = await self._queue.get()
            try:
                await self._post(note)
            except KubeError as error:
                self._metrics.events.labels("refused").inc()
                self._log.warning("event not written", reason=note.reason, object=note.name, error=str(error))

    def _take(
        self,
        kind: type[Resource],
        metadata: Metadata,
        type_: Literal["Normal", "Warning"],
        reason: EventReason,
        text: str,
    ) -> None:
        if not self._speaks():
            return
        note = _Note(
            kind=kind.kind, namespace=metadata.namespace, name=metadata.name, uid=metadata.uid, type=type_,
            reason=reason, message=text if len(text) <= LONGEST else text[: LONGEST - 3] + "...", at=self._clock(),
        )  # fmt: skip
        if not self._allowed(metadata.uid):
            self._metrics.events.labels("left_out").inc()
            return
        try:
            self._queue.put_nowait(note)
        except asyncio.QueueFull:
            self._metrics.events.labels("left_out").inc()

    def _allowed(self, uid: str) -> bool:
        now = self._monotonic()
        allowance = self._allowances.setdefault(uid, _Allowance(BURST, now))
        self._allowances.move_to_end(uid)
        while len(self._allowances) > REMEMBERED:
            self._allowances.popitem(last=False)
        allowance.left = min(BURST, allowance.left + (now - allowance.at) / REFILL)
        allowance.at = now
        if allowance.left < 1:
            return False
        allowance.left -= 1
        return True

    async def _post(self, note: _Note) -> None:
        now = self._monotonic()
        key = (note.uid, note.reason)
        series = self._series.get(key)
        if series is not None and now < series.until:
            series.count += 1
            patch: Body = {
                "count": series.count, "message": note.message, "type": note.type, "lastTimestamp": format_instant(note.at)
            }  # fmt: skip
            try:
                await self._kube.write_event(note.namespace, series.name, patch, create=False)
                self._metrics.events.labels("merged").inc()
                return
            except NotFound:
                del self._series[key]
        digest = hashlib.sha256(f"{note.uid}{note.reason}{note.at.timestamp()}".encode()).hexdigest()[:16]
        series = _Series(name=f"{note.name[:200]}.{digest}", first=note.at, count=1, until=now + MERGE_FOR)
        await self._kube.write_event(note.namespace, series.name, self._body(note, series), create=True)
        self._metrics.events.labels("written").inc()
        self._series[key] = series
        while len(self._series) > REMEMBERED:
            self._series.popitem(last=False)

    def _body(self, note: _Note, series: _Series) -> Body:
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": series.name, "namespace": note.namespace},
            "involvedObject": {
                "apiVersion": API_VERSION, "kind": note.kind, "namespace": note.namespace, "name": note.name, "uid": note.uid,
            },
            "type": note.type,
            "reason": note.reason.value,
            "message": note.message,
            "count": 1,
            "firstTimestamp": format_instant(note.at),
            "lastTimestamp": format_instant(note.at),
            "source": {"component": COMPONENT},
            "reportingComponent": f"seatpool.io/{COMPONENT}",
            "reportingInstance": self._instance,
        }  # fmt: skip
