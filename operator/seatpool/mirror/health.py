"""Tracks the health of the queue, of each inventory, and of the Kubernetes API.

Conditions, metrics and probes are all made from `MirrorHealth`, so they agree. Only changes are logged: an outage is
one line when it begins and one when it ends.
"""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.regions import AccountRegion, ServedRegion
from seatpool.mirror.unknown_accounts import UnknownAccount, UnknownAccounts

NOT_YET = "NotYetTried"
EVENTS_ONLY = "EventsOnly"
NO_QUEUE = "NoQueue"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionHealth:
    """Tells whether a connection works, why, and since when."""

    ok: bool
    reason: str
    message: str = ""
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsHealth:
    """Health of the queue. A mirror without a queue is connected too."""

    connected: bool
    reason: str
    message: str
    since: datetime
    redrive: bool | None
    """True: the queue has a dead-letter queue. None: not known yet."""
    refused: tuple[UnknownAccount, ...] = ()
    """Accounts and regions that are not configured and sent events in the last hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryHealth:
    """Health of one region's inventory. A region that is not fresh releases no user."""

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
    """Health of the whole mirror at one time."""

    events: EventsHealth
    kubernetes: ConnectionHealth
    inventories: tuple[InventoryHealth, ...]

    @property
    def first_inventories_tried(self) -> bool:
        """True: every inventory was tried at least once."""
        return all(entry.tried for entry in self.inventories if entry.enabled)

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """Account/region pairs that have no complete inventory yet."""
        return tuple(
            f"{entry.account}/{entry.region}"
            for entry in self.inventories
            if entry.enabled and entry.last_complete is None
        )


@dataclass(slots=True)
class _Inventory:
    served: ServedRegion
    connection: ConnectionHealth
    last_complete: datetime | None = None
    tried: bool = False


@dataclass
class HealthBoard:
    """Collects the health of the mirror's parts. Each part writes its own."""

    log: FilteringBoundLogger
    metrics: MirrorMetrics
    unknown_accounts: UnknownAccounts
    now: datetime
    has_queue: bool
    redrive: bool | None = None
    _events: ConnectionHealth = field(init=False)
    _kubernetes: ConnectionHealth = field(init=False)
    _inventories: dict[AccountRegion, _Inventory] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._events = ConnectionHealth(
            ok=not self.has_queue, reason=NOT_YET if self.has_queue else NO_QUEUE, since=self.now
        )
        self._kubernetes = ConnectionHealth(ok=False, reason=NOT_YET, since=self.now)
        self.metrics.events_connected.set(self._events.ok)

    def set_regions(self, regions: Iterable[ServedRegion], *, now: datetime) -> None:
        """Tracks these regions and no others. A region that was tracked before keeps its health."""
        before, self._inventories = self._inventories, {}
        for served in regions:
            known = before.pop(served.key, None)
            if known is None or known.served.inventory != served.inventory:
                reason = NOT_YET if served.inventory else EVENTS_ONLY
                known = _Inventory(served, ConnectionHealth(ok=not served.inventory, reason=reason, since=now))
            known.served = served
            self._inventories[served.key] = known
        for key in before:
            for metric in (self.metrics.inventory_fresh, self.metrics.inventory_at):
                with contextlib.suppress(KeyError):
                    metric.remove(*key)

    def snapshot(self) -> MirrorHealth:
        """Returns the health now."""
        return MirrorHealth(
            events=EventsHealth(
                connected=self._events.ok,
                reason=self._events.reason,
                message=self._events.message,
                since=self._events.since,
                redrive=self.redrive,
                refused=self._unknown_accounts_now(),
            ),
            kubernetes=self._kubernetes,
            inventories=tuple(
                InventoryHealth(
                    account=entry.served.key.account,
                    region=entry.served.key.region,
                    enabled=entry.served.inventory,
                    fresh=entry.connection.ok,
                    reason=entry.connection.reason,
                    message=entry.connection.message,
                    since=entry.connection.since,
                    last_complete=entry.last_complete,
                    tried=entry.tried,
                )
                for entry in self._inventories.values()
            ),
        )

    def set_events(self, *, ok: bool, reason: str, message: str = "", now: datetime) -> None:
        """Records the health of the queue."""
        self._events = self._updated(self._events, "events", ok=ok, reason=reason, message=message, now=now)
        self.metrics.events_connected.set(ok)

    def set_kubernetes(self, *, ok: bool, reason: str, message: str = "", now: datetime) -> None:
        """Records the health of the Kubernetes API."""
        self._kubernetes = self._updated(self._kubernetes, "kubernetes", ok=ok, reason=reason, message=message, now=now)

    def set_inventory(self, served: ServedRegion, *, ok: bool, reason: str, message: str = "", now: datetime) -> None:
        """Records the result of one inventory."""
        entry = self._inventories.get(served.key)
        if entry is None:
            return  # it was taken out of the settings while EC2 was asked
        entry.connection = self._updated(
            entry.connection, f"inventory {served}", ok=ok, reason=reason, message=message, now=now
        )
        entry.tried = True
        if ok:
            entry.last_complete = now
            self.metrics.inventory_at.labels(*served.key).set(now.timestamp())
        self.metrics.inventory_fresh.labels(*served.key).set(ok)
        self.metrics.inventories.labels(*served.key, reason).inc()

    def _unknown_accounts_now(self) -> tuple[UnknownAccount, ...]:
        unknown = self.unknown_accounts.current()
        self.metrics.refused_sources.set(len(unknown))
        return unknown

    def _updated(
        self, before: ConnectionHealth, what: str, *, ok: bool, reason: str, message: str, now: datetime
    ) -> ConnectionHealth:
        if (before.ok, before.reason) == (ok, reason):
            # AWS puts something new into each message. Keeping the first one keeps the status unchanged.
            return before
        if ok:
            self.log.info("works", what=what, reason=reason)
        else:
            self.log.warning("fails", what=what, reason=reason, message=message)
        return ConnectionHealth(ok=ok, reason=reason, message=message, since=before.since if before.ok == ok else now)
