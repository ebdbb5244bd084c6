"""Draws waits by number of seats as SVG text, which a page contains and prints sharp."""

from collections.abc import Sequence

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from seatpool.charts import BLUE, GRID, RED, SETTINGS, svg
from seatpool.planner.plan import Point, SeatPlan
from seatpool.planner.target import Statistic, Target
from seatpool.text import format_seconds

GREY, GREEN = "#7a7a7a", "#2e7d32"
MARKS = (0, 60, 600, 3600, 4 * 3600, 86_400, 7 * 86_400, 30 * 86_400)
"""Waits at the marks of the axis, in seconds."""
LINEAR_BELOW = 60
LOWEST_SHOWN = 0.5


def curve_picture(plan: SeatPlan) -> str:
    """Draws the waits, and below them the share of users who wait and the use of the seats."""
    points = worth_drawing(plan)
    with rc_context(SETTINGS):
        figure = Figure(figsize=(8.6, 5.4), layout="constrained")
        waits, shares = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.3))
        _draw_waits(waits, points, plan)
        _draw_shares(shares, points)
        for axes in (waits, shares):
            axes.grid(visible=True, color=GRID, linewidth=0.7)
            axes.set_axisbelow(True)
            if plan.seats is not None:
                axes.axvline(plan.seats, color=GREEN, linewidth=1.4)
        return svg(figure)


def worth_drawing(plan: SeatPlan) -> Sequence[Point]:
    """Returns the points, without numbers far below the result, with which all users wait for days."""
    if plan.seats is None:
        return plan.curve
    return [point for point in plan.curve if point.seats >= plan.seats * LOWEST_SHOWN]


def _draw_waits(axes: Axes, points: Sequence[Point], plan: SeatPlan) -> None:
    seats = [point.seats for point in points]
    if all(point.wait_p95_low_s is not None and point.wait_p95_high_s is not None for point in points):
        low = [point.wait_p95_low_s or 0.0 for point in points]
        high = [point.wait_p95_high_s or 0.0 for point in points]
        axes.fill_between(seats, low, high, color=BLUE, alpha=0.15, linewidth=0, label="p95, error bar")
    axes.plot(seats, [point.wait_max_s for point in points], color=GREY, linestyle=":", label="longest")
    axes.plot(seats, [point.wait_p95_s for point in points], color=BLUE, marker="o", markersize=3, label="p95")
    axes.plot(seats, [point.wait_p50_s for point in points], color=BLUE, linestyle="--", linewidth=1, label="p50")
    target = Target.read(plan.target) if plan.target is not None else None
    if target is not None and target.statistic is not Statistic.SHARE:
        axes.axhline(target.limit, color=RED, linewidth=1, label=f"target: {plan.target}")
    top = max([point.wait_p95_high_s or point.wait_max_s for point in points] + [p.wait_max_s for p in points] + [600])
    axes.set_yscale("symlog", linthresh=LINEAR_BELOW, linscale=0.4)
    axes.set_ylim(-2, top * 1.6)
    axes.yaxis.set_major_locator(FixedLocator([mark for mark in MARKS if mark <= top * 1.6]))
    axes.yaxis.set_minor_locator(FixedLocator([]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_seconds(float(value))))
    axes.set_ylabel("wait for a seat")
    if plan.seats is not None:
        text = f"{plan.seats} seats"
        axes.annotate(text, (plan.seats, top * 1.6), (4, -2), textcoords="offset points", va="top", color=GREEN)
    axes.legend(frameon=False, fontsize=9, loc="upper right")


def _draw_shares(axes: Axes, points: Sequence[Point]) -> None:
    seats = [point.seats for point in points]
    axes.plot(seats, [point.share_waiting * 100 for point in points], color=BLUE, label="starts that wait")
    axes.plot(seats, [point.utilisation * 100 for point in points], color=GREY, label="seats in use")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0f} %"))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("seats")
    axes.legend(frameon=False, fontsize=9, loc="upper right")
