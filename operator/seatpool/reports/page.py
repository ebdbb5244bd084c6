"""Renders a report as one HTML page that loads nothing, for a browser and for paper. It names no user."""

from seatpool.pages import Origin, render
from seatpool.reports import text
from seatpool.reports.facts import LATENCY_S
from seatpool.reports.figures import Figures
from seatpool.reports.pictures import Picture, over_time_picture, waiting_picture, week_picture
from seatpool.reports.question import By
from seatpool.reports.report import PoolPictured, WholeReport
from seatpool.text import format_count, format_number, format_percent, format_seconds

PICTURED = 12
"""Number of pools with pictures. The others are in the table."""


def page(report: WholeReport, origin: Origin) -> str:
    """Returns the whole HTML document."""
    rows = {row.name: row for row in report.tables[By.POOL]}
    return render(
        "seatpool.reports",
        origin,
        report=report,
        window=text.window(report.question),
        pools=[(rows[name], sentence(rows[name]), _pictures(pool, report)) for name, pool in report.pictured.items()],
        tables=[(text.TITLES[by], table) for by, table in report.tables.items() if by is not By.POOL],
        pool_rows=report.tables[By.POOL],
        priced=report.question.price.is_given,
        latency=LATENCY_S,
        length=format_seconds,
        percent=format_percent,
        number=format_number,
        counted=format_count,
    )


def sentence(row: Figures) -> str:
    """Returns the most important figures of a pool in one sentence."""
    parts = [f"At most {format_count(row.peak, 'seat')} at once, and no more than {row.p95} for 95 % of the time"]
    if row.seats is not None and row.seats and row.saturated_hours is not None:
        full = f"all {row.seats} in use for {format_number(row.saturated_hours)} hours"
        unused = f"{format_count(row.never_used or 0, 'seat')} of {row.seats} never used"
        parts.append(full if row.saturated_hours else unused)
    if row.share_waiting:
        waited = f"{format_percent(row.share_waiting)} of {row.needs:,} starts had to wait"
        parts.append(
            f"{waited}, and 5 % of all waited {format_seconds(row.wait_p95_s)} or longer"
            if row.wait_p95_s
            else f"{waited}, {format_seconds(row.wait_max_s)} at most"
        )
    elif row.needs:
        parts.append("how long users waited is not known" if row.share_waiting is None else "nobody had to wait")
    return "; ".join(parts) + "."


def _pictures(pool: PoolPictured, report: WholeReport) -> dict[str, Picture]:
    made = {"time": over_time_picture(pool, report.question), "week": week_picture(pool)}
    if pool.waiting is not None and pool.waiting.any_waited:
        made["waiting"] = waiting_picture(pool.seats.name, pool.waiting)
    return made
