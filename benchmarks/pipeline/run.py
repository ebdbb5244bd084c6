"""Plays a workload to the pipeline on a virtual clock: the same functions, and minutes that pass when nothing happens.

A command takes on the virtual clock what real commands to the stand-in took at the begin of the run. At the end every
product's list is sent for real. The wrong lists are those that the license server has then.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.pipeline.functions import Functions
from benchmarks.pipeline.license_server import RealServer
from benchmarks.pipeline.tables import InMemory, Tables
from benchmarks.workloads import Event, Truth, Workload

MINUTE = 60.0
TRIED = 15


@dataclass(frozen=True, slots=True)
class PipelineResult:
    """Result of one run."""

    latencies: tuple[float, ...]
    """Seconds from each start that changes a list until its user is on it."""
    commands: Counter[int]
    """SSM commands by the minute at whose end they were sent, counted from the epoch."""
    calls: int
    wrong: tuple[str, ...]
    """Products whose final list is wrong."""


def command_seconds(server: RealServer) -> float:
    """Returns the seconds of one command, from sending to the server's own journal."""
    users = [f"user{number}" for number in range(60)]
    return median(server.send("calibration", users[: 40 + number]) for number in range(TRIED))


def play(
    workload: Workload, events: Sequence[Event], server: RealServer, *, seconds: float, tables: Tables | None = None
) -> PipelineResult:
    """Plays events, possibly damaged. The expected lists are those of the undamaged workload."""
    tables = tables or InMemory(workload.all_products)
    lists: dict[str, tuple[str, ...]] = {}
    functions = Functions(workload.products, tables, lambda product, users: lists.__setitem__(product, tuple(users)))
    pending: dict[tuple[str, str], float] = {}
    latencies: list[float] = []
    commands: Counter[int] = Counter()
    starts = _list_changing(workload)

    def tick(minute: int) -> None:
        now = (minute + 1) * MINUTE
        due = functions.tick()
        commands[minute] += len(due)
        for product in due:
            for user in lists[product]:
                since = pending.pop((product, user), None)
                if since is not None:
                    latencies.append(now + seconds - since)

    minute = int(events[0].at // MINUTE)
    clock = events[0].at
    for event in events:
        clock = max(clock, event.at)
        while minute < int(clock // MINUTE):
            tick(minute)
            minute += 1
        functions.count(event)
        for product, comes in starts.get(event, ()):
            if comes:
                pending.setdefault((product, event.user), event.at)
            else:
                pending.pop((product, event.user), None)
    tick(minute)
    return PipelineResult(tuple(latencies), commands, tables.calls + commands.total(), _wrong(workload, lists, server))


def _list_changing(workload: Workload) -> dict[Event, list[tuple[str, bool]]]:
    truth = Truth(workload)
    return {event: truth.apply_event(event) for event in workload.events}


def _wrong(workload: Workload, lists: dict[str, tuple[str, ...]], server: RealServer) -> tuple[str, ...]:
    truth = Truth(workload)
    for event in workload.events:
        truth.apply_event(event)
    for product in workload.all_products:
        server.send(product, lists.get(product, ()))
    return tuple(product for product in workload.all_products if server.users(product) != truth.users(product))
