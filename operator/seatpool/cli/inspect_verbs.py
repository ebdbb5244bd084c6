"""Runs `status`, `top`, `why`, `who`, `diff` and `events`: reads the cluster and prints the answer. Writes nothing.

Importing takes about as long as the API server needs for its lists. So the modules for the requests are imported first. The
modules that compute and print the answer are imported while the API server works.
"""

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Sequence
from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from seatpool.api.licensepool import LicensePool
from seatpool.api.workbench import Workbench
from seatpool.cli.api_access import ApiAccess, NoApiAnswer, connect_to_answers
from seatpool.cli.cluster import ClusterAccess, CommandOptions, read_lives, reading_cluster
from seatpool.cli.failures import sentence
from seatpool.cli.heading import Heading
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.snapshot import Snapshot, read_snapshot
from seatpool.kube.errors import NotFound, Unavailable
from seatpool.terminal.progress import progress
from seatpool.terminal.say import warn
from seatpool.text import near_names
from seatpool.threads import run_in

if TYPE_CHECKING:
    from rich.console import RenderableType

    from seatpool.explain.overview import Overview
    from seatpool.explain.who import Who
    from seatpool.explain.why import Explanation, WrittenSeats
    from seatpool.terminal.output import Output

MOST_WORKBENCHES = 50
"""Statuses of at most so many workbenches of a user are read."""
T = TypeVar("T")
Asked = ClusterAccess | ApiAccess
"""What a command asks."""


async def show_status(
    options: CommandOptions, *, output: "Output", selector: str | None = None, headers: bool = True
) -> bool:
    """Runs `seatpool status`. `selector` is a label selector of pools. None: all pools."""
    with progress("Reading the cluster"):
        async with connect_to_answers(options) as cluster:
            found = await _overview(cluster, selector)
    from seatpool.cli.status_screen import status_screen
    from seatpool.terminal.output import print_parts, write

    times = cluster.times
    write(
        found,
        output=output,
        screen=lambda screen, wide: print_parts(
            screen, status_screen(found, times=times, wide=wide, width=screen.width, namespace=cluster.namespace)
        ),
        headers=headers,
    )
    return found.is_well


async def show_top(
    options: CommandOptions, *, interval: float, selector: str | None = None, wide: bool = False
) -> bool:
    """Runs `seatpool top` and `seatpool status --watch`, until the user stops it."""
    from rich.console import Group
    from rich.live import Live
    from rich.text import Text

    from seatpool.cli.status_screen import status_screen
    from seatpool.terminal.output import console

    screen = console()
    can_draw = screen.is_terminal and not screen.is_dumb_terminal
    live = Live(console=screen, screen=True, auto_refresh=False) if can_draw else None

    def show(drawn: "RenderableType") -> None:
        if live is not None:
            live.update(drawn, refresh=True)
        else:
            screen.print(drawn)
            screen.print()
            sys.stdout.flush()

    async with connect_to_answers(options) as cluster:
        with live or nullcontext():
            drawn: RenderableType = ""
            while True:
                try:
                    found = await _overview(cluster, selector)
                except (Unavailable, NoApiAnswer) as error:
                    told = f"no answer at {cluster.times.format_time(cluster.now)}: {sentence(error)}"
                    show(Group(Text(told, "red"), drawn) if can_draw else Text(told, "red"))
                else:
                    drawn = Group(
                        *status_screen(
                            found, times=cluster.times, wide=wide, width=screen.width, namespace=cluster.namespace
                        )
                    )
                    show(drawn)
                await asyncio.sleep(interval)


async def show_why(
    options: CommandOptions,
    *,
    user: str,
    pool: str | None,
    output: "Output",
    watch: bool = False,
    interval: float = 2.0,
) -> bool:
    """Runs `seatpool why`. `watch` repeats it until every seat was read back, or one is denied."""
    shown: tuple[tuple[str, ...], bool] | None = None
    async with connect_to_answers(options) as cluster:
        while True:
            try:
                with progress("Reading the cluster"):
                    found, heading = await _explanation(cluster, user=user, pool=pool)
            except (Unavailable, NoApiAnswer):
                if not watch:
                    raise
                await asyncio.sleep(interval)
                continue
            texts = tuple(
                one.text for one in (*found.messages, *(said for one in found.pools for said in one.messages))
            )
            if (texts, heading.is_well) != shown:
                _show_explanation(found, heading, output=output, again=shown is not None)
                shown = texts, heading.is_well
            if not watch or found.is_served or found.is_denied:
                return found.is_well and heading.is_well
            await asyncio.sleep(interval)


async def _explanation(cluster: Asked, *, user: str, pool: str | None) -> "tuple[Explanation, Heading]":
    if isinstance(cluster, ApiAccess):
        return await cluster.explanation(user, pool=pool), await _api_heading(cluster)
    reading = read_snapshot(cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now)
    seen = await _import_while(reading, "explain.why", "cli.line_screens")
    from seatpool.explain.why import why

    written, heading = await asyncio.gather(_workbench_seats(cluster, seen, user), _heading(cluster, seen))
    found = why(seen, user, pool=pool, written=written, times=cluster.times, where=_where(cluster))
    return found, heading


def _show_explanation(found: "Explanation", heading: Heading, *, output: "Output", again: bool) -> None:
    from seatpool.cli.line_screens import why_screen

    heading.write(
        found,
        output=output,
        screen=lambda screen, wide: why_screen(found, console=screen, wide=wide, again=again),
        again=again,
    )
    sys.stdout.flush()  # a program that reads the answers of --watch from a pipe gets each at once


async def show_who(options: CommandOptions, *, pool: str, output: "Output", headers: bool = True) -> bool:
    """Runs `seatpool who`."""
    with progress("Reading the cluster"):
        async with connect_to_answers(options) as cluster:
            found, heading = await _who(cluster, pool)
    from seatpool.cli.who_screen import who_screen

    times = cluster.times
    heading.write(
        _one_or_all(found),
        output=output,
        screen=lambda screen, wide: who_screen(found, console=screen, wide=wide, times=times),
        headers=headers,
    )
    return heading.is_well


async def _who(cluster: Asked, pool: str) -> "tuple[list[Who], Heading]":
    if isinstance(cluster, ApiAccess):
        return await cluster.who(pool), await _api_heading(cluster)
    reading = read_snapshot(cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now)
    seen = await _import_while(reading, "explain.who", "cli.who_screen")
    from seatpool.explain.who import who

    found = [who(seen, one, times=cluster.times) for one in seen.pools_named(pool)]
    return found, await _heading(cluster, seen)


async def show_diff(options: CommandOptions, *, name: str, output: "Output") -> bool:
    """Runs `seatpool diff`."""
    from seatpool.cli.line_screens import diff_screen
    from seatpool.explain.list_diff import diff

    async with reading_cluster(options) as cluster:
        seen = await read_snapshot(
            cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now, workbenches=False
        )
        found = [diff(seen, pool, times=cluster.times) for pool in seen.pools_named(name)]
        heading = await _heading(cluster, seen)
    times = cluster.times
    heading.write(
        _one_or_all(found),
        output=output,
        screen=lambda screen, wide: diff_screen(found, console=screen, wide=wide, times=times),
    )
    return heading.is_well and all(one.is_well for one in found)


async def show_events(options: CommandOptions, *, name: str, output: "Output") -> bool:
    """Runs `seatpool events`. A name that no pool has is the name of a user."""
    from seatpool.cli.line_screens import history_screen
    from seatpool.explain.recent_history import recent_history

    async with reading_cluster(options) as cluster:
        seen = await read_snapshot(
            cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now, workbenches=False
        )
        events, heading = await asyncio.gather(
            cluster.kube.events(namespace=cluster.namespace), _heading(cluster, seen)
        )
    pools = [pool for pool in seen.store.pools.values() if name in (pool.key, pool.metadata.name)]
    user = None if pools else seen.store.identity.user(name)
    if user is not None:
        _warn_of_near_pool(seen, name)
    pools_or_user: list[LicensePool | None] = [*pools] or [None]
    found = [recent_history(seen, events, pool=pool, user=user) for pool in pools_or_user]
    times = cluster.times
    heading.write(
        _one_or_all(found),
        output=output,
        screen=lambda screen, _wide: history_screen(found, console=screen, times=times),
    )
    return True


def _warn_of_near_pool(seen: Snapshot, name: str) -> None:
    """Says which pool may be meant by the name of a user of whom nothing is known."""
    near = near_names(name, (pool.metadata.name for pool in seen.store.pools.values()))
    if near and not any(seen.has_entry(pool, name) for pool in seen.store.pools):
        warn(f"there is no LicensePool {name}, so it is taken for a user; did you mean the pool {' or '.join(near)}?")


def _one_or_all(found: Sequence[T]) -> T | Sequence[T]:
    """Returns the answer for programs: that of the only pool, or a list of all."""
    return found[0] if len(found) == 1 else found


async def _heading(cluster: ClusterAccess, seen: Snapshot) -> Heading:
    return Heading(await read_lives(cluster, seen.store.servers.values()), _where(cluster))


async def _api_heading(api: ApiAccess) -> Heading:
    return Heading(await api.lives(), api.where)


async def _import_while(reading: Awaitable[T], *modules: str) -> T:
    """Awaits `reading` and imports the modules in threads meanwhile. Returns what was read."""
    names = (f"seatpool.{name}" for name in modules)
    importing = [asyncio.ensure_future(run_in(None, partial(importlib.import_module, name))) for name in names]
    found = await reading
    await asyncio.gather(*importing)
    return found


async def _overview(cluster: Asked, selector: str | None) -> "Overview":
    if isinstance(cluster, ApiAccess):
        if selector is not None:
            raise SeatpoolError(f"-l {selector}: the HTTP API knows no labels; leave out -l or --server")
        found = await cluster.overview()
        if not found.pools and not found.servers and not found.unreadable:
            raise _nothing_in(cluster.where)
        return found
    reading = read_snapshot(
        cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now, ledgers=False
    )
    seen = await _import_while(reading, "explain.overview", "cli.status_screen")
    from seatpool.explain.overview import overview

    if not seen.store.pools and not seen.store.servers and not seen.unreadable:
        raise _nothing_in(_where(cluster))
    lives, only = await asyncio.gather(read_lives(cluster, seen.store.servers.values()), _selected(cluster, selector))
    return overview(seen, lives=lives, times=cluster.times, only=only)


def _nothing_in(where: str) -> SeatpoolError:
    return SeatpoolError(f"nothing of Seatpool is in {where}; name another with -n, or look everywhere with -A")


async def _selected(cluster: ClusterAccess, selector: str | None) -> frozenset[str] | None:
    """Returns the keys of the pools that a label selector selects. None: there is no selector."""
    if selector is None:
        return None
    found, _ = await cluster.kube.list_all(LicensePool, namespace=cluster.namespace, label_selector=selector)
    if not found:
        raise SeatpoolError(f"-l {selector}: no LicensePool in {_where(cluster)} has these labels")
    return frozenset(f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in found)


async def _workbench_seats(cluster: ClusterAccess, seen: Snapshot, name: str) -> "WrittenSeats":
    """Reads the seats in the statuses of the user's own workbenches. They are few, so they are read one by one."""
    rows = seen.subject(name).rows[:MOST_WORKBENCHES]
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


def _where(cluster: ClusterAccess) -> str:
    return "all namespaces" if cluster.namespace is None else f"namespace {cluster.namespace}"
