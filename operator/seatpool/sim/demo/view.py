"""Shows the demo while it runs: a live picture on a terminal, a line for each event elsewhere."""

import time
from collections import deque
from collections.abc import Collection
from math import inf
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seatpool.sim.demo.monitor import PoolRow, SeatChange

__all__ = ["LiveView", "PlainView", "View"]

TELLINGS_KEPT = 6
NARROW = 100
LOW = 34
"""On a terminal with fewer lines less is shown, so that the newest sentence is not cut off."""
BAR = 20


class Scene(Protocol):
    """State that can be shown."""

    @property
    def pools(self) -> tuple[PoolRow, ...]:
        """Returns the statuses of the pools."""

    @property
    def changes(self) -> Collection[SeatChange]:
        """Returns the last changes, the newest last."""

    def shown_list(self, product: str) -> tuple[str, tuple[str, ...]]:
        """Returns where the product's list is, and the users on it."""


class View(Protocol):
    """Shows the story and the state."""

    def tell(self, text: str) -> None:
        """Shows a sentence of the story."""

    def changed(self, change: SeatChange) -> None:
        """Shows that a user came on a list or went off it."""

    def progress(self, text: str) -> None:
        """Shows the progress instead of the one before."""


class PlainView:
    """View that prints lines."""

    def __init__(self, console: Console, *, every_change: bool, progress_every: float = 5.0) -> None:
        self._console = console
        self._every_change = every_change
        self._progress_every = progress_every
        self._began = time.time()
        self._told_progress = -inf

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def tell(self, text: str) -> None:
        self._print(time.time(), text)

    def changed(self, change: SeatChange) -> None:
        if self._every_change:
            self._print(change.at, f"    {change_line(change).plain}")

    def progress(self, text: str) -> None:
        if time.monotonic() - self._told_progress >= self._progress_every:
            self._told_progress = time.monotonic()
            self._print(time.time(), text)

    def _print(self, at: float, text: str) -> None:
        line = f"{max(0.0, at - self._began):6.1f} s  {text}"
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)


class LiveView:
    """View that draws a picture four times a second."""

    def __init__(self, console: Console, scene: Scene) -> None:
        self._console = console
        self._scene = scene
        self._tellings: deque[str] = deque(maxlen=TELLINGS_KEPT)
        self._progress = ""
        self._live = Live(console=console, get_renderable=self._picture, refresh_per_second=4, transient=False)

    def __enter__(self) -> Self:
        self._live.start(refresh=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def tell(self, text: str) -> None:
        self._tellings.append(text)

    def changed(self, change: SeatChange) -> None:
        """Does nothing: the next picture shows the change."""

    def progress(self, text: str) -> None:
        self._progress = text

    def _picture(self) -> RenderableType:
        scene, low = self._scene, self._console.height < LOW
        rows, tellings = (4, 3) if low else (8, TELLINGS_KEPT)
        parts: list[RenderableType] = [pool_table(scene.pools, self._console.width)]
        changes = _changes(list(scene.changes)[-rows:], rows=rows)
        file = _file(scene, self._console.width, rows=2 if low else rows)
        if self._console.width >= NARROW:
            side_by_side = Table.grid(expand=True, padding=(0, 2))
            side_by_side.add_column(ratio=1)
            side_by_side.add_column(ratio=1)
            side_by_side.add_row(changes, file)
            parts.append(side_by_side)
        else:
            parts += [changes, file]
        shown = list(self._tellings)[-tellings:]
        for text in shown:
            newest = text is shown[-1]
            parts.append(Text(f"{'▸' if newest else ' '} {text}", style="bold" if newest else "dim"))
        if self._progress:
            parts.append(Text(self._progress, style="dim"))
        return Padding(Group(*parts), (1, 0, 0, 0))


def pool_table(pools: tuple[PoolRow, ...], width: int) -> Table:
    """Returns a table with a line for each pool."""
    table = Table(box=None, padding=(0, 2, 0, 0), title="Pools", title_justify="left", title_style="bold")
    for heading in ("Pool", "Seats", "Used", "Waiting"):
        table.add_column(heading, justify="left" if heading == "Pool" else "right")
    table.add_column("")
    table.add_column("In line", overflow="ellipsis", no_wrap=True, max_width=max(8, width - 70))
    for row in pools:
        table.add_row(
            row.name,
            str(row.seats),
            str(row.used),
            Text(str(row.waiting), style="bold magenta" if row.waiting else ""),
            _bar(row),
            ", ".join(row.queue),
        )
    return table


def change_line(change: SeatChange) -> Text:
    """Formats a change, such as `+ ann matlab 412 ms`."""
    latency = "" if change.latency is None else f"  {change.latency * 1000:.0f} ms"
    sign, style = ("+", "green") if change.on else ("-", "red")
    return Text.assemble((f"{sign} {change.user}", style), f"  {change.product}", (latency, "dim"))


def _changes(changes: list[SeatChange], *, rows: int) -> RenderableType:
    lines = [change_line(change) for change in reversed(changes)]
    empty = [Text("")] * (rows - len(lines))
    return Group(Text("Seats given (+), taken back (-), event to list", style="bold"), *lines, *empty)


def _file(scene: Scene, width: int, *, rows: int) -> RenderableType:
    """Draws the list that changed last, as it is on the license server's disk."""
    changes = list(scene.changes)
    if not changes:
        return Text("The list on the license server: none yet", style="bold")
    place, users = scene.shown_list(changes[-1].product)
    room = width if width < NARROW else width // 2 - 2
    shown = Text(", ".join(users) or "(empty)", overflow="fold")
    lines = shown.wrap(Console(width=room), room)[:rows]
    return Group(Text(f"On the license server: {place}, {len(users)} on it", style="bold"), *lines)


def _bar(row: PoolRow) -> Text:
    full = min(BAR, round(BAR * row.used / row.seats)) if row.seats else 0
    return Text.assemble(("█" * full, "magenta" if row.waiting else "green"), ("░" * (BAR - full), "dim"))
