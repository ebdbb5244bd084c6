"""Prints plans on a terminal of 80 columns."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from seatpool.planner.plan import Point, SeatPlan
from seatpool.planner.text import circumstances, headline, rules_told, seats_range
from seatpool.terminal.output import table
from seatpool.text import format_names, format_number, format_percent, format_seconds

NEAR = 3
PLACES = 1
"""Decimals of a share in percent."""
SPREAD = 6


def show(console: Console, plans: Sequence[SeatPlan], remarks: Iterable[str], *, every_number: bool) -> None:
    """Prints one plan with its curve, or several with a row each."""
    if len(plans) == 1:
        _show_one(console, plans[0], every_number=every_number)
    else:
        _show_many(console, plans)
    for remark in remarks:
        console.print(remark)


def _show_one(console: Console, plan: SeatPlan, *, every_number: bool) -> None:
    console.print(headline(plan), style="bold", highlight=False)
    console.print(f"{circumstances(plan)}; {rules_told(plan)}")
    if plan.seats is None and plan.target is not None:
        console.print(
            f"More than {plan.nobody_waits_for_a_seat} seats help nobody: what still waits then waits because of the rules."
        )
    console.print()
    priced = any(point.cost is not None for point in plan.curve)
    drawn = _table("SEATS", "WAITING", "P50 WAIT", "P95 WAIT", "LONGEST", "IN USE", *(["COST"] if priced else []))
    for point in plan.curve if every_number else worth_showing(plan):
        cells = [
            *_waits(point),
            format_percent(point.utilisation, places=PLACES),
            *([format_number(point.cost, places=0)] if priced else []),
        ]
        mark = "> " if point.seats == plan.seats else ""
        drawn.add_row(f"{mark}{point.seats}", *cells, style="bold" if mark else None)
    console.print(drawn)


def _show_many(console: Console, plans: Sequence[SeatPlan]) -> None:
    priced = any(plan.cost is not None for plan in plans)
    drawn = _table("POOL", "SEATS", "RANGE", "WAITING", "P95 WAIT", "LONGEST", "IN USE", *(["COST"] if priced else []))
    for plan in plans:
        answer = plan.answer
        known = (
            ["-"] * 4
            if answer is None
            else [*_waits(answer)[:1], *_waits(answer)[2:], format_percent(answer.utilisation, places=PLACES)]
        )
        seats = "none" if plan.seats is None else str(plan.seats)
        drawn.add_row(
            Text(plan.name), seats, seats_range(plan), *known, *([format_number(plan.cost, places=0)] if priced else [])
        )
    console.print(drawn)
    target = plans[0].target
    if target is None:
        return
    console.print()
    without = [plan.name for plan in plans if plan.seats is None]
    if without:
        console.print(Text(f"No sum: no number of seats gives {target} to {format_names(without)}"))
    else:
        console.print(f"{sum(plan.seats or 0 for plan in plans)} seats in all for {target}")


def worth_showing(plan: SeatPlan) -> list[Point]:
    """Returns every number near the result, and a few on both sides."""
    points = list(plan.curve)
    if plan.seats is None:
        step = max(1, len(points) // (2 * SPREAD))
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
        format_seconds(point.wait_p50_s),
        format_seconds(point.wait_p95_s),
        format_seconds(point.wait_max_s),
    ]


def _table(*headings: str) -> Table:
    return table(*headings, numbers=frozenset(headings) - {"POOL"})
