"""Simulates users: starts and stops instances in EC2, and posts the events about them.

The judge gets every event, as EventBridge makes it.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

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

    def start(self, owner: str, workbench_type: str, *, tags: Mapping[str, str] | None = None) -> str:
        """Starts a new workbench, perhaps with more tags, and returns its instance id."""
        instance = self._fleet.start(owner, workbench_type, tags=tags)
        self._running[instance] = (owner, workbench_type)
        self._note(instance, owner, workbench_type, "running")
        return instance

    def stop(self, instance: str, *, forward: Callable[[dict[str, Any]], dict[str, Any]] | None = None) -> None:
        """Stops a workbench. `forward` makes another event of each."""
        owner, workbench_type = self._running.pop(instance)
        self._fleet.stop(instance, forward=forward)
        self._note(instance, owner, workbench_type, "stopped")

    def terminate(self, instance: str) -> None:
        owner, workbench_type = self._running.pop(instance)
        self._fleet.terminate(instance)
        self._note(instance, owner, workbench_type, "terminated")

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
