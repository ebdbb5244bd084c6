"""People at their workbenches: instances that really exist in EC2, and events that say so.

Whatever is done is also told to the judge, as the event that EventBridge makes of it.
"""

import time
from datetime import UTC, datetime

from seatpool.sim.demo.event_file import WorkbenchEvent
from seatpool.sim.demo.known import Known
from seatpool.sim.fleet import Fleet

__all__ = ["People"]


class People:
    """Who works on what. Belongs to one thread."""

    def __init__(self, fleet: Fleet, known: Known) -> None:
        self._fleet = fleet
        self._known = known
        self._running: dict[str, tuple[str, str]] = {}

    @property
    def running(self) -> dict[str, tuple[str, str]]:
        """Owner and type by instance."""
        return dict(self._running)

    def start(self, owner: str, workbench_type: str) -> str:
        """A new workbench; its instance id."""
        instance = self._fleet.start(owner, workbench_type)
        self._running[instance] = (owner, workbench_type)
        self._note(instance, owner, workbench_type, "running")
        return instance

    def stop(self, instance: str) -> None:
        owner, workbench_type = self._running.pop(instance)
        self._fleet.stop(instance)
        self._note(instance, owner, workbench_type, "stopped")

    def stop_one_of(self, owner: str) -> None:
        """One of the workbenches that somebody has."""
        self.stop(next(instance for instance, (who, _) in self._running.items() if who == owner))

    def repeat_start(self, instance: str, *, times: int) -> None:
        """The same event again and again, as a queue may deliver it."""
        event = self._fleet.event(instance, "running")
        self._fleet.post([event] * times)

    def _note(self, instance: str, owner: str, workbench_type: str, state: str) -> None:
        event = WorkbenchEvent(
            instance=instance,
            account=self._fleet.account,
            region=self._fleet.region,
            at=datetime.now(UTC),
            state=state,
            owner=owner,
            type=workbench_type,
        )
        self._known.add(event, time.time())
