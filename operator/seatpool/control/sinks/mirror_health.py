"""Reports the health of the mirror: as Events on every LicenseServer, and in its status.

An outage of EC2 changes no list. So reconcilers are only woken to write the status.
"""

import asyncio
from dataclasses import dataclass, field

from seatpool.api.base import format_instant
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import EventReason, message
from seatpool.cache.store import Store
from seatpool.control.sinks.event_recorder import EventRecorder
from seatpool.control.state.server_view import ConditionParts
from seatpool.control.status.mirror import describe_inventory, mirror_parts, stale_inventories
from seatpool.mirror.health import NOT_YET, MirrorHealth
from seatpool.mirror.mirror import Mirror

INTERVAL = 1.0
"""Seconds between two checks."""


@dataclass(kw_only=True)
class MirrorHealthSink:
    """Compares the mirror's health with that of the last check, once a second."""

    mirror: Mirror
    store: Store
    recorder: EventRecorder
    _parts: tuple[ConditionParts, ...] = ()
    _stale: dict[str, str] = field(default_factory=dict)
    """Start of the outage of each stale region, by `account/region`."""
    _disconnected: bool = False
    _refused: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Runs until cancelled."""
        while True:
            self.check()
            await asyncio.sleep(INTERVAL)

    def check(self) -> None:
        """Posts an Event for each change, and wakes the reconcilers if a condition changed."""
        health = self.mirror.health
        self._report_inventories(health)
        self._report_events(health)
        parts = mirror_parts(health)
        if parts != self._parts:
            self._parts = parts
            for key in self.store.servers:
                self.store.wake_server(key)

    def _report_inventories(self, health: MirrorHealth) -> None:
        now = {f"{one.account}/{one.region}": one for one in stale_inventories(health)}
        for place, one in now.items():
            if place not in self._stale:
                self._warn(EventReason.INVENTORY_STALE, region=describe_inventory(one))
        listed = {f"{one.account}/{one.region}" for one in health.inventories}
        for place, since in self._stale.items():
            if place not in now and place in listed:
                self._recovered(EventReason.INVENTORY_RECOVERED, region=place, since=since)
        self._stale = {place: format_instant(one.since) for place, one in now.items()}

    def _report_events(self, health: MirrorHealth) -> None:
        events = health.events
        disconnected = not events.connected and events.reason != NOT_YET
        if disconnected and not self._disconnected:
            self._warn(EventReason.EVENTS_DISCONNECTED, fault=events.reason, error=events.message)
        elif self._disconnected and not disconnected:
            self._recovered(EventReason.EVENTS_RECONNECTED)
        self._disconnected = disconnected
        refused = frozenset(map(str, events.refused))
        for place in sorted(refused - self._refused):
            self._warn(EventReason.EVENTS_REFUSED, account=place)
        self._refused = refused

    def _warn(self, reason: EventReason, **values: object) -> None:
        for server in self.store.servers.values():
            self.recorder.warning(LicenseServer, server.metadata, reason, message(reason, **values))

    def _recovered(self, reason: EventReason, **values: object) -> None:
        for server in self.store.servers.values():
            self.recorder.normal(LicenseServer, server.metadata, reason, message(reason, **values))
