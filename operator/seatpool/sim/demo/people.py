"""Simulates users: starts and stops instances in EC2, and posts the events about them.

The judge gets every event, as EventBridge makes it.
"""

import time
from datetime import UTC, datetime

from seatpool.sim.demo.event_file import WorkbenchEvent
from seatpool.sim.demo.expected_needs import ExpectedNeeds
from seatpool.sim.fleet import Fleet

__all__ = ["People"]


class People:
    """Users and their workbenches. Belongs to one thread."""

    def __init__(self, fleet: Fleet, expected: ExpectedNeeds) -> None:
        self._fleet = fleet
        self._expected = expected
        self._running: dict[str, tuple[str, str]] = {}

    @property
    def running(self) -> dict[str, tuple[str, str]]:
        """Owner and type by instance."""
        return dict(self._running)

    def start(self, owner: str, workbench_type: str) -> str:
        """Starts a new workbench and returns its instance id."""
        instance = self._fleet.start(owner, workbench_type)
        self._running[instance] = (owner, workbench_type)
        self._note(instance, owner, workbench_type, "running")
        return instance

    def stop(self, instance: str) -> None:
        owner, workbench_type = self._running.pop(instance)
        self._fleet.stop(instance)
        self._note(instance, owner, workbench_type, "stopped")

    def stop_one_of(self, owner: str) -> None:
        """Stops one of the workbenches of a user."""
        self.stop(next(instance for instance, (who, _) in self._running.items() if who == owner))

    def repeat_start(self, instance: str, *, times: int) -> None:
        """Posts the same event repeatedly, as a queue may deliver it."""
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
        self._expected.add(event, time.time())
