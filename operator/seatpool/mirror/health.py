"""How the mirror stands with the queue, with EC2 of each account and region, and with the Kubernetes API.

Conditions, metrics and probes are all made from `MirrorHealth`, so they cannot tell different stories. Only changes are
logged: an outage of an hour is one line when it begins and one when it ends.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.regions import Source
from seatpool.mirror.unknown_accounts import Refused, RefusedSources

NOT_YET = "NotYetTried"
EVENTS_ONLY = "EventsOnly"
NO_QUEUE = "NoQueue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Whether something works, why, and since when."""

    ok: bool
    reason: str
    message: str = ""
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsHealth:
    """The queue. `connected` is also true of a mirror without a queue: there is nothing to be connected to."""

    connected: bool
    reason: str
    message: str
    since: datetime
    redrive: bool | None
    """Whether bad messages end in a dead-letter queue; None while it is not known."""
    refused: tuple[Refused, ...] = ()
    """Accounts and regions that are not listed, and whose events came in the last hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryHealth:
    """One region of one account. A region that is not fresh releases nobody."""

    account: str
    region: str
    enabled: bool
    fresh: bool
    reason: str
    message: str
    since: datetime
    last_complete: datetime | None
    tried: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorHealth:
    """Everything at one instant."""

    events: EventsHealth
    kubernetes: Link
    inventories: tuple[InventoryHealth, ...]

    @property
    def first_inventories_tried(self) -> bool:
        return all(entry.tried for entry in self.inventories if entry.enabled)

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """The account/region pairs whose first complete inventory is still missing."""
        return tuple(
            f"{entry.account}/{entry.region}"
            for entry in self.inventories
            if entry.enabled and entry.last_complete is None
        )


@dataclass(slots=True)
class _Inventory:
    source: Source
    link: Link
    last_complete: datetime | None = None
    tried: bool = False


@dataclass
class HealthBoard:
    """Where the parts of the mirror write how they are."""

    log: FilteringBoundLogger
    metrics: MirrorMetrics
    refused: RefusedSources
    now: datetime
    has_queue: bool
    redrive: bool | None = None
    _events: Link = field(init=False)
    _kubernetes: Link = field(init=False)
    _inventories: dict[tuple[str, str], _Inventory] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._events = Link(ok=not self.has_queue, reason=NOT_YET if self.has_queue else NO_QUEUE, since=self.now)
        self._kubernetes = Link(ok=False, reason=NOT_YET, since=self.now)
        self.metrics.events_connected.set(self._events.ok)

    def serve(self, sources: Iterable[Source], *, now: datetime) -> None:
        """Speak of these and no others. One that was there before keeps what is known of it."""
        before, self._inventories = self._inventories, {}
        for source in sources:
            known = before.pop(source.place, None)
            if known is None or known.source.inventory != source.inventory:
                reason = NOT_YET if source.inventory else EVENTS_ONLY
                known = _Inventory(source, Link(ok=not source.inventory, reason=reason, since=now))
            known.source = source
            self._inventories[source.place] = known
        for place in before:
            for metric in (self.metrics.inventory_fresh, self.metrics.inventory_at):
                with contextlib.suppress(KeyError):
                    metric.remove(*place)

    def snapshot(self) -> MirrorHealth:
        return MirrorHealth(
            events=EventsHealth(
                connected=self._events.ok,
                reason=self._events.reason,
                message=self._events.message,
                since=self._events.since,
                redrive=self.redrive,
                refused=self._refused_now(),
            ),
            kubernetes=self._kubernetes,
            inventories=tuple(
                InventoryHealth(
                    account=entry.source.account.account,
                    region=entry.source.region,
                    enabled=entry.source.inventory,
                    fresh=entry.link.ok,
                    reason=entry.link.reason,
                    message=entry.link.message,
                    since=entry.link.since,
                    last_complete=entry.last_complete,
                    tried=entry.tried,
                )
                for entry in self._inventories.values()
            ),
        )

    def events(self, *, ok: bool, reason: str, message: str = "", now: datetime) -> None:
        self._events = self._moved(self._events, "events", ok=ok, reason=reason, message=message, now=now)
        self.metrics.events_connected.set(ok)

    def kubernetes(self, *, ok: bool, reason: str, message: str = "", now: datetime) -> None:
        self._kubernetes = self._moved(self._kubernetes, "kubernetes", ok=ok, reason=reason, message=message, now=now)

    def _refused_now(self) -> tuple[Refused, ...]:
        refused = self.refused.now()
        self.metrics.refused_sources.set(len(refused))
        return refused

    def inventory(self, source: Source, *, ok: bool, reason: str, message: str = "", now: datetime) -> None:
        entry = self._inventories.get(source.place)
        if entry is None:
            return  # it was taken out of the settings while it was asked
        entry.link = self._moved(entry.link, f"inventory {source}", ok=ok, reason=reason, message=message, now=now)
        entry.tried = True
        if ok:
            entry.last_complete = now
            self.metrics.inventory_at.labels(*source.place).set(now.timestamp())
        self.metrics.inventory_fresh.labels(*source.place).set(ok)
        self.metrics.inventories.labels(*source.place, reason).inc()

    def _moved(self, link: Link, what: str, *, ok: bool, reason: str, message: str, now: datetime) -> Link:
        if (link.ok, link.reason) == (ok, reason):
            return (
                link  # with the message of its beginning: AWS puts something new into each, and a status is for people
            )
        if ok:
            self.log.info("works", what=what, reason=reason)
        else:
            self.log.warning("fails", what=what, reason=reason, message=message)
        return Link(ok=ok, reason=reason, message=message, since=link.since if link.ok == ok else now)
