"""Replays a file of events against the running operator and judges the final lists of the license server."""

import re
import time
from collections.abc import Mapping
from datetime import timedelta
from threading import Thread
from typing import Any

from seatpool.api.base import format_duration
from seatpool.api.licensepool import MAX_SEATS
from seatpool.sim.demo.event_file import EventFile, Line
from seatpool.sim.demo.expected_needs import ExpectedNeeds, PoolFacts, user_of
from seatpool.sim.demo.monitor import Monitor
from seatpool.sim.demo.options import DemoError, ReplayOptions
from seatpool.sim.demo.pacing import Sender
from seatpool.sim.demo.stage import NAMESPACE, SERVER, Stage
from seatpool.sim.demo.verdict import final_faults
from seatpool.sim.demo.view import View

__all__ = ["pool_facts", "pool_objects", "prepare", "replay"]

PATIENCE = 60.0
REST = 1.0
"""Lists must stay right for so many seconds."""
PRODUCT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}")


def pool_facts(file: EventFile, seats: Mapping[str, int]) -> dict[str, PoolFacts]:
    """Returns a pool for each workbench type. Its product has the name of the type."""
    types = file.types()
    if unknown := sorted(seats.keys() - set(types)):
        raise DemoError(f"--seats {unknown[0]}: the file has no such workbench type; it has {', '.join(types)}")
    people: dict[str, set[str]] = {kind: set() for kind in types if PRODUCT.fullmatch(kind)}
    for event in file.events:
        if event.type in people and event.owner is not None and (user := user_of(event.owner)) is not None:
            people[event.type].add(user)
    return {
        kind: PoolFacts(seats=seats.get(kind, min(MAX_SEATS, len(users))), types=(kind,))
        for kind, users in people.items()
    }


def prepare(stage: Stage, file: EventFile, pools: Mapping[str, PoolFacts], *, linger: timedelta) -> None:
    """Creates everything that has to exist before the first event."""
    # In compressed time all users go home in the same second.
    stage.apply_license_server(guard={"maxReleasePercent": 100})
    for product, pool in pools.items():
        stage.lists.seats(product, pool.seats)
    stage.apply(pool_objects(pools, linger=format_duration(linger)))
    accounts = [
        {"account": account, "regions": list(regions), "inventory": False} for account, regions in file.places().items()
    ]
    # A file may be of any time, so its events are neither of the future nor late.
    stage.start_operator(accounts=accounts, receivers=4, future_tolerance="36500d", max_event_delay="36500d")


def pool_objects(pools: Mapping[str, PoolFacts], *, linger: str) -> list[dict[str, Any]]:
    """Returns the LicensePools, in the same order."""
    names = _names(pools)
    return [_pool(names[product], product, pool, linger=linger) for product, pool in pools.items()]


def replay(
    stage: Stage, file: EventFile, options: ReplayOptions, *, expected: ExpectedNeeds, monitor: Monitor, view: View
) -> list[str]:
    """Sends all lines and waits until the lists are right. Returns the faults apart from those of the lists."""
    sqs, queue_url = stage.site.client("sqs"), stage.site.queue_url
    sender = Sender(sqs, queue_url, speed=options.speed, sent=lambda line, at: _note(expected, line, at))
    failure: list[BaseException] = []

    def send() -> None:
        try:
            sender.send(file.lines)
        except Exception as error:  # noqa: BLE001
            failure.append(error)

    thread = Thread(target=send, name="sender", daemon=True)
    thread.start()
    while thread.is_alive():
        thread.join(timeout=0.25)
        monitor.check()
        view.progress(_progress(sender, file, expected, monitor))
    if failure:
        raise failure[0]
    view.tell(f"all {len(file.lines):,} lines are sent; waiting until every list is right")
    if _wait_for_rest(expected, monitor, patience=PATIENCE + options.linger_here.total_seconds(), view=view):
        return []
    return [f"{monitor.queue_depth} events were not handled"] if monitor.queue_depth else []


def _note(expected: ExpectedNeeds, line: Line, at: float) -> None:
    if line.event is not None:
        expected.add(line.event, at)


def _wait_for_rest(expected: ExpectedNeeds, monitor: Monitor, *, patience: float, view: View) -> bool:
    """Tells whether the queue was emptied and the lists became, and stayed, right in time."""
    deadline = time.monotonic() + patience
    right_since: float | None = None
    began = time.time()
    while time.monotonic() < deadline:
        monitor.check()
        drained = monitor.queue_checks.empty_since(began)
        right = drained and not any(
            final_faults(product, monitor.records[product].users, expected.needs(product), seats=pool.seats)
            for product, pool in expected.pools.items()
        )
        if not right:
            right_since = None
        elif right_since is None:
            right_since = time.monotonic()
        elif time.monotonic() - right_since >= REST:
            return True
        view.progress(f"{monitor.queue_depth} events in the queue; {'lists are right' if right else 'not right yet'}")
        time.sleep(0.1)
    return False


def _progress(sender: Sender, file: EventFile, expected: ExpectedNeeds, monitor: Monitor) -> str:
    clock = sender.now.strftime("%Y-%m-%d %H:%M") if sender.now is not None else "not begun"
    taken = ", ".join(
        f"{product} {len(monitor.records[product].users)}/{pool.seats}" for product, pool in expected.pools.items()
    )
    return (
        f"{sender.done:,} of {len(file.lines):,} lines sent, file clock {clock}; taken: {taken}; "
        f"{monitor.records.grants:,} given, {monitor.records.releases:,} taken back"
    )


def _names(pools: Mapping[str, PoolFacts]) -> dict[str, str]:
    """Returns a Kubernetes name for each product. Products that differ only in case get a number."""
    names: dict[str, str] = {}
    for product in pools:
        plain = re.sub(r"[^a-z0-9]+", "-", product.lower()).strip("-")
        name, number = plain, 1
        while name in names.values():
            number += 1
            name = f"{plain}-{number}"
        names[product] = name
    return names


def _pool(name: str, product: str, pool: PoolFacts, *, linger: str) -> dict[str, Any]:
    return {
        "apiVersion": "seatpool.io/v1alpha1",
        "kind": "LicensePool",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "serverRef": {"name": SERVER},
            "product": product,
            "seats": pool.seats,
            "workbenchTypes": list(pool.types),
            "linger": linger,
        },
    }
