"""What the stories of the demo share: scenes in order, and waiting until their end can be seen."""

import time
from collections.abc import Callable, Iterable

from seatpool.sim.demo.expected_needs import ExpectedNeeds
from seatpool.sim.demo.monitor import Monitor
from seatpool.sim.demo.people import People
from seatpool.sim.demo.stage import Stage
from seatpool.sim.demo.view import View

__all__ = ["PATIENCE", "Scenes"]

PATIENCE = 20.0
BREATH = 1.2


class Scenes:
    """A story. It goes on after a scene whose end is not seen, and tells it in `faults`."""

    def __init__(self, stage: Stage, *, expected: ExpectedNeeds, people: People, monitor: Monitor, view: View) -> None:
        self.faults: list[str] = []
        """Scenes whose end did not become visible."""
        self._stage = stage
        self._expected = expected
        self._people = people
        self._monitor = monitor
        self._view = view

    def _play(self, scenes: Iterable[Callable[[], None]]) -> None:
        for scene in scenes:
            self._monitor.check()
            scene()
            time.sleep(BREATH)

    def _until_listed(self, product: str, *users: str) -> None:
        host = self._stage.lists
        wanted = ", ".join(users) or "nobody"
        self._until(f"the list of {product} is {wanted}", lambda: host.users(product) == users)

    def _until(self, what: str, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self._monitor.check()
            if time.monotonic() > deadline:
                self.faults.append(f"not within {PATIENCE:g} s: {what}")
                return
            time.sleep(0.05)

    def _waiting(self, pool: str) -> tuple[str, ...]:
        return next((row.queue for row in self._monitor.pools if row.name == pool), ())
