"""Runs one demo, from the first process to the last."""

import random
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import NoReturn

from rich.console import Console

from seatpool.sim.demo import replay as replaying
from seatpool.sim.demo import story as telling
from seatpool.sim.demo import vew_story
from seatpool.sim.demo.event_file import read_event_file
from seatpool.sim.demo.expected_needs import ExpectedNeeds
from seatpool.sim.demo.latency import latencies, percentiles
from seatpool.sim.demo.monitor import Monitor
from seatpool.sim.demo.options import DemoOptions, ReplayOptions, StoryName
from seatpool.sim.demo.people import People
from seatpool.sim.demo.stage import Pages, Stage
from seatpool.sim.demo.summary import ProductSummary, Summary
from seatpool.sim.demo.verdict import violations
from seatpool.sim.demo.view import LiveView, PlainView

__all__ = ["show"]

INTERRUPTED = 130
WRONG = 1


def show(options: DemoOptions, *, pages: Pages | None = None) -> int:
    """Runs the demo and returns the exit code, 0 if all was right. Ctrl-C and SIGTERM end every process too."""
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console()
    stage = Stage(options.directory, say=_sayer(console), pages=pages)
    try:
        if options.hold:
            return _hold(stage, options, console)
        if options.replay is not None:
            return _replay(stage, options, options.replay, console)
        tell = _tell_of_vew if options.story is StoryName.VEW else _tell
        return tell(stage, options, console)
    except KeyboardInterrupt:
        console.print("interrupted")
        return INTERRUPTED


def _replay(stage: Stage, options: DemoOptions, asked: ReplayOptions, console: Console) -> int:
    file = read_event_file(asked.file)
    pools = replaying.pool_facts(file, asked.seats)
    expected = ExpectedNeeds(pools)
    linger = asked.linger_here
    with stage:
        replaying.prepare(stage, file, pools, linger=linger)
        _print_hints(stage, console)
        view, monitor = _view_of(stage, expected, console, every_change=False)
        with monitor, view:
            faults = replaying.replay(stage, file, asked, expected=expected, monitor=monitor, view=view)
            monitor.read_journal()
        faults += violations(expected, monitor.records, monitor.queue_checks, linger=linger.total_seconds())
        summary = _summary(stage, expected, monitor, faults, lingers=bool(linger))
        _conclude(summary, options, console)
        if not options.once:
            _stay(stage, console)
    return WRONG if summary.violations else 0


def _hold(stage: Stage, options: DemoOptions, console: Console) -> int:
    with stage:
        telling.prepare(stage, options.backend)
        with stage.site.fleet() as fleet:
            telling.populate(stage, People(fleet, ExpectedNeeds(telling.example_facts(stage))))
            _print_hints(stage, console)
            _stay(stage, console)
    return 0


def _print_hints(stage: Stage, console: Console) -> None:
    pages = ("In a browser:", *(f"  {link}" for link in stage.links)) if stage.links else ()
    for line in (*pages, "In another terminal:", *(f"  {command}" for command in stage.hints())):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _tell(stage: Stage, options: DemoOptions, console: Console) -> int:
    with stage:
        telling.prepare(stage, options.backend)
        _print_hints(stage, console)
        expected = ExpectedNeeds(telling.example_facts(stage))
        view, monitor = _view_of(stage, expected, console, every_change=True)
        with monitor, stage.site.fleet() as fleet, view:
            people = People(fleet, expected)
            story = telling.Story(stage, expected=expected, people=people, monitor=monitor, view=view)
            story.play()
            monitor.read_journal()
            faults = story.faults + violations(expected, monitor.records, monitor.queue_checks, products=telling.JUDGED)
            if not options.once:
                telling.live_on(people, monitor, view, randomness=random.Random())  # noqa: S311
                monitor.read_journal()
        summary = _summary(stage, expected, monitor, faults, lingers=True)
        _conclude(summary, options, console)
    return WRONG if summary.violations else 0


def _tell_of_vew(stage: Stage, options: DemoOptions, console: Console) -> int:
    with stage:
        vew_story.prepare(stage)
        _print_hints(stage, console)
        expected = ExpectedNeeds(vew_story.facts())
        view, monitor = _view_of(stage, expected, console, every_change=True)
        with monitor, vew_story.fleet(stage) as fleet, view:
            story = vew_story.VewStory(
                stage, expected=expected, people=People(fleet, expected), machines=fleet, monitor=monitor, view=view
            )
            story.play()
            monitor.read_journal()
        faults = story.faults + violations(expected, monitor.records, monitor.queue_checks, products=vew_story.JUDGED)
        summary = _summary(stage, expected, monitor, faults, lingers=False)
        _conclude(summary, options, console)
        if not options.once:
            _stay(stage, console)
    return WRONG if summary.violations else 0


def _view_of(
    stage: Stage, expected: ExpectedNeeds, console: Console, *, every_change: bool
) -> tuple[LiveView | PlainView, Monitor]:
    monitor = Monitor(stage, expected)
    plain = not console.is_terminal or console.is_dumb_terminal  # a dumb terminal draws nothing over what is there
    view = PlainView(console, every_change=every_change) if plain else LiveView(console, monitor)
    monitor.changed = view.changed
    return view, monitor


def _summary(
    stage: Stage, expected: ExpectedNeeds, monitor: Monitor, faults: Sequence[str], *, lingers: bool
) -> Summary:
    records = monitor.records
    return Summary(
        events=expected.events,
        grants=records.grants,
        releases=records.releases,
        waits=round(stage.operator.total("seatpool_waits_total")),
        latency_ms=percentiles(latencies(expected, records, lingers=lingers)),
        ssm_commands=stage.commands(),
        operator_rss_mb=stage.operator.peak_memory(),
        products={
            product: ProductSummary(seats=pool.seats, peak=records[product].peak, list=records[product].users)
            for product, pool in expected.pools.items()
        },
        violations=list(faults),
    )


def _conclude(summary: Summary, options: DemoOptions, console: Console) -> None:
    path = options.directory / "summary.json"
    summary.write(path)
    summary.show(console)
    console.print(f"written: {path}", style="dim", soft_wrap=True, highlight=False)


def _stay(stage: Stage, console: Console) -> None:
    console.print("Everything still runs; Ctrl-C ends it.")
    with suppress(KeyboardInterrupt):
        while True:
            stage.operator.check()
            time.sleep(0.5)


def _sayer(console: Console) -> Callable[[str], None]:
    return lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
