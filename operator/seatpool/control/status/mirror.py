"""How current the workbenches are that every list follows from, in the words of a LicenseServer's conditions.

An outage of EC2 or of the queue changes no list, so nothing else would show it. Each message says where, why and since
when, and stays the same while that is the same: a status that changes with every retry would be written with every retry.
"""

from seatpool.api.base import format_instant
from seatpool.api.reasons import ConditionReason
from seatpool.control.state.server_view import ConditionParts
from seatpool.control.status.condition_parts import parts
from seatpool.mirror.health import NOT_YET, InventoryHealth, MirrorHealth

INVENTORY = "InventoryFresh"
EVENTS = "EventsConnected"
SHOWN = 6
LONGEST = 200


def mirror_parts(health: MirrorHealth) -> tuple[ConditionParts, ...]:
    """Both conditions."""
    return _inventory(health), _events(health)


def stale(health: MirrorHealth) -> tuple[InventoryHealth, ...]:
    """The regions that were asked in vain."""
    return tuple(one for one in health.inventories if one.enabled and one.tried and not one.fresh)


def told(one: InventoryHealth) -> str:
    """Where, since when and why."""
    why = one.message if len(one.message) <= LONGEST else f"{one.message[:LONGEST]}..."
    return f"{one.account}/{one.region} since {format_instant(one.since)} ({one.reason}: {why})"


def _inventory(health: MirrorHealth) -> ConditionParts:
    enabled = [one for one in health.inventories if one.enabled]
    if not enabled:
        return parts(INVENTORY, True, ConditionReason.NO_ACCOUNTS)
    failed = stale(health)
    if failed:
        shown = "; ".join(map(told, failed[:SHOWN]))
        more = f"; and {len(failed) - SHOWN} more" if len(failed) > SHOWN else ""
        return parts(INVENTORY, False, ConditionReason.INVENTORY_STALE, regions=f"{shown}{more}")
    if not all(one.tried for one in enabled):
        return parts(INVENTORY, None, ConditionReason.INVENTORY_PENDING)
    return parts(INVENTORY, True, ConditionReason.INVENTORY_COMPLETE)


def _events(health: MirrorHealth) -> ConditionParts:
    events = health.events
    if not events.connected:
        if events.reason == NOT_YET:
            return parts(EVENTS, None, ConditionReason.EVENTS_PENDING)
        return parts(
            EVENTS, False, ConditionReason.EVENTS_DISCONNECTED,
            since=format_instant(events.since), fault=events.reason, error=events.message[:LONGEST],
        )  # fmt: skip
    if events.refused:
        shown = ", ".join(f"{one} since {format_instant(one.since)}" for one in events.refused[:SHOWN])
        return parts(EVENTS, True, ConditionReason.EVENTS_REFUSED, accounts=shown)
    if events.reason == ConditionReason.NO_QUEUE:
        return parts(EVENTS, True, ConditionReason.NO_QUEUE)
    return parts(EVENTS, True, ConditionReason.EVENTS_CONNECTED)
