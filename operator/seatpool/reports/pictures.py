"""Draws the pictures of a report as SVG text, which a page contains and prints sharp."""

from datetime import datetime
from typing import Any

import numpy as np
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
from seatpool.reports.waiting import CLASSES, WaitClasses

PALE, GREY = "#a9c6e8", "#6a6a6a"
HEAT = LinearSegmentedColormap.from_list("seats", ["#f6f9fd", "#a9c6e8", "#1f5fa8", "#0b2c55"])
DARK_FROM = 0.48
"""A field of the heat map that is at least so dark has white letters."""


def over_time_picture(pool: PoolPictured, question: Question) -> str:
    """Draws the seats taken, at most and on average, and the line of the seats that there were."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(9.2, 2.7), layout="constrained")
        axes = figure.subplots()
        _draw_levels(axes, pool, question)
        return svg(figure)


def week_picture(pool: PoolPictured) -> str:
    """Draws the average of the seats taken for each hour of the week."""
    heat = np.full((len(WEEKDAYS), HOURS_IN_A_DAY), np.nan)
    for one in pool.week:
        heat[WEEKDAYS.index(one.day), one.hour] = one.mean
    with rc_context(SETTINGS):
        figure = Figure(figsize=(5.4, 2.5), layout="constrained")
        axes = figure.subplots()
        most = _most(pool)
        axes.pcolormesh(heat, cmap=HEAT, vmin=0, vmax=most, edgecolors="white", linewidth=0.6, rasterized=False)
        for (day, hour), mean in np.ndenumerate(heat):
            if not np.isnan(mean) and mean >= 0.5:
                colour = "white" if mean > most * DARK_FROM else "#333333"
                axes.text(hour + 0.5, day + 0.5, f"{mean:.0f}", ha="center", va="center", fontsize=6.5, color=colour)
        axes.invert_yaxis()
        axes.set_yticks(np.arange(len(WEEKDAYS)) + 0.5, WEEKDAYS)
        axes.set_xticks(np.arange(0, HOURS_IN_A_DAY + 1, 3), [f"{hour} h" for hour in range(0, HOURS_IN_A_DAY + 1, 3)])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        return svg(figure)


def waiting_picture(waiting: WaitClasses) -> str:
    """Draws how many needs waited how long. Needs without a wait are only named, because they would hide the others."""
    with rc_context(SETTINGS):
        figure = Figure(figsize=(3.7, 2.5), layout="constrained")
        axes = figure.subplots()
        names, counts = [name for name, _ in CLASSES[1:]], waiting.counts[1:]
        bars = axes.barh(names, counts, color=BLUE, height=0.7)
        axes.bar_label(
            bars, labels=[f"{count:,}" if count else "" for count in counts], padding=3, color=GREY, fontsize=9
        )
        axes.invert_yaxis()
        axes.set_xlim(right=max(*counts, 1) * 1.2)
        axes.xaxis.set_visible(False)
        axes.spines["bottom"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        return svg(figure)


def _draw_levels(axes: Axes, pool: PoolPictured, question: Question) -> None:
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
    locator = AutoDateLocator(tz=question.zone)  # type: ignore[no-untyped-call]
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
