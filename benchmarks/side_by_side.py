"""Compares the operator with the pipeline that it replaces: latency, commands, and wrong lists after damaged events."""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import ours
from benchmarks.ours import Lists, Player, WorkloadResult, settings
from benchmarks.pipeline import run as pipeline
from benchmarks.pipeline.license_server import RealServer
from benchmarks.site import ACCOUNT, REGION, Place
from benchmarks.windows import Window, choose
from benchmarks.workloads import Event, Truth, Workload, damaged, site, trace
from seatpool.sim.aws import AwsProcess
from seatpool.sim.fleet import Fleet
from seatpool.sim.posting import DeliveryFaults

SHARES = (0.0, 0.01, 0.05)
RUSH = {"minInterval": "10m"}
"""Settings while events are sent as fast as possible: a list counts when no more events come."""
AFTER_A_RUSH = 1.5
"""Seconds after which a new pace applies. The operator checks for another `minInterval` once a second."""
AT_ONCE = 2
"""Damaged runs in parallel. Their time is not measured."""
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class WindowChoice:
    """Number of windows and of events in each. The seed decides where they are."""

    count: int
    length: int
    seed: int

    def at(self, events: Sequence[Event]) -> list[Window]:
        return choose(events, count=self.count, length=self.length, rng=random.Random(self.seed))


LOOKS = {"lab": WindowChoice(count=2, length=80, seed=7), "site": WindowChoice(count=2, length=28, seed=5)}
"""Most events of the lab change no list. At the site one window is in an evening and the other in a morning."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Latencies in seconds."""

    p50: float
    p95: float
    p99: float
    max: float
    count: int

    @classmethod
    def from_samples(cls, seconds: Iterable[float]) -> "Latency":
        ordered = sorted(seconds)

        def rank(share: float) -> float:
            return ordered[max(0, ceil(share * len(ordered)) - 1)]

        return cls(rank(0.5), rank(0.95), rank(0.99), ordered[-1], len(ordered))


@dataclass(frozen=True, slots=True)
class Side:
    """Results of one side for one workload."""

    latency: Latency
    commands: float
    """Commands per 1,000 events, in the windows."""
    calls: float
    """Requests to AWS per 1,000 events: ours in the windows, theirs over the whole workload."""
    wrong: tuple[int, ...]
    """Wrong final lists, for each of `SHARES`."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison for one workload."""

    workload: str
    events: int
    lists: int
    ours: Side
    theirs: Side


def measure(*, say: Say) -> list[Comparison]:
    return [*_compare((trace(1), trace(5)), say=say), *_compare((site(),), say=say)]


def _compare(together: Sequence[Workload], *, say: Say) -> list[Comparison]:
    """Compares workloads with the same events."""
    events = together[0].events
    windows = LOOKS[together[0].name.partition(",")[0]].at(events)
    theirs = _theirs(together, windows, say=say)
    mine = _ours(together, windows, say=say)
    return [
        Comparison(workload.name, len(events), len(workload.all_products), one, other)
        for workload, one, other in zip(together, mine, theirs, strict=True)
    ]


def _damage(events: Sequence[Event], share: float) -> Sequence[Event]:
    return damaged(events, share, random.Random(1000 * share)) if share else events


# -- the pipeline ------------------------------------------------------------------------------------------------------


def _theirs(together: Sequence[Workload], windows: Sequence[Window], *, say: Say) -> list[Side]:
    with TemporaryDirectory(prefix="seatpool-bench-") as directory, AwsProcess(Path(directory)) as aws:
        server = RealServer(aws)
        seconds = pipeline.command_seconds(server)
        say(f"one command of the pipeline takes {seconds * 1000:.0f} ms on the stand-in license server")
        return [_their_side(workload, windows, server, seconds) for workload in together]


def _their_side(workload: Workload, windows: Sequence[Window], server: RealServer, seconds: float) -> Side:
    outcomes = [pipeline.play(workload, _damage(workload.events, share), server, seconds=seconds) for share in SHARES]
    whole = outcomes[0]
    lived = sum(window.end - window.first for window in windows)
    commands = sum(whole.commands[minute] for window in windows for minute in window.minutes)
    return Side(
        latency=Latency.from_samples(whole.latencies),
        commands=1000 * commands / lived,
        calls=1000 * whole.calls / len(workload.events),
        wrong=tuple(len(outcome.wrong) for outcome in outcomes),
    )


# -- the operator ------------------------------------------------------------------------------------------------------


def _ours(together: Sequence[Workload], windows: Sequence[Window], *, say: Say) -> list[Side]:
    measured = [WorkloadResult() for _ in together]

    def run(share: float) -> list[int]:
        with Place(servers=len(together)) as place:
            return _run_once(place, together, windows, share, measured, say=say)

    whole = run(SHARES[0])
    with ThreadPoolExecutor(AT_ONCE) as beside:
        wrong = [whole, *beside.map(run, SHARES[1:])]
    return [
        Side(
            latency=Latency.from_samples(of_one.latencies),
            commands=1000 * of_one.commands / of_one.events,
            calls=1000 * of_one.calls / of_one.events,
            wrong=tuple(left[number] for left in wrong),
        )
        for number, of_one in enumerate(measured)
    ]


def _run_once(
    place: Place,
    together: Sequence[Workload],
    windows: Sequence[Window],
    share: float,
    measured: Sequence[WorkloadResult],
    *,
    say: Say,
) -> list[int]:
    """Plays all events once and returns how many final lists are wrong."""
    place.namespace(ours.NAMESPACE)
    lists = [Lists(workload, number, place.nodes[number].host) for number, workload in enumerate(together)]
    _set_pace(place, len(together))
    place.apply(body for one in lists for body in one.pools())
    events = _with_real_instances(place, together[0].events)
    truths = [Truth(workload) for workload in together]
    with place.operator("events", **settings(place, inventory=False, damaged=share > 0)) as operator:
        operator.until_in_sync(len(together))
        _set_pace(place, len(together), **RUSH)
        player = Player(place, lists, operator)
        if share:
            player.rush(_damage(events, share))
            for truth in truths:
                _take(truth, events)
        else:
            _live_through(place, player, events, windows, truths, measured)
            return [len(one.wrong(truth)) for one, truth in zip(lists, truths, strict=True)]
    return _after_inventory(place, lists, truths, share, say=say)


def _after_inventory(
    place: Place, lists: Sequence[Lists], truths: Sequence[Truth], share: float, *, say: Say
) -> list[int]:
    """Returns how many lists are wrong after a restarted operator has read its inventory from EC2."""
    _set_pace(place, len(lists))
    with place.operator("inventory", **settings(place, inventory=True, damaged=True)) as operator:
        operator.until_in_sync(len(lists))
        player = Player(place, lists, operator)
        try:
            player.until_right(truths)
        except RuntimeError as error:
            say(str(error)[:300])
        left = [len(one.wrong(truth)) for one, truth in zip(lists, truths, strict=True)]
        say(f"{share:.0%} damaged: {sum(left)} lists wrong after an inventory ({operator.process.age:.0f} s)")
    return left


def _set_pace(place: Place, servers: int, **pace: str) -> None:
    """Sets `minInterval` of the license servers. None: the default."""
    place.apply(place.server(ours.NAMESPACE, number, verifyInterval="1h", **pace) for number in range(servers))


def _live_through(
    place: Place,
    player: Player,
    events: Sequence[Event],
    windows: Sequence[Window],
    truths: Sequence[Truth],
    measured: Sequence[WorkloadResult],
) -> None:
    done = 0
    for window in windows:
        player.rush(events[done : window.first])
        for truth in truths:
            _take(truth, events[done : window.first])
        _set_pace(place, len(truths))
        since = time.monotonic()
        player.until_right(truths)
        time.sleep(max(0.0, since + AFTER_A_RUSH - time.monotonic()))
        player.live(events, window, truths, measured)
        _set_pace(place, len(truths), **RUSH)
        done = window.end
    player.rush(events[done:])
    for truth in truths:
        _take(truth, events[done:])
    _set_pace(place, len(truths))
    player.until_right(truths)


def _take(truth: Truth, events: Iterable[Event]) -> None:
    for event in events:
        truth.apply_event(event)


def _with_real_instances(place: Place, events: Sequence[Event]) -> list[Event]:
    """Creates the workbenches that run at the end in EC2, with its ids. The others are terminated by then."""
    last = {event.instance: event for event in events}
    unannounced = DeliveryFaults(lose=1.0)
    fleet = Fleet(
        place.site.endpoint, region=REGION, account=ACCOUNT, queue_url=place.site.queue_url, troubles=unannounced
    )
    names = {}
    with fleet:
        for instance, event in last.items():
            if event.starts:
                names[instance] = fleet.start(event.user, event.type)
    return [
        Event(event.at, names.get(event.instance, event.instance), event.user, event.type, event.starts)
        for event in events
    ]
