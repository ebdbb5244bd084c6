"""Tells the objects of the cluster that are workbenches whether their owner has every seat.

The value is that of the seat tag, and follows from the status of the Workbench alone. A Pod may be scheduled when its owner
has every seat, and also if no pool serves it, because then there is nothing to wait for.
"""

from collections.abc import Callable
from dataclasses import dataclass

from seatpool.api.reasons import ConditionReason
from seatpool.cache.store import Store, StoreHandler, WorkbenchView
from seatpool.control.sinks.seat_tags import SeatTagValue, is_current, seat_tag_value
from seatpool.mirror.kubernetes.seat_writer import SeatNote


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatNoteSink(StoreHandler):
    """Requests what each object should say from the status of its Workbench."""

    store: Store
    set_note: Callable[[str, SeatNote], None]
    """Requests what the object of this reference should say."""
    drop_note: Callable[[str], None]
    """Drops the request for an object that is gone."""

    def start(self) -> None:
        """Subscribes to the cache and requests the notes of all workbenches in it."""
        self.store.subscribe(self)
        for view in self.store.workbenches.values():
            self.workbench_upserted(view)

    def workbench_upserted(self, view: WorkbenchView) -> None:
        """Requests the note, if the status is current."""
        if view.object_reference is None or not is_current(view):
            return
        value = seat_tag_value(view)
        reason = next((one.reason for one in view.conditions if one.type == "Ready"), None)
        opens = value is SeatTagValue.READY or reason == ConditionReason.NO_POOL
        self.set_note(view.object_reference, SeatNote(view.fact.owner, value, opens, view.generation))

    def workbench_deleted(self, view: WorkbenchView) -> None:
        """Drops the request."""
        if view.object_reference is not None:
            self.drop_note(view.object_reference)
