"""Posts Kubernetes Events: few, merged, and without delaying a seat.

The API server keeps each Event for an hour, and `kubectl describe` shows all of them. So their number is limited:

- Events of the same reason about the same object within 10 minutes are one Event with a count.
- Each object may have 25 Events at once, and then one a minute.

A message may hold foreign text, such as a tag or an entry of a list that a license server printed. So it is escaped.

Events are posted by a task of their own. A full queue or a refusal costs an Event and nothing else.
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
from seatpool.api.reasons import EVENT_SENTENCES, NAMES_NO_USER, EventReason
from seatpool.control.metrics import ControlMetrics
from seatpool.kube.client import Body, KubeClient
from seatpool.kube.errors import KubeError, NotFound
from seatpool.text import escape_unprintable

COMPONENT = "seatpool"
MERGE_FOR = 600.0
"""Seconds from the first Event of a series in which others are merged into it."""
BURST = 25
"""Events that an object may have at once."""
REFILL = 60.0
"""Seconds after which an object may have one Event more."""
MAX_QUEUED = 1000
MAX_TRACKED = 5000
"""Series and objects that are tracked. The oldest ones are dropped."""
MAX_MESSAGE = 1024
"""Characters of a message. Longer ones are cut."""


@dataclass(slots=True)
class _Series:
    name: str
    first: datetime
    count: int
    until: float


@dataclass(slots=True)
class _TokenBucket:
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class _PendingEvent:
    kind: str
    namespace: str
    name: str
    uid: str
    type: Literal["Normal", "Warning"]
    reason: EventReason
    message: str
    at: datetime


class EventRecorder:
    """Posts Events about our objects. A standby drops them, because the leader posts the same ones."""

    def __init__(
        self,
        kube: KubeClient,
        *,
        instance: str,
        metrics: ControlMetrics,
        log: FilteringBoundLogger,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float] = time.monotonic,
        may_post: Callable[[], bool] = lambda: True,
        user_names: bool = True,
    ) -> None:
        """`user_names` False: no Event names a user, because Kubernetes' role `view` reads Events."""
        self._user_names = user_names
        self._kube = kube
        self._instance = instance
        self._metrics = metrics
        self._log = log
        self._clock = clock
        self._monotonic = monotonic
        self._may_post = may_post
        self._queue: asyncio.Queue[_PendingEvent] = asyncio.Queue(MAX_QUEUED)
        self._series: OrderedDict[tuple[str, EventReason], _Series] = OrderedDict()
        self._buckets: OrderedDict[str, _TokenBucket] = OrderedDict()

    def normal(
        self, kind: type[Resource], metadata: Metadata, reason: EventReason, message: str, *, nameless: str = ""
    ) -> None:
        """Queues an Event of type Normal. `nameless` is what it says if it may name no user; empty: the reason's meaning."""
        self._enqueue(kind, metadata, "Normal", reason, self._allowed_text(reason, message, nameless))

    def warning(
        self, kind: type[Resource], metadata: Metadata, reason: EventReason, message: str, *, nameless: str = ""
    ) -> None:
        """Queues an Event of type Warning: an admin should look at the object. `nameless` is as in `normal`."""
        self._enqueue(kind, metadata, "Warning", reason, self._allowed_text(reason, message, nameless))

    def _allowed_text(self, reason: EventReason, message: str, nameless: str) -> str:
        """Returns what an Event may say. Nothing else decides whether it names a user."""
        if self._user_names or reason in NAMES_NO_USER:
            return message
        return nameless or EVENT_SENTENCES[reason]

    async def run(self) -> None:
        """Posts queued Events until cancelled."""
        while True:
            event = await self._queue.get()
            try:
                await self._post(event)
            except KubeError as error:
                self._metrics.events.labels("refused").inc()
                self._log.warning("event not written", reason=event.reason, object=event.name, error=str(error))

    def _enqueue(
        self,
        kind: type[Resource],
        metadata: Metadata,
        type_: Literal["Normal", "Warning"],
        reason: EventReason,
        text: str,
    ) -> None:
        if not self._may_post():
            return
        text = escape_unprintable(text)
        event = _PendingEvent(
            kind=kind.kind, namespace=metadata.namespace, name=metadata.name, uid=metadata.uid, type=type_,
            reason=reason, message=text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 3] + "...", at=self._clock(),
        )  # fmt: skip
        if not self._is_within_limit(metadata.uid):
            self._metrics.events.labels("left_out").inc()
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self._metrics.events.labels("left_out").inc()

    def _is_within_limit(self, uid: str) -> bool:
        now = self._monotonic()
        bucket = self._buckets.setdefault(uid, _TokenBucket(BURST, now))
        self._buckets.move_to_end(uid)
        while len(self._buckets) > MAX_TRACKED:
            self._buckets.popitem(last=False)
        bucket.left = min(BURST, bucket.left + (now - bucket.at) / REFILL)
        bucket.at = now
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True

    async def _post(self, event: _PendingEvent) -> None:
        now = self._monotonic()
        key = (event.uid, event.reason)
        series = self._series.get(key)
        if series is not None and now < series.until:
            series.count += 1
            patch: Body = {
                "count": series.count, "message": event.message, "type": event.type, "lastTimestamp": format_instant(event.at)
            }  # fmt: skip
            try:
                await self._kube.write_event(event.namespace, series.name, patch, create=False)
                self._metrics.events.labels("merged").inc()
                return
            except NotFound:
                del self._series[key]
        digest = hashlib.sha256(f"{event.uid}{event.reason}{event.at.timestamp()}".encode()).hexdigest()[:16]
        series = _Series(name=f"{event.name[:200]}.{digest}", first=event.at, count=1, until=now + MERGE_FOR)
        await self._kube.write_event(event.namespace, series.name, self._body(event, series), create=True)
        self._metrics.events.labels("written").inc()
        self._series[key] = series
        while len(self._series) > MAX_TRACKED:
            self._series.popitem(last=False)

    def _body(self, event: _PendingEvent, series: _Series) -> Body:
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": series.name, "namespace": event.namespace},
            "involvedObject": {
                "apiVersion": API_VERSION, "kind": event.kind, "namespace": event.namespace, "name": event.name, "uid": event.uid,
            },
            "type": event.type,
            "reason": event.reason.value,
            "message": event.message,
            "count": 1,
            "firstTimestamp": format_instant(event.at),
            "lastTimestamp": format_instant(event.at),
            "source": {"component": COMPONENT},
            "reportingComponent": f"seatpool.io/{COMPONENT}",
            "reportingInstance": self._instance,
        }  # fmt: skip
