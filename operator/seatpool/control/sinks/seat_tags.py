"""What a workbench's own machine may be told: come in, wait, or do not wait.

It is read from the Workbench as the API server has it, and from nowhere else. Its condition Ready is true only after the list
was pushed and read back, so a program that waits for the word on its machine never starts the tool into a denial.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from seatpool.api.reasons import ConditionReason
from seatpool.api.workbench import SeatPhase
from seatpool.cache.store import Store, WorkbenchView

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
class SeatTagSink:
    """From the store to the instances."""

    store: Store
    wish: Callable[[Place, str, str | None], None]
    forget: Callable[[Place, str], None]

    def attach(self) -> None:
        """Be told of every workbench from now on, and look at those that are there already."""
        self.store.on_workbench = self._seen
        self.store.on_workbench_gone = self._gone
        for view in self.store.workbenches.values():
            self._seen(view)

    def _seen(self, view: WorkbenchView) -> None:
        if is_current(view):
            self.wish(view.place, view.instance_id, seat_word(view))

    def _gone(self, view: WorkbenchView) -> None:
        self.forget(view.place, view.instance_id)
