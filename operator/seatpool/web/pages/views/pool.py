"""What the pages of pools show: the line of each pool, and one pool with seats, waiting line, rules and what comes next."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from seatpool.api.base import format_duration
from seatpool.explain.overview import PoolLine
from seatpool.explain.problems import Problem
from seatpool.explain.who import HolderLine, WaiterLine
from seatpool.text import format_count, format_names
from seatpool.web.answers import PoolAnswer, Rules
from seatpool.web.pages.views.badge import Badge, Tone

MOST_LINES = 500
"""Holders or waiting users that a page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRow:
    """The line of a pool."""

    id: str
    key: str
    product: str
    server: str
    seats: int
    used: int | None
    waiting: int
    oldest_wait: datetime | None
    badge: Badge
    note: str
    """What is odd about it. Empty: nothing is."""

    @property
    def href(self) -> str:
        """Returns the address of the pool's page."""
        return f"/pools/{self.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """One pool."""

    row: PoolRow
    answer: str
    """What a reader wants to know first, in a sentence."""
    holders: tuple[HolderLine, ...]
    more_holders: int
    """Holders beyond those."""
    waiting: tuple[WaiterLine, ...]
    more_waiting: int
    denied: tuple[str, ...]
    no_estimate: str | None
    next_end: datetime | None
    names_shown: bool
    rules: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]


def pool_row(line: PoolLine) -> PoolRow:
    """Returns the line of a pool."""
    return PoolRow(
        id=f"pool:{line.name}",
        key=line.name,
        product=line.product,
        server=line.server,
        seats=line.seats,
        used=line.used,
        waiting=line.waiting or 0,
        oldest_wait=line.oldest_wait if line.waiting else None,
        badge=_badge(line),
        note=_note(line),
    )


def pool_view(found: PoolAnswer) -> PoolView:
    """Returns what the page of a pool shows."""
    row, who = pool_row(found.pool), found.who
    return PoolView(
        row=row,
        answer=_answer(found),
        holders=who.holders[:MOST_LINES],
        more_holders=max(0, len(who.holders) - MOST_LINES),
        waiting=who.waiting[:MOST_LINES],
        more_waiting=max(0, len(who.waiting) - MOST_LINES),
        denied=who.denied,
        no_estimate=None if who.no_estimate is None else who.no_estimate.text,
        next_end=found.next_end,
        names_shown=found.names_shown,
        rules=tuple(rule_lines(found.rules)),
        problems=texts(one for one in who.problems if not one.is_intended),
        notes=texts(one for one in who.problems if one.is_intended),
    )


def texts(problems: Iterable[Problem]) -> tuple[str, ...]:
    """Returns the sentences of problems, each once."""
    return tuple(dict.fromkeys(one.message.text for one in problems))


def rule_lines(rules: Rules) -> Iterator[tuple[str, str]]:
    """Yields the rules of a pool that have an effect, each with its name and what it says."""
    yield "Order", "first come, first served" if rules.order == "FirstCome" else "by priority, then first come"
    yield (
        "Serves",
        f"workbenches of type {format_names(rules.workbench_types)} while {format_names(rules.active_states)}",
    )
    for name, value, told in (
        ("Minimum hold", rules.minimum_hold, "a seat once given is kept at least {}"),
        ("Linger", rules.linger, "kept for {} after the last workbench stops"),
        ("Cool-down", rules.seat_cool_down, "a freed seat is blocked for other users for {}"),
        ("Return", rules.readmit_after, "the same user may come back after {}"),
    ):
        if value:
            yield name, told.format(format_duration(value))
    if rules.changes_allowed is not None and rules.changes_window is not None:
        yield "Changes", f"{rules.changes_allowed} re-assignments in {format_duration(rules.changes_window)}"
    for one in rules.reservations:
        yield "Reserved", f"{format_count(one.seats, 'seat')} for {one.name}"
    if rules.protected_users:
        yield "Always on the list", format_count(rules.protected_users, "user")
    if rules.denied_users:
        yield "Never on the list", format_count(rules.denied_users, "user")


def _badge(line: PoolLine) -> Badge:
    if line.problems:
        return Badge(Tone.BAD, format_count(line.problems, "problem"))
    if line.used is None:
        return Badge(Tone.QUIET, "Not known yet")
    if line.waiting:
        return Badge(Tone.WAIT, f"{line.waiting} waiting")
    free = line.seats - line.used
    return Badge(Tone.GOOD, f"{free} free") if free > 0 else Badge(Tone.WAIT, "Full")


def _note(line: PoolLine) -> str:
    if not line.is_applied:
        return "no list is written for it"
    return "dry run: no list is changed" if line.mode == "DryRun" else ""


def _answer(found: PoolAnswer) -> str:
    line, waiting = found.pool, len(found.who.waiting)
    taken = len(found.who.holders)
    free = max(0, line.seats - taken)
    seats = f"{taken} of {format_count(line.seats, 'seat')} taken"
    if waiting:
        line_of = "1 user waits" if waiting == 1 else f"{waiting} users wait"
        return f"{seats}, {line_of}"
    return f"{seats}, {free} free" if free else f"{seats}: the next user waits"
