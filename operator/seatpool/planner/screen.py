"""Prints plans on a terminal. In a narrow one the columns that say least are left out."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seatpool.planner.plan import Point, SeatPlan
from seatpool.planner.text import (
    circumstances,
    format_wait,
    headline,
    rules_told,
    seats_range,
    sum_told,
    verdict,
)
from seatpool.terminal.output import GAP, table
from seatpool.text import escape_unprintable, format_number, format_percent

NEAR = 3
PLACES = 1
"""Decimals of a share in percent."""
SPREAD = 6
SHORTEST_NAME = 12
LEAST_NEEDED = ("P50 WAIT", "IN USE", "LONGEST", "COST", "P95 WAIT")
"""Columns that give way in a narrow terminal, the first one first."""
UNTARGETED = ("RANGE", "WAITING", "NEVER SERVED", "P50 WAIT", "P95 WAIT", "LONGEST", "IN USE")
"""Columns of several plans that have no meaning without a target."""


def show(console: Console, plans: Sequence[SeatPlan], remarks: Iterable[str], *, every_number: bool) -> None:
    """Prints one plan with its curve, or several with a row each."""
    if len(plans) == 1:
        _show_one(console, plans[0], every_number=every_number)
    else:
        _show_many(console, plans)
    for remark in remarks:
        console.print(Text(remark))


def _show_one(console: Console, plan: SeatPlan, *, every_number: bool) -> None:
    console.print(Text(headline(plan), style="bold"))
    for sentence in verdict(plan):
        console.print(Text(sentence))
    console.print(Text(f"{circumstances(plan)}; {rules_told(plan)}"))
    if not plan.curve:
        return
    console.print()
    priced = any(point.cost is not None for point in plan.curve)
    rows = [
        [
            f"> {point.seats}" if point.seats == plan.seats else str(point.seats),
            *_waits(point),
            format_percent(point.utilisation, places=PLACES),
            format_number(point.cost, places=0),
        ]
        for point in (plan.curve if every_number else worth_showing(plan))
    ]
    headings = ["SEATS", "WAITING", "NEVER SERVED", "P50 WAIT", "P95 WAIT", "LONGEST", "IN USE", "COST"]
    drawn = _fitting(console, headings, rows, hidden=() if priced else ("COST",))
    console.print(drawn)


def _show_many(console: Console, plans: Sequence[SeatPlan]) -> None:
    rows = []
    for plan in plans:
        answer = plan.answer
        known = ["-"] * 6 if answer is None else [*_waits(answer), format_percent(answer.utilisation, places=PLACES)]
        seats = "none" if not plan.is_reachable else format_number(plan.seats)
        rows.append([plan.name, seats, seats_range(plan), *known, format_number(plan.cost, places=0)])
    headings = [
        "POOL",
        "SEATS",
        "RANGE",
        "WAITING",
        "NEVER SERVED",
        "P50 WAIT",
        "P95 WAIT",
        "LONGEST",
        "IN USE",
        "COST",
    ]
    untargeted = plans[0].target is None
    if untargeted:
        headings[1] = "NO WAIT"
        rows = [[row[0], str(plan.nobody_waits_for_a_seat), *row[2:]] for row, plan in zip(rows, plans, strict=True)]
    priced = any(plan.cost is not None for plan in plans)
    hidden = [*(() if priced else ("COST",)), *(UNTARGETED if untargeted else ())]
    console.print(_fitting(console, headings, rows, hidden=hidden))
    told = sum_told(plans)
    notes = sorted({("?" if plan.seats_low is not None else "-", plan.range_note) for plan in plans if plan.range_note})
    if told is not None or notes:
        console.print()
    if told is not None:
        console.print(Text(told))
    for mark, note in notes:
        console.print(Text(f"{mark} {note}"))


def _fitting(
    console: Console, headings: Sequence[str], rows: Sequence[Sequence[str]], *, hidden: Sequence[str]
) -> Table:
    """Returns a table of the columns that the console has room for. Those of LEAST_NEEDED give way first, then names."""
    shown = [index for index, heading in enumerate(headings) if heading not in hidden]

    def width(index: int) -> int:
        return max(len(headings[index]), *(len(escape_unprintable(row[index])) for row in rows))

    def room() -> int:
        return console.width - sum(width(index) + GAP for index in shown[1:])

    shortest = width(0) if headings[0] != "POOL" else min(width(0), SHORTEST_NAME)
    for heading in LEAST_NEEDED:
        if room() < shortest and heading in headings and headings.index(heading) in shown:
            shown.remove(headings.index(heading))
    drawn = table(*(headings[index] for index in shown), numbers=frozenset(headings) - {"POOL"})
    drawn.columns[0].max_width = max(SHORTEST_NAME, room())
    for row in rows:
        marked = row[0].startswith("> ") and headings[0] == "SEATS"
        drawn.add_row(*(Text(row[index]) for index in shown), style="bold" if marked else None)
    return drawn


def worth_showing(plan: SeatPlan) -> list[Point]:
    """Returns every number near the result, and a few on both sides."""
    points = list(plan.curve)
    if plan.seats is None:
        step = max(1, -(-len(points) // (2 * SPREAD)))
        return [*points[::step], *([points[-1]] if points and (len(points) - 1) % step else [])]
    below = [point for point in points if point.seats < plan.seats - NEAR]
    near = [point for point in points if abs(point.seats - plan.seats) <= NEAR]
    above = [point for point in points if point.seats > plan.seats + NEAR]
    step = max(1, -(-len(above) // SPREAD))
    spread = above[step - 1 :: step]
    return [*below[-1:-SPREAD:-2][::-1], *near, *spread, *(above[-1:] if above[-1:] != spread[-1:] else [])]


def _waits(point: Point) -> list[str]:
    return [
        format_percent(point.share_waiting, places=PLACES),
        format_percent(point.share_unserved, places=PLACES),
        format_wait(point.wait_p50_s),
        format_wait(point.wait_p95_s),
        format_wait(point.wait_max_s),
    ]
