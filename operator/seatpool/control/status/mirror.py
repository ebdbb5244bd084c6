"""Renders two conditions of every LicenseServer from the health of the mirror: InventoryFresh and EventsConnected.

All lists follow from workbenches. An outage of EC2 or of the queue changes no list, so nothing else would show it. A message
says where, why and since when. It does not change with each retry, because each change would be a write of the status.
"""

from seatpool.api.base import format_instant
from seatpool.api.reasons import ConditionReason
from seatpool.control.state.server_view import ConditionParts
from seatpool.control.status.condition_parts import parts
from seatpool.mirror.health import NOT_YET, InventoryHealth, MirrorHealth

INVENTORY = "InventoryFresh"
EVENTS = "EventsConnected"
MAX_NAMED = 6
"""Regions or accounts that a message names."""
MAX_REGIONS_SEEN = 2
"""Regions without workbenches of which a message tells what is there instead."""
MAX_TAGS = 400
"""Characters of the names of the tags."""
MAX_ERROR = 200
"""Characters of an error in a message."""


def mirror_parts(health: MirrorHealth) -> tuple[ConditionParts, ...]:
    """Returns both conditions."""
    return _inventory(health), _events(health)


def stale_inventories(health: MirrorHealth) -> tuple[InventoryHealth, ...]:
    """Returns the regions whose last inventory failed."""
    return tuple(one for one in health.inventories if one.enabled and one.tried and not one.fresh)


def describe_inventory(one: InventoryHealth) -> str:
    """Returns where, since when and why an inventory is stale."""
    error = one.message if len(one.message) <= MAX_ERROR else f"{one.message[:MAX_ERROR]}..."
    return f"{one.account}/{one.region} since {format_instant(one.since)} ({one.reason}: {error})"


def _inventory(health: MirrorHealth) -> ConditionParts:
    enabled = [one for one in health.inventories if one.enabled]
    if not enabled:
        return parts(INVENTORY, True, ConditionReason.NO_ACCOUNTS)
    failed = stale_inventories(health)
    if failed:
        shown = "; ".join(map(describe_inventory, failed[:MAX_NAMED]))
        more = f"; and {len(failed) - MAX_NAMED} more" if len(failed) > MAX_NAMED else ""
        return parts(INVENTORY, False, ConditionReason.INVENTORY_STALE, regions=f"{shown}{more}")
    if not all(one.tried for one in enabled):
        return parts(INVENTORY, None, ConditionReason.INVENTORY_PENDING)
    if all(one.seen_instead for one in enabled):
        places = [f"in {one.account}/{one.region} {one.seen_instead}" for one in enabled[:MAX_REGIONS_SEEN]]
        rest = [f"and {len(enabled) - MAX_REGIONS_SEEN} more regions"] if len(enabled) > MAX_REGIONS_SEEN else []
        return parts(
            INVENTORY, True, ConditionReason.NOTHING_TAGGED,
            tags=health.tags[:MAX_TAGS], regions="; ".join(places + rest),
        )  # fmt: skip
    return parts(INVENTORY, True, ConditionReason.INVENTORY_COMPLETE)


def _events(health: MirrorHealth) -> ConditionParts:
    events = health.events
    if not events.connected:
        if events.reason == NOT_YET:
            return parts(EVENTS, None, ConditionReason.EVENTS_PENDING)
        return parts(
            EVENTS, False, ConditionReason.EVENTS_DISCONNECTED,
            since=format_instant(events.since), fault=events.reason, error=events.message[:MAX_ERROR],
        )  # fmt: skip
    if events.refused:
        shown = ", ".join(f"{one} since {format_instant(one.since)}" for one in events.refused[:MAX_NAMED])
        return parts(EVENTS, True, ConditionReason.EVENTS_REFUSED, accounts=shown)
    if events.reason == ConditionReason.NO_QUEUE:
        return parts(EVENTS, True, ConditionReason.NO_QUEUE)
    return parts(EVENTS, True, ConditionReason.EVENTS_CONNECTED)
