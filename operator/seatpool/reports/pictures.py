"""Draws the pictures of a report as SVG text, which a page contains and prints sharp."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from seatpool.charts import BLUE, GRID, RED, SETTINGS, svg
from seatpool.reports.hours import HOURS_IN_A_DAY, WEEKDAYS
from seatpool.reports.question import Question
from seatpool.reports.report import PoolPictured
from seatpool.reports.text import window
from seatpool.reports.waiting import CLASSES, WaitClasses
from seatpool.text import format_count, format_number

PALE, GREY = "#a9c6e8", "#6a6a6a"
HEAT = LinearSegmentedColormap.from_list("seats", ["#f6f9fd", "#a9c6e8", "#1f5fa8", "#0b2c55"])
DARK_FROM = 0.48
"""A field of the heat map that is at least so dark has white letters."""


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture, and in words what it shows."""

    wide: Markup
    narrow: Markup | None
    """The same for a telephone: letters of the same size on half the width. None: the other one is small enough."""
    description: str


def over_time_picture(pool: PoolPictured, question: Question) -> Picture:
    """Draws the seats taken, at most and on average, and the line of the seats that there were."""
    taken = pool.seats.taken
    told = f"Seats taken from {window(question)}: {format_number(taken.mean)} on average, {taken.peak} at most"
    if pool.seats.seats is not None:
        told += f"; the pool had {format_count(int(pool.seats.seats.level[-1]), 'seat')} at the end"

    def draw(size: tuple[float, float], *, most_dates: int) -> Markup:
        with rc_context(SETTINGS):
            figure = Figure(figsize=size, layout="constrained")
            _draw_levels(figure.subplots(), pool, question, most_dates=most_dates)
            return _markup(svg(figure, title=f"Seats taken, {pool.seats.name}", description=told))

    return Picture(draw((9.2, 2.7), most_dates=11), draw((4.4, 2.9), most_dates=6), f"{told}.")


def week_picture(pool: PoolPictured) -> Picture:
    """Draws the average of the seats taken for each hour of the week. Hours run to the right, or down if it is narrow."""
    heat = np.full((len(WEEKDAYS), HOURS_IN_A_DAY), np.nan)
    for one in pool.week:
        heat[WEEKDAYS.index(one.day), one.hour] = one.mean
    told = _fullest_hour(pool)

    def draw(size: tuple[float, float], *, down: bool) -> Markup:
        with rc_context(SETTINGS):
            figure = Figure(figsize=size, layout="constrained")
            _draw_week(figure.subplots(), heat.T if down else heat, most=_most(pool), down=down)
            return _markup(svg(figure, title=f"Seats by hour of the week, {pool.seats.name}", description=told))

    return Picture(draw((5.4, 2.5), down=False), draw((4.4, 5.6), down=True), told)


def waiting_picture(pool: str, waiting: WaitClasses) -> Picture:
    """Draws how many needs waited how long. Needs without a wait are only named, because they would hide the others."""
    names, counts = [name for name, _ in CLASSES[1:]], waiting.counts[1:]
    classes = [f"{name} {count:,}" for name, count in zip(names, counts, strict=True) if count]
    told = f"Starts by how long they waited: {', '.join(classes)}."
    with rc_context(SETTINGS):
        figure = Figure(figsize=(3.7, 2.5), layout="constrained")
        axes = figure.subplots()
        bars = axes.barh(names, counts, color=BLUE, height=0.7)
        axes.bar_label(
            bars, labels=[f"{count:,}" if count else "" for count in counts], padding=3, color=GREY, fontsize=9
        )
        axes.invert_yaxis()
        axes.set_xlim(right=max(*counts, 1) * 1.2)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        return Picture(_markup(svg(figure, title=f"How long users waited, {pool}", description=told)), None, told)


def _markup(element: str) -> Markup:
    return Markup(element)  # noqa: S704


def _fullest_hour(pool: PoolPictured) -> str:
    if not pool.week:
        return "The time of the report has no whole hour."
    fullest = max(pool.week, key=lambda one: one.mean)
    told = (
        f"The fullest hour of the week is {fullest.day} {fullest.hour} h, "
        f"with {format_number(fullest.mean)} seats taken on average."
    )
    missing = HOURS_IN_A_DAY * len(WEEKDAYS) - len(pool.week)
    return (
        f"{told} {format_count(missing, 'hour')} of the week, left blank, are not in the report." if missing else told
    )


def _draw_week(axes: Axes, heat: Any, *, most: float, down: bool) -> None:
    axes.pcolormesh(heat, cmap=HEAT, vmin=0, vmax=most, edgecolors="white", linewidth=0.6, rasterized=False)
    for (row, column), mean in np.ndenumerate(heat):
        if not np.isnan(mean) and mean >= 0.5:
            colour = "white" if mean > most * DARK_FROM else "#333333"
            axes.text(column + 0.5, row + 0.5, f"{mean:.0f}", ha="center", va="center", fontsize=6.5, color=colour)
    axes.invert_yaxis()
    days, hours = (axes.set_xticks, axes.set_yticks) if down else (axes.set_yticks, axes.set_xticks)
    days(np.arange(len(WEEKDAYS)) + 0.5, WEEKDAYS)
    hours(np.arange(0, HOURS_IN_A_DAY + 1, 3), [f"{hour} h" for hour in range(0, HOURS_IN_A_DAY + 1, 3)])
    if down:
        axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_levels(axes: Axes, pool: PoolPictured, question: Question, *, most_dates: int) -> None:
    line = pool.timeline
    edges: list[Any] = [datetime.fromtimestamp(int(edge), question.zone) for edge in line.edges]
    axes.stairs(line.peak, edges, fill=True, color=PALE, label="at most")
    axes.stairs(line.mean, edges, color=BLUE, linewidth=1.1, label="on average")
    if pool.seats.seats is not None:
        at = np.append(pool.seats.seats.at, pool.seats.seats.end)
        instants: list[Any] = [datetime.fromtimestamp(int(instant), question.zone) for instant in at]
        axes.stairs(pool.seats.seats.level, instants, baseline=None, color=RED, linewidth=1.4, label="seats")
    axes.set_ylim(0, _top(pool))
    axes.set_xlim(edges[0], edges[-1])
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    locator = AutoDateLocator(tz=question.zone, minticks=most_dates // 2, maxticks=most_dates)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=question.zone))  # type: ignore[no-untyped-call]
    axes.grid(visible=True, axis="y", color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=9, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderpad=0)


def _top(pool: PoolPictured) -> float:
    highest = int(pool.timeline.peak.max(initial=1))
    if pool.seats.seats is not None:
        highest = max(highest, int(pool.seats.seats.level.max(initial=1)))
    return highest * 1.12


def _most(pool: PoolPictured) -> float:
    """Returns the value of the darkest colour: the number of seats, so that full pools look alike.

    Unknown: the fullest hour.
    """
    if pool.seats.seats is not None and int(pool.seats.seats.level.max()) > 0:
        return float(pool.seats.seats.level.max())
    return max([one.mean for one in pool.week] + [1.0])
