"""Sets the seat tag of an EC2 instance: ready, waiting or denied.

The value follows from the status of the Workbench alone, as the API server has it. Its condition Ready is true only after the
list was written and read back. So a program that waits for the tag on its machine never starts the tool into a denial.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from seatpool.api.reasons import ConditionReason
from seatpool.api.workbench import SeatPhase
from seatpool.cache.store import Store, StoreHandler, WorkbenchView

Place = tuple[str, str]


class SeatTagValue(StrEnum):
    """Values of the seat tag."""

    READY = "ready"
    WAITING = "waiting"
    DENIED = "denied"


def is_current(view: WorkbenchView) -> bool:
    """Whether the status was computed from the current spec. If not, the tag stays as it is."""
    return view.observed_generation == view.generation


def seat_tag_value(view: WorkbenchView) -> SeatTagValue | None:
    """Returns the seat tag of a workbench. None: no tag, because it is not active or no pool serves it."""
    ready = next((one for one in view.conditions if one.type == "Ready"), None)
    if ready is None:
        return None
    if ready.reason == ConditionReason.ALL_ASSIGNED:
        return SeatTagValue.READY
    if ready.reason in (ConditionReason.DENIED, ConditionReason.NOT_LISTABLE):
        return SeatTagValue.DENIED
    if ready.reason != ConditionReason.SOME_WAIT:
        return None
    # Before the reason Denied there was SomeWait only.
    denied = any(seat.phase is SeatPhase.DENIED for seat in view.status.seats)
    return SeatTagValue.DENIED if denied else SeatTagValue.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatTagSink(StoreHandler):
    """Requests the seat tag of each instance from the status of its Workbench."""

    store: Store
    set_tag: Callable[[Place, str, str | None], None]
    """Requests the tag of an instance. None: the instance should have none."""
    drop_tag: Callable[[Place, str], None]
    """Drops the request for an instance that is gone."""

    def start(self) -> None:
        """Subscribes to the cache and requests the tags of all workbenches in it."""
        self.store.subscribe(self)
        for view in self.store.workbenches.values():
            self.workbench_upserted(view)

    def workbench_upserted(self, view: WorkbenchView) -> None:
        """Requests the tag, if the status is current."""
        instance = _instance(view)
        if instance is not None and is_current(view):
            self.set_tag(*instance, seat_tag_value(view))

    def workbench_deleted(self, view: WorkbenchView) -> None:
        """Drops the request."""
        instance = _instance(view)
        if instance is not None:
            self.drop_tag(*instance)


def _instance(view: WorkbenchView) -> tuple[Place, str] | None:
    """Returns where an EC2 instance is, and its id. None: the workbench is no EC2 instance."""
    if view.instance_id is None or view.account is None or view.region is None:
        return None
    return (view.account, view.region), view.instance_id
