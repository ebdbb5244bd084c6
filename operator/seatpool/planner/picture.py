"""Draws waits by number of seats as SVG text, which a page contains and prints sharp."""

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from seatpool.charts import BLUE, GRID, RED, SETTINGS, svg
from seatpool.planner.plan import Point, SeatPlan
from seatpool.planner.replay_result import NEVER_SERVED
from seatpool.planner.target import Statistic, Target
from seatpool.planner.text import format_wait
from seatpool.text import format_count, format_percent, format_seconds

WIDE, NARROW = (8.6, 5.4), (4.4, 6.4)
"""Width and height in inches."""
GREY, GREEN = "#7a7a7a", "#2e7d32"
MARKS = (0, 60, 600, 3600, 4 * 3600, 86_400, 7 * 86_400, 30 * 86_400)
"""Waits at the marks of the axis, in seconds."""
LINEAR_BELOW = 60
LOWEST_SHOWN = 0.5


def curve_picture(plan: SeatPlan, *, narrow: bool = False) -> str:
    """Draws the waits, and below them the share of users who wait and the use of the seats.

    `narrow` is for a telephone: the same letters on half the width.
    """
    points = worth_drawing(plan)
    with rc_context(SETTINGS):
        figure = Figure(figsize=NARROW if narrow else WIDE, layout="constrained")
        waits, shares = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.3))
        _draw_waits(waits, points, plan, columns=1 if narrow else 3)
        _draw_shares(shares, points, columns=1 if narrow else 3)
        for axes in (waits, shares):
            axes.grid(visible=True, color=GRID, linewidth=0.7)
            axes.set_axisbelow(True)
            if plan.seats is not None:
                axes.axvline(plan.seats, color=GREEN, linewidth=1.4)
        return svg(figure, title=f"Waits by number of seats, {plan.name}", description=description(plan))


def description(plan: SeatPlan) -> str:
    """Returns in words what the picture shows."""
    points = worth_drawing(plan)
    shown = {point.seats: point for point in (points[0], *([plan.answer] if plan.answer else []), points[-1])}
    told = [
        f"with {format_count(seats, 'seat')} {format_percent(point.share_waiting)} of all starts wait, "
        f"{format_percent(point.share_unserved)} are never served, p95 wait {format_wait(point.wait_p95_s)}"
        for seats, point in shown.items()
    ]
    return f"Waits, starts that wait and use of the seats by number of seats: {'; '.join(told)}."


def worth_drawing(plan: SeatPlan) -> Sequence[Point]:
    """Returns the points, without numbers far below the result, with which all users wait for days."""
    if plan.seats is None:
        return plan.curve
    return [point for point in plan.curve if point.seats >= plan.seats * LOWEST_SHOWN]


def _draw_waits(axes: Axes, points: Sequence[Point], plan: SeatPlan, *, columns: int) -> None:
    seats = [point.seats for point in points]
    target = Target.read(plan.target) if plan.target is not None else None
    limit = None
    if target is not None and target.statistic is not Statistic.SHARE:
        limit = target.longest_good_wait
    finite = [wait for point in points for wait in (point.wait_p95_high_s, point.wait_max_s) if wait is not None]
    top = 1.6 * max([wait for wait in finite if wait != NEVER_SERVED] + [600, limit or 0])
    beyond = top * 4  # a need that is never served is beyond the picture
    if all(point.wait_p95_low_s is not None and point.wait_p95_high_s is not None for point in points):
        low = [min(point.wait_p95_low_s or 0.0, beyond) for point in points]
        high = [min(point.wait_p95_high_s or 0.0, beyond) for point in points]
        axes.fill_between(seats, low, high, color=BLUE, alpha=0.15, linewidth=0, label="p95, 90 % range")
    axes.plot(seats, [point.wait_max_s for point in points], color=GREY, linestyle=":", label="longest")
    p95, p50 = ([min(wait, beyond) for wait in waits] for waits in zip(*map(_percentiles, points), strict=True))
    axes.plot(seats, p95, color=BLUE, marker="o", markersize=3, label="p95")
    axes.plot(seats, p50, color=BLUE, linestyle="--", linewidth=1, label="p50")
    if limit is not None:
        axes.axhline(limit, color=RED, linewidth=1, label=f"target: {plan.target}")
    axes.set_yscale("symlog", linthresh=LINEAR_BELOW, linscale=0.4)
    axes.set_ylim(-2, top)
    axes.yaxis.set_major_locator(FixedLocator([mark for mark in MARKS if mark <= top]))
    axes.yaxis.set_minor_locator(FixedLocator([]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_seconds(float(value))))
    axes.set_ylabel("wait for a seat")
    if plan.seats is not None:
        text = format_count(plan.seats, "seat")
        axes.annotate(text, (plan.seats, top), (4, -2), textcoords="offset points", va="top", color=GREEN)
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderpad=0)


def _percentiles(point: Point) -> tuple[float, float]:
    return point.wait_p95_s, point.wait_p50_s


def _draw_shares(axes: Axes, points: Sequence[Point], *, columns: int) -> None:
    seats = [point.seats for point in points]
    axes.plot(seats, [point.share_waiting * 100 for point in points], color=BLUE, label="starts that wait")
    axes.plot(seats, [point.share_unserved * 100 for point in points], color=RED, label="never served")
    axes.plot(seats, [point.utilisation * 100 for point in points], color=GREY, label="seats in use")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("seats")
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, borderpad=0)
