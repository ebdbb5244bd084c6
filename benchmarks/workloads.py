"""Creates the workloads of both sides: a month of a real lab, and two working days of a large site.

Both are files of the same custom events in time order. Every number of a workload follows from its seed.
"""

import gzip
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.site import ACCOUNT, REGION, Body
from seatpool.sim.envelopes import workbench_event

TRACE = Path(__file__).resolve().parents[1] / "examples" / "events-matlab-lab.jsonl.gz"
MONDAY = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Event:
    """Start or stop of a workbench."""

    at: float
    instance: str
    user: str
    type: str
    starts: bool

    def envelope(self) -> Body:
        return workbench_event(
            instance_id=self.instance,
            state="running" if self.starts else "stopped",
            at=datetime.fromtimestamp(self.at, UTC),
            account=ACCOUNT,
            region=REGION,
            owner=self.user,
            type=self.type,
        )


@dataclass(frozen=True, slots=True)
class Workload:
    """Events, and the products on each workbench type."""

    name: str
    events: tuple[Event, ...]
    products: Mapping[str, tuple[str, ...]]

    @property
    def all_products(self) -> tuple[str, ...]:
        return tuple(sorted({product for products in self.products.values() for product in products}))

    def changing(self, events: Iterable[Event]) -> frozenset[Event]:
        """Returns those of these events, in order from the beginning, that change a list."""
        truth = Truth(self)
        return frozenset(event for event in events if truth.apply_event(event))

    def types_of(self, product: str) -> list[str]:
        return sorted(kind for kind, products in self.products.items() if product in products)


class Truth:
    """Needs of the users after some of the events, in order and undamaged."""

    def __init__(self, workload: Workload) -> None:
        self._products = workload.products
        self._active: dict[str, Event] = {}
        self._needs: dict[str, dict[str, set[str]]] = {product: {} for product in workload.all_products}

    def apply_event(self, event: Event) -> list[tuple[str, bool]]:
        """Applies an event and returns the products whose list it changes, and whether its user comes on."""
        before = self._active.pop(event.instance, None)
        changed = []
        for product in self._products[event.type]:
            instances = self._needs[product].setdefault(event.user, set())
            was_on = bool(instances)
            instances.discard(event.instance)
            if event.starts:
                instances.add(event.instance)
            if bool(instances) != was_on:
                changed.append((product, event.starts))
            if not instances:
                del self._needs[product][event.user]
        if before is not None and before.user != event.user:
            raise ValueError(f"{event.instance} has two owners: {before.user} and {event.user}")
        if event.starts:
            self._active[event.instance] = event
        return changed

    def users(self, product: str) -> tuple[str, ...]:
        return tuple(sorted(self._needs[product]))

    @property
    def running(self) -> list[Event]:
        return list(self._active.values())


def trace(products: int) -> Workload:
    """Returns the lab's month, with its one type on so many products."""
    with gzip.open(TRACE, "rt") as file:
        events = [_of_envelope(json.loads(line)) for line in file]
    names = tuple(f"lab{products}-{number}" for number in range(products))
    return Workload(f"lab, {products} product{'s' if products > 1 else ''}", _in_order(events), {events[0].type: names})


def site(*, seed: int = 7, users: int = 3_000, products: int = 40, types: int = 12, days: int = 2) -> Workload:
    """Returns two days of a site. Users come around nine and go around half past five.

    Some go to lunch, some stay away, some forget to stop.
    """
    rng = random.Random(seed)
    names = [f"product-{number:02}" for number in range(products)]
    on_type = {f"vew-{number}": tuple(sorted(rng.sample(names, rng.randint(3, 8)))) for number in range(types)}
    missing = sorted(set(names) - {name for chosen in on_type.values() for name in chosen})
    for number, name in enumerate(missing):
        kind = sorted(on_type, key=lambda kind: (len(on_type[kind]), kind))[number % 3]
        on_type[kind] = tuple(sorted((*on_type[kind], name)))
    events: list[Event] = []
    for number in range(users):
        kind = rng.choice(sorted(on_type))
        instance, user = f"i-{rng.getrandbits(68):017x}", f"user{number:04}"
        runs = False
        for day in range(days):
            if rng.random() < 0.25:
                continue
            midnight = MONDAY + 24 * HOUR * day
            came = midnight + HOUR * rng.gauss(9.0, 0.6)
            went = midnight + HOUR * rng.gauss(17.5, 0.8)
            turns = [(came, True), (went, False)]
            if rng.random() < 0.2:
                noon = midnight + HOUR * rng.gauss(12.2, 0.3)
                turns[1:1] = [(noon, False), (noon + HOUR * rng.uniform(0.4, 1.1), True)]
            if rng.random() < 0.04:
                turns.pop()
            for at, starts in sorted(turns):
                if starts != runs:
                    events.append(Event(round(at, 3), instance, user, kind, starts))
                    runs = starts
    return Workload(f"site, {products} products", _in_order(events), on_type)


def damaged(events: Sequence[Event], share: float, rng: random.Random) -> list[Event]:
    """Damages the events: of each hundred so many are lost, as many come twice, and as many are swapped with the next."""
    kept: list[Event] = []
    for event in events:
        if rng.random() >= share:
            kept.append(event)
            if rng.random() < share:
                kept.append(event)
    for index in range(len(kept) - 1):
        if rng.random() < share:
            kept[index], kept[index + 1] = kept[index + 1], kept[index]
    return kept


def _of_envelope(envelope: Body) -> Event:
    detail = envelope["detail"]
    return Event(
        at=datetime.fromisoformat(envelope["time"]).timestamp(),
        instance=detail["instance-id"],
        user=detail["user-id"],
        type=detail["workbench-type"],
        starts=detail["workbench-state"] == "running",
    )


def _in_order(events: list[Event]) -> tuple[Event, ...]:
    return tuple(sorted(events, key=lambda event: event.at))
