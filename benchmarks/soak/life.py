"""Simulates users who start, stop and terminate workbenches in EC2, and records who needed what when."""

import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from seatpool.sim.aws_control import AwsControl
from seatpool.sim.fleet import Fleet

MOST = 60
"""Most workbenches that exist at the same time."""
REMEMBERED = 60.0
"""Seconds that EC2 still knows a terminated workbench. In reality it is about an hour."""


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """Facts about a pool that the checker needs."""

    product: str
    server: int
    seats: int
    type: str


def login_of(user: str) -> str:
    """Returns the owner tag of a user's workbenches. The owner mapping file has the user of each."""
    return f"{user}-login"


class Record:
    """Records since when, and until when, each user had an active workbench of a type. Safe for other threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._idle_since: dict[tuple[str, str], float] = {}

    def started(self, user: str, kind: str, instance: str) -> None:
        """Records a start. Called before the request to EC2, so that no operator can be early."""
        with self._lock:
            self._active[user, kind].add(instance)
            self._idle_since.pop((user, kind), None)

    def stopped(self, user: str, kind: str, instance: str) -> None:
        """Records a stop. Called after the request to EC2."""
        with self._lock:
            self._active[user, kind].discard(instance)
            if not self._active[user, kind]:
                self._idle_since[user, kind] = time.time()

    def needs(self, kind: str) -> frozenset[str]:
        with self._lock:
            return frozenset(user for (user, of), instances in self._active.items() if of == kind and instances)

    def idle_since(self, user: str, kind: str) -> float:
        """Returns when the user's last workbench stopped. Infinity: one is active. 0: there never was one."""
        with self._lock:
            if self._active.get((user, kind)):
                return inf
            return self._idle_since.get((user, kind), 0.0)


class Life:
    """Simulates the users, one step at a time."""

    def __init__(
        self,
        fleet: Fleet,
        control: AwsControl,
        record: Record,
        *,
        people: Sequence[str],
        types: Sequence[str],
        rng: random.Random,
    ) -> None:
        self.steps = 0
        self._fleet = fleet
        self._control = control
        self._record = record
        self._people = people
        self._types = types
        self._rng = rng
        self._running: dict[str, tuple[str, str]] = {}
        self._stopped: dict[str, tuple[str, str]] = {}
        self._terminated: deque[tuple[float, str]] = deque()

    def step(self) -> None:
        """Changes one workbench."""
        self.steps += 1
        self._forget()
        existing = len(self._running) + len(self._stopped)
        choice = self._rng.random()
        if existing < MOST and (choice < 0.4 or not self._running):
            self._start()
        elif choice < 0.55 and self._stopped:
            self._start_again()
        elif choice < 0.85 and self._running:
            self._stop()
        elif self._running or self._stopped:
            self._terminate()

    def _start(self) -> None:
        user, kind = self._rng.choice(self._people), self._rng.choice(self._types)
        self._record.started(user, kind, "new")
        instance = self._fleet.start(login_of(user), kind)
        self._record.started(user, kind, instance)
        self._record.stopped(user, kind, "new")
        self._running[instance] = (user, kind)

    def _start_again(self) -> None:
        instance = self._pick(self._stopped)
        user, kind = self._running[instance] = self._stopped.pop(instance)
        self._record.started(user, kind, instance)
        self._fleet.start_again(instance)

    def _stop(self) -> None:
        instance = self._pick(self._running)
        user, kind = self._stopped[instance] = self._running.pop(instance)
        self._fleet.stop(instance)
        self._record.stopped(user, kind, instance)

    def _terminate(self) -> None:
        from_ = self._running if self._running and (self._rng.random() < 0.5 or not self._stopped) else self._stopped
        instance = self._pick(from_)
        user, kind = from_.pop(instance)
        self._fleet.terminate(instance)
        self._terminated.append((time.monotonic(), instance))
        self._record.stopped(user, kind, instance)

    def _forget(self) -> None:
        now = time.monotonic()
        while self._terminated and now - self._terminated[0][0] > REMEMBERED:
            self._control.forget_instances(self._terminated.popleft()[1])

    def _pick(self, among: Mapping[str, object]) -> str:
        return self._rng.choice(sorted(among))
