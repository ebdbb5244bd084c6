"""Draws the screen of `status` and `top`: problems first, and no more than fits."""

from collections.abc import Iterable, Iterator

from rich.console import ConsoleRenderable, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from seatpool.cli.heading import LIFE_STYLES
from seatpool.explain.overview import Overview, PoolLine, ServerLine
from seatpool.explain.problems import Problem
from seatpool.terminal.output import count_cell, table
from seatpool.text import TimeFormat, format_count

POOLS_SHOWN = 20
NARROW = 100


def status_screen(
    found: Overview, *, times: TimeFormat, wide: bool, width: int, namespace: str | None
) -> RenderableType:
    """Draws the problems, the servers, and the most urgent pools that fit on a screen.

    `namespace` None: all namespaces.
    """
    where = "all namespaces" if namespace is None else f"namespace {namespace}"
    narrow = width < NARROW
    parts: list[RenderableType] = [_headline(found, times, where)]
    parts += [Text(life.text, style=LIFE_STYLES[life.life]) for life in found.operators]
    parts += _problems(found, wide=wide)
    if found.servers:
        parts += [Text(), _servers(found.servers, times, narrow=narrow, named=namespace is None)]
    if found.pools:
        shown = found.pools if wide else found.pools[:POOLS_SHOWN]
        parts += [Text(), _pools(shown, times, narrow=narrow, named=namespace is None)]
        if len(found.pools) > len(shown):
            parts.append(
                Text(f"and {len(found.pools) - len(shown)} more pools that are less urgent: -o wide", style="dim")
            )
    return Group(*parts)


def _headline(found: Overview, times: TimeFormat, where: str) -> Text:
    applied = [line for line in found.pools if line.is_applied]
    used, seats = sum(line.used or 0 for line in applied), sum(line.seats for line in applied)
    waiting = sum(line.waiting or 0 for line in applied)
    dead = sum(not life.is_well for life in found.operators)
    problems = len(found.problems) + len(found.unreadable) + len(found.refused_owners) + dead
    state = ("All well", "bold green") if found.is_well else (format_count(problems, "problem"), "bold red")
    servers, pools = format_count(len(found.servers), "server"), format_count(len(found.pools), "pool")
    counts = f"{servers}, {pools}, {used} of {seats} seats used, {waiting} waiting"
    return Text.assemble(state, f" ({times.format_time(times.now)} {times.zone_name}, {where}): {counts}")


def _problems(found: Overview, *, wide: bool) -> Iterator[ConsoleRenderable]:
    told: Iterable[tuple[Problem, str]] = [
        *((one, "red") for one in found.problems), *((one, "cyan") for one in found.notes)
    ]  # fmt: skip
    for problem, colour in told:
        yield Padding(Text(problem.message.text, style=colour), (0, 0, 0, 2), expand=False)
        if wide and problem.detail:
            yield Padding(Text(problem.detail, style="dim"), (0, 0, 0, 4), expand=False)
    for refused in found.refused_owners:
        what = f"{format_count(refused.workbenches, 'active workbench', 'active workbenches')} ({refused.example}) get no seat"
        yield Padding(Text(f"{what}: spec.owner: {refused.problem}", style="red"), (0, 0, 0, 2), expand=False)
    for unserved in found.unserved_types:
        what = format_count(unserved.workbenches, "active workbench", "active workbenches")
        told_type = f"{what} of type {unserved.type} ({unserved.example}): no pool that is seen serves this type"
        yield Padding(Text(told_type, style="cyan"), (0, 0, 0, 2), expand=False)
    for text in found.unreadable:
        yield Padding(Text(f"Cannot be read: {text}", style="red"), (0, 0, 0, 2), expand=False)


def _servers(lines: Iterable[ServerLine], times: TimeFormat, *, narrow: bool, named: bool) -> Table:
    headings = ["SERVER", "READY", "IN SYNC", "PEOPLE", "LAST CHANGE", "READ BACK"]
    headings += [] if narrow else ["LISTS", "REVISION", "MODE"]
    drawn = table(*headings)
    for line in lines:
        cells = [
            _name(line.name, named), _shaded(line.ready), _shaded(line.in_sync), str(line.people),
            times.format_age(line.last_changed), times.format_age(line.last_verified),
        ]  # fmt: skip
        drawn.add_row(*cells, *([] if narrow else [str(line.lists), str(line.revision), line.mode]))
    return drawn


def _pools(lines: Iterable[PoolLine], times: TimeFormat, *, narrow: bool, named: bool) -> Table:
    headings = ["POOL", "SEATS", "USED", "WAITING", "OLDEST", "IN SYNC", "REASON"]
    headings += [] if narrow else ["CHANGES", "SERVER", "PRODUCT", "MODE"]
    drawn = table(*headings)
    for line in lines:
        cells = [
            _name(line.name, named), str(line.seats), count_cell(line.used), _waiting(line.waiting),
            times.format_age(line.oldest_wait), _shaded(line.in_sync), line.reason or "-",
        ]  # fmt: skip
        more = [_changes(line), escape(line.server), escape(line.product), line.mode]
        drawn.add_row(*cells, *([] if narrow else more))
    return drawn


def _name(key: str, named: bool) -> str:
    """Returns the name, with its namespace if `named`."""
    return escape(key if named else key.partition("/")[2])


def _changes(line: PoolLine) -> str:
    if line.changes_allowed is None:
        return "-"
    return f"{count_cell(line.changes_used)} of {line.changes_allowed} in {line.changes_window}"


def _waiting(value: int | None) -> str:
    return f"[yellow]{value}[/]" if value else count_cell(value)


def _shaded(word: str) -> str:
    colour = {"yes": "green", "no": "red"}.get(word)
    return f"[{colour}]{word}[/]" if colour else word
