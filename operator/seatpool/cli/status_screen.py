"""Draws the screen of `status` and `top`: problems first, and no more than fits."""

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from seatpool.cli.heading import LIFE_STYLES
from seatpool.explain.overview import Overview, PoolLine, ServerLine
from seatpool.terminal.output import Column, Line, count_cell, fitted_table
from seatpool.text import TimeFormat, format_count

POOLS_SHOWN = 20
PROBLEM, NOTE, WAITING = "red", "", "magenta"
"""Styles. Each can be read on a light and on a dark terminal, which yellow and cyan cannot."""
SERVER_COLUMNS = (
    Column("SERVER"), Column("READY"), Column("IN SYNC", 1), Column("PEOPLE", 2), Column("LAST CHANGE", 4),
    Column("READ BACK", 3), Column("LISTS", 6), Column("REVISION", 7), Column("MODE", 5),
)  # fmt: skip
POOL_COLUMNS = (
    Column("POOL"), Column("SEATS"), Column("USED"), Column("WAITING"), Column("OLDEST", 3), Column("IN SYNC", 2),
    Column("REASON", 1), Column("CHANGES", 6), Column("SERVER", 4), Column("PRODUCT", 7), Column("MODE", 5),
)  # fmt: skip


def status_screen(
    found: Overview, *, times: TimeFormat, wide: bool, width: int, namespace: str | None
) -> list[RenderableType]:
    """Draws the problems, the servers, and the most urgent pools that fit on a screen.

    `namespace` None: all namespaces.
    """
    where = "all namespaces" if namespace is None else f"namespace {namespace}"
    parts: list[RenderableType] = [_headline(found, times, where)]
    parts += [Line(life.text, LIFE_STYLES[life.life]) for life in found.operators]
    parts += _problems(found)
    if found.servers:
        parts += [Text(), _servers(found.servers, times, width=width, named=namespace is None)]
    if found.pools:
        shown = found.pools if wide else found.pools[:POOLS_SHOWN]
        parts += [Text(), _pools(shown, times, width=width, named=namespace is None)]
        if len(found.pools) > len(shown):
            parts.append(
                Text(f"and {len(found.pools) - len(shown)} more pools that are less urgent: -o wide", style="dim")
            )
    return parts


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


def _problems(found: Overview) -> Iterator[Line]:
    told = [*((one, PROBLEM) for one in found.problems), *((one, NOTE) for one in found.notes)]
    for problem, style in told:
        yield Line(problem.message.text, style, 2)
        if problem.detail and problem.detail not in problem.message.text:
            yield Line(problem.detail, indent=4)
    for refused in found.refused_owners:
        what = f"{format_count(refused.workbenches, 'active workbench', 'active workbenches')} ({refused.example}) get no seat"
        yield Line(f"{what}: spec.owner: {refused.problem}", PROBLEM, 2)
    for unserved in found.unserved_types:
        what = format_count(unserved.workbenches, "active workbench", "active workbenches")
        told_type = f"{what} of type {unserved.type} ({unserved.example}): no pool that is seen serves this type"
        yield Line(told_type, NOTE, 2)
    for text in found.unreadable:
        yield Line(f"Cannot be read: {text}", PROBLEM, 2)


def _servers(lines: Iterable[ServerLine], times: TimeFormat, *, width: int, named: bool) -> Table:
    rows: list[list[str | Text]] = [
        [
            _name(line.name, named), _shaded(line.ready), _shaded(line.in_sync), str(line.people),
            times.format_age(line.last_changed), times.format_age(line.last_verified), str(line.lists),
            str(line.revision), line.mode,
        ]
        for line in lines
    ]  # fmt: skip
    return fitted_table(SERVER_COLUMNS, rows, width=width)


def _pools(lines: Iterable[PoolLine], times: TimeFormat, *, width: int, named: bool) -> Table:
    rows: list[list[str | Text]] = [
        [
            _name(line.name, named), str(line.seats), count_cell(line.used), _waiting(line.waiting),
            times.format_age(line.oldest_wait), _shaded(line.in_sync), line.reason or "-",
            _changes(line), Text(line.server), Text(line.product), line.mode,
        ]
        for line in lines
    ]  # fmt: skip
    return fitted_table(POOL_COLUMNS, rows, width=width)


def _name(key: str, named: bool) -> Text:
    """Returns the name, with its namespace if `named`."""
    return Text(key if named else key.partition("/")[2])


def _changes(line: PoolLine) -> str:
    if line.changes_allowed is None:
        return "-"
    return f"{count_cell(line.changes_used)} of {line.changes_allowed} in {line.changes_window}"


def _waiting(value: int | None) -> Text:
    return Text(str(value), style=WAITING) if value else Text(count_cell(value))


def _shaded(word: str) -> Text:
    return Text(word, style={"yes": "green", "no": PROBLEM}.get(word, ""))
