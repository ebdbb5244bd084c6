"""The commands that only look: what they read, and how they show it.

Importing takes as long as the API server takes for its lists. So what is needed to ask is imported first, and the words and
the screens while the lists are made.
"""

import asyncio
import importlib
from collections.abc import Awaitable
from typing import TYPE_CHECKING, TypeVar

from seatpool.api.workbench import Workbench
from seatpool.cli.cluster import Access, Asked, access
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.snapshot import Snapshot, read_snapshot
from seatpool.kube.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from rich.console import RenderableType

    from seatpool.api.licensepool import LicensePool
    from seatpool.explain.overview import Overview
    from seatpool.explain.why import WrittenSeats
    from seatpool.terminal.output import Output

MOST_ASKED = 50
T = TypeVar("T")


async def show_status(asked: Asked, *, output: "Output") -> bool:
    """`seatpool status`."""
    async with access(asked) as cluster:
        found = await _overview(cluster)
    from seatpool.cli.status_screen import status_screen
    from seatpool.terminal.output import write

    times = cluster.times
    write(
        found,
        output=output,
        screen=lambda screen, wide: screen.print(
            status_screen(found, times=times, wide=wide, width=screen.width, namespace=cluster.namespace)
        ),
    )
    return found.is_well


async def keep_showing(asked: Asked, *, interval: float) -> bool:
    """`seatpool top`."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from seatpool.cli.status_screen import status_screen
    from seatpool.terminal.output import console

    screen = console()
    async with access(asked) as cluster:
        with Live(console=screen, screen=screen.is_terminal, auto_refresh=False) as live:
            drawn: RenderableType = ""
            while True:
                try:
                    found = await _overview(cluster)
                except Unavailable as error:
                    live.update(
                        Group(Text(f"no answer at {cluster.times.format_time(cluster.now)}: {error}", "red"), drawn),
                        refresh=True,
                    )
                else:
                    drawn = status_screen(
                        found, times=cluster.times, wide=False, width=screen.width, namespace=cluster.namespace
                    )
                    live.update(drawn, refresh=True)
                await asyncio.sleep(interval)


async def show_why(asked: Asked, *, user: str, pool: str | None, output: "Output") -> bool:
    """`seatpool why`."""
    async with access(asked) as cluster:
        reading = read_snapshot(cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now)
        seen = await _meanwhile(reading, "explain.why", "cli.line_screens")
        from seatpool.explain.why import why

        found = why(seen, user, pool=pool, written=await _written_seats(cluster, seen, user), times=cluster.times)
    from seatpool.cli.line_screens import why_screen
    from seatpool.terminal.output import write

    write(found, output=output, screen=lambda screen, wide: why_screen(found, console=screen, wide=wide))
    return found.is_well


async def show_diff(asked: Asked, *, name: str, output: "Output") -> bool:
    """`seatpool diff`."""
    from seatpool.cli.line_screens import diff_screen
    from seatpool.explain.list_diff import diff
    from seatpool.terminal.output import write

    async with access(asked) as cluster:
        seen = await read_snapshot(
            cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now, workbenches=False
        )
        found = [diff(seen, pool, times=cluster.times) for pool in seen.pools_named(name)]
    times = cluster.times
    write(
        found[0] if len(found) == 1 else found,
        output=output,
        screen=lambda screen, wide: diff_screen(found, console=screen, wide=wide, times=times),
    )
    return all(one.is_well for one in found)


async def show_history(asked: Asked, *, name: str, output: "Output") -> bool:
    """`seatpool history`: of a pool if there is one of that name, else of a person."""
    from seatpool.cli.line_screens import history_screen
    from seatpool.explain.recent_history import recent_history
    from seatpool.terminal.output import write

    async with access(asked) as cluster:
        seen = await read_snapshot(
            cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now, workbenches=False
        )
        events = await cluster.kube.events(namespace=cluster.namespace)
    pools = [pool for pool in seen.store.pools.values() if name in (pool.key, pool.metadata.name)]
    user = None if pools else seen.store.identity.user(name)
    asked_of: list[LicensePool | None] = [*pools] or [None]
    found = [recent_history(seen, events, pool=pool, user=user) for pool in asked_of]
    times = cluster.times
    write(
        found[0] if len(found) == 1 else found,
        output=output,
        screen=lambda screen, _wide: history_screen(found, console=screen, times=times),
    )
    return True


async def _meanwhile(reading: Awaitable[T], *modules: str) -> T:
    """What is read; the modules that show it are imported while the API server is at work."""
    names = (f"seatpool.{name}" for name in modules)
    importing = [asyncio.ensure_future(asyncio.to_thread(importlib.import_module, name)) for name in names]
    found = await reading
    await asyncio.gather(*importing)
    return found


async def _overview(cluster: Access) -> "Overview":
    reading = read_snapshot(
        cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now,
        ledgers=False, workbenches=False,
    )  # fmt: skip
    seen = await _meanwhile(reading, "explain.overview", "cli.status_screen")
    from seatpool.explain.overview import overview

    if not seen.store.pools and not seen.store.servers and not seen.unreadable:
        raise SeatpoolError(
            f"nothing of Seatpool is in {_where(cluster)}; name another with -n, or look everywhere with -A"
        )
    return overview(seen, times=cluster.times)


async def _written_seats(cluster: Access, seen: Snapshot, spelled: str) -> "WrittenSeats":
    """What the operator wrote about the person's own workbenches: few, so they are read one by one."""
    rows = seen.workbenches_of(spelled)[:MOST_ASKED]
    found = await asyncio.gather(
        *(cluster.kube.get(Workbench, row.namespace, row.name) for row in rows), return_exceptions=True
    )
    shown = {}
    for row, raw in zip(rows, found, strict=True):
        if isinstance(raw, NotFound):
            continue
        if isinstance(raw, BaseException):
            raise raw
        shown[row.key] = Workbench.model_validate(raw).status.seats
    return shown


def _where(cluster: Access) -> str:
    return "all namespaces" if cluster.namespace is None else f"namespace {cluster.namespace}"
