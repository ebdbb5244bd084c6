"""Tracks the health of the queue, of each inventory, and of the Kubernetes API.

Conditions, metrics and probes are all made from `MirrorHealth`, so they agree. Only changes are logged: an outage is
one line when it begins and one when it ends.
"""

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from structlog.typing import FilteringBoundLogger

from seatpool.api.base import format_duration
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.mirror.regions import AccountRegion, Place
from seatpool.mirror.unknown_accounts import UnknownAccount, UnknownAccounts

NOT_YET = "NotYetTried"
EVENTS_ONLY = "EventsOnly"
NO_QUEUE = "NoQueue"
OVERDUE = "Overdue"
"""No inventory has come to its end for too long, for whatever reason."""


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
    seen_instead: str = ""
    """What EC2 shows in a region without any workbench. Empty: there are workbenches, or it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorHealth:
    """Health of the whole mirror at one time."""

    events: EventsHealth
    kubernetes: ConnectionHealth
    inventories: tuple[InventoryHealth, ...]
    tags: str = ""
    """The tags that make a machine a workbench."""

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
    served: Place
    connection: ConnectionHealth
    last_complete: datetime | None = None
    tried: bool = False
    seen_instead: str = ""
    began_at: datetime | None = None
    waits_since: float | None = None
    """Monotonic time since which a complete inventory is waited for. None: inventories do not run."""
    overdue: bool = False

    @property
    def fresh(self) -> bool:
        return self.connection.ok and not self.overdue


@dataclass
class HealthBoard:
    """Collects the health of the mirror's parts. Each part writes its own."""

    log: FilteringBoundLogger
    metrics: MirrorMetrics
    unknown_accounts: UnknownAccounts
    now: datetime
    has_queue: bool
    max_inventory_age: timedelta
    tags: str = ""
    monotonic: Callable[[], float] = time.monotonic
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

    def set_regions(self, regions: Iterable[Place], *, now: datetime) -> None:
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
            inventories=tuple(self._inventory_health(entry) for entry in self._inventories.values()),
            tags=self.tags,
        )

    def inventories_begin(self, served: Place, *, now: datetime) -> None:
        """Records that a region's inventories run. From now on one has to come to its end now and then."""
        entry = self._inventories.get(served.key)
        if entry is None or entry.waits_since is not None:
            return
        entry.waits_since, entry.began_at = self.monotonic(), now
        # The age is looked at when the metric is read, so that nothing that hangs can keep it at 1.
        self.metrics.inventory_fresh.labels(*served.key).set_function(lambda: float(self._is_fresh(entry)))

    def set_events(self, *, ok: bool, reason: str, message: str = "", now: datetime) -> None:
        """Records the health of the queue."""
        self._events = self._updated(self._events, "events", ok=ok, reason=reason, message=message, now=now)
        self.metrics.events_connected.set(ok)

    def set_kubernetes(self, *, ok: bool, reason: str, message: str = "", now: datetime) -> None:
        """Records the health of the Kubernetes API."""
        self._kubernetes = self._updated(self._kubernetes, "kubernetes", ok=ok, reason=reason, message=message, now=now)

    def set_inventory(
        self,
        served: Place,
        *,
        ok: bool,
        reason: str,
        message: str = "",
        now: datetime,
        seen_instead: str = "",
    ) -> None:
        """Records the result of one inventory. `seen_instead`: see InventoryHealth."""
        entry = self._inventories.get(served.key)
        if entry is None:
            return  # it was taken out of the settings while EC2 was asked
        entry.connection = self._updated(
            entry.connection, f"inventory {served}", ok=ok, reason=reason, message=message, now=now
        )
        entry.tried = True
        if ok:
            entry.last_complete, entry.waits_since, entry.overdue = now, self.monotonic(), False
            entry.seen_instead = seen_instead
            self.metrics.inventory_at.labels(*served.key).set(now.timestamp())
        self.metrics.inventories.labels(*served.key, reason).inc()

    def _inventory_health(self, entry: _Inventory) -> InventoryHealth:
        fresh, connection, tried = self._is_fresh(entry), entry.connection, entry.tried
        if entry.overdue and (connection.ok or not tried):
            # A result that came meanwhile and is a failure has its own reason.
            age = format_duration(self.max_inventory_age)
            connection = ConnectionHealth(
                ok=False,
                reason=OVERDUE,
                message=f"no inventory has come to its end for more than {age}; see the log, and restart the operator",
                since=entry.last_complete or entry.began_at or connection.since,
            )
            tried = True
        return InventoryHealth(
            account=entry.served.key.account,
            region=entry.served.key.region,
            enabled=entry.served.inventory,
            fresh=fresh,
            reason=connection.reason,
            message=connection.message,
            since=connection.since,
            last_complete=entry.last_complete,
            tried=tried,
            seen_instead=entry.seen_instead,
        )

    def _is_fresh(self, entry: _Inventory) -> bool:
        if entry.waits_since is not None and not entry.overdue:
            entry.overdue = self.monotonic() - entry.waits_since > self.max_inventory_age.total_seconds()
            if entry.overdue:
                self.log.warning("fails", what=f"inventory {entry.served}", reason=OVERDUE)
        return entry.fresh

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
