"""One demo from the first process to the last."""

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
from seatpool.sim.demo.event_file import read_event_file
from seatpool.sim.demo.known import Known
from seatpool.sim.demo.latency import latencies, percentiles
from seatpool.sim.demo.options import DemoOptions, ReplayOptions
from seatpool.sim.demo.people import People
from seatpool.sim.demo.stage import Stage
from seatpool.sim.demo.summary import ProductSummary, Summary
from seatpool.sim.demo.verdict import violations
from seatpool.sim.demo.view import LiveView, PlainView
from seatpool.sim.demo.watching import Watching

__all__ = ["show"]

INTERRUPTED = 130
WRONG = 1


def show(options: DemoOptions) -> int:
    """Play it; the exit code, 0 when all was right. Ctrl-C and SIGTERM end every process, too."""
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console()
    try:
        return _replay(options, options.replay, console) if options.replay is not None else _tell(options, console)
    except KeyboardInterrupt:
        console.print("interrupted")
        return INTERRUPTED


def _replay(options: DemoOptions, asked: ReplayOptions, console: Console) -> int:
    file = read_event_file(asked.file)
    pools = replaying.pool_facts(file, asked.seats)
    known = Known(pools)
    linger = asked.linger_here
    with Stage(options.directory, say=_sayer(console)) as stage:
        replaying.prepare(stage, file, pools, linger=linger)
        console.print(f"look around: {stage.kubectl_hint()}", markup=False, highlight=False, soft_wrap=True)
        view, watching = _view_of(stage, known, console, every_change=False)
        with watching, view:
            faults = replaying.replay(stage, file, asked, known=known, watching=watching, view=view)
            watching.read_journal()
        faults += violations(known, watching.records, watching.looks, linger=linger.total_seconds())
        summary = _summary(stage, known, watching, faults, lingers=bool(linger))
        _conclude(summary, options, console)
        if not options.once:
            _stay(stage, console)
    return WRONG if summary.violations else 0


def _tell(options: DemoOptions, console: Console) -> int:
    with Stage(options.directory, say=_sayer(console)) as stage:
        telling.prepare(stage)
        console.print(f"look around: {stage.kubectl_hint()}", markup=False, highlight=False, soft_wrap=True)
        known = Known(telling.example_facts(stage))
        view, watching = _view_of(stage, known, console, every_change=True)
        with watching, stage.site.fleet() as fleet, view:
            people = People(fleet, known)
            story = telling.Story(stage, known=known, people=people, watching=watching, view=view)
            story.play()
            watching.read_journal()
            faults = story.faults + violations(known, watching.records, watching.looks, products=telling.JUDGED)
            if not options.once:
                telling.live_on(people, watching, view, randomness=random.Random())  # noqa: S311
                watching.read_journal()
        summary = _summary(stage, known, watching, faults, lingers=True)
        _conclude(summary, options, console)
    return WRONG if summary.violations else 0


def _view_of(
    stage: Stage, known: Known, console: Console, *, every_change: bool
) -> tuple[LiveView | PlainView, Watching]:
    watching = Watching(stage, known)
    plain = not console.is_terminal
    view = PlainView(console, every_change=every_change) if plain else LiveView(console, watching)
    watching.changed = view.changed
    return view, watching


def _summary(stage: Stage, known: Known, watching: Watching, faults: Sequence[str], *, lingers: bool) -> Summary:
    records = watching.records
    return Summary(
        events=known.events,
        grants=records.grants,
        releases=records.releases,
        waits=round(stage.operator.total("seatpool_waits_total")),
        latency_ms=percentiles(latencies(known, records, lingers=lingers)),
        ssm_commands=stage.commands(),
        operator_rss_mb=stage.operator.peak_memory(),
        products={
            product: ProductSummary(seats=pool.seats, peak=records[product].peak, list=records[product].users)
            for product, pool in known.pools.items()
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
