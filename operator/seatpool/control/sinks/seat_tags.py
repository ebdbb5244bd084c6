"""What a workbench's own machine may be told: come in, wait, or do not wait.

It is read from the Workbench as the API server has it, and from nowhere else. Its condition Ready is true only after the list
was pushed and read back, so a program that waits for the word on its machine never starts the tool into a denial.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from seatpool.api.reasons import ConditionReason
from seatpool.api.workbench import SeatPhase
from seatpool.cache.store import Store, StoreHandler, WorkbenchView

Place = tuple[str, str]


class SeatWord(StrEnum):
    """The values of the tag."""

    READY = "ready"
    WAITING = "waiting"
    DENIED = "denied"


def is_current(view: WorkbenchView) -> bool:
    """Whether its status speaks of what it is now; until it does, the last word stands."""
    return view.observed_generation == view.generation


def seat_word(view: WorkbenchView) -> SeatWord | None:
    """The word for a workbench, or None when there is nothing to say: it is not active, or no pool serves it."""
    ready = next((one for one in view.conditions if one.type == "Ready"), None)
    if ready is None:
        return None
    if ready.reason == ConditionReason.ALL_ASSIGNED:
        return SeatWord.READY
    if ready.reason != ConditionReason.SOME_WAIT:
        return None
    denied = any(seat.phase is SeatPhase.DENIED for seat in view.status.seats)
    return SeatWord.DENIED if denied else SeatWord.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatTagSink(StoreHandler):
    """Wishes for the seat tag of each instance what its Workbench says."""

    store: Store
    wish: Callable[[Place, str, str | None], None]
    forget: Callable[[Place, str], None]

    def start(self) -> None:
        """Follows every workbench from now on, and those that are there already."""
        self.store.subscribe(self)
        for view in self.store.workbenches.values():
            self.workbench_upserted(view)

    def workbench_upserted(self, view: WorkbenchView) -> None:
        """Wishes the tag, if the status speaks of what the workbench is now."""
        if is_current(view):
            self.wish(view.place, view.instance_id, seat_word(view))

    def workbench_deleted(self, view: WorkbenchView) -> None:
        """Drops the wish."""
        self.forget(view.place, view.instance_id)
