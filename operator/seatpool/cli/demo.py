"""Runs `seatpool demo`. The parts of the demo are in `sim.demo` and need the extra `sim`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seatpool.domain.errors import SeatpoolError
from seatpool.text import missing_package

if TYPE_CHECKING:
    from seatpool.sim.demo.stage import Pages


def demo(
    *,
    once: Annotated[
        bool,
        typer.Option(
            "--once", help="End after the story or the replay; the default when standard output is no terminal."
        ),
    ] = False,
    hold: Annotated[
        bool,
        typer.Option("--hold", help="No story: a few users work and wait until Ctrl-C, and you try the commands."),
    ] = False,
    backend: Annotated[
        str, typer.Option(help="Where the lists are: xlc (the vendor's client) or ldap (a real OpenLDAP server).")
    ] = "xlc",
    story: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Which story: examples (the pools of examples/), or vew (a Virtual Engineering Workbench).",
        ),
    ] = "examples",
    web: Annotated[
        bool, typer.Option("--web", help="Open the pages beside it: as an engineer, a license admin and a buyer.")
    ] = False,
    replay: Annotated[
        Path | None,
        typer.Option(help="Replay a file of EventBridge envelopes, one a line (.jsonl or .jsonl.gz), instead."),
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(
            help="Replay: seconds of the file that pass in one; 0 is as fast as the queue takes them. Default: 2000.",
            min=0,
        ),
    ] = None,
    seats: Annotated[
        list[str] | None,
        typer.Option(metavar="TYPE=N", help="Replay: seats for a workbench type. Default: enough for all users."),
    ] = None,
    linger: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help="Replay: how long seats are kept, in the file's own time, e.g. 15m. Default: 0s."
        ),
    ] = None,
    directory: Annotated[
        Path, typer.Option(help="Where logs, settings, the license server's disk and summary.json are kept.")
    ] = Path(".demo"),
) -> None:
    """See it work: a real Kubernetes API, a stand-in for AWS whose commands really run, and the operator.

    Plays a story of half a minute, or with --replay a file of events, and judges by the license server's own record.
    The exit code is 0 only if every list was right.
    """
    try:
        from seatpool.sim.demo.options import Backend, DemoOptions, StoryName
        from seatpool.sim.demo.show import show
    except ImportError as error:
        raise SeatpoolError(missing_package("the demo needs", error.name, extra="sim")) from error
    if hold and once:
        raise SeatpoolError("--hold and --once exclude each other: leave one out")
    if backend not in list(Backend):
        raise SeatpoolError(f"--backend {backend}: write {' or '.join(Backend)}")
    if story not in set(StoryName):
        raise SeatpoolError(f"--story {story}: there is no such story; give {' or '.join(StoryName)}")
    options = DemoOptions.read(
        story=StoryName(story),
        once=once or not sys.stdout.isatty(),
        hold=hold,
        backend=Backend(backend),
        replay=replay,
        speed=speed,
        seats=seats or (),
        linger=linger,
        directory=directory,
    )
    raise typer.Exit(show(options, pages=_pages() if web else None))


def _pages() -> "Pages":
    try:
        from seatpool.cli.demo_pages import open_pages
    except ImportError as error:
        raise SeatpoolError(missing_package("the pages need", error.name, extra="web")) from error
    return open_pages
