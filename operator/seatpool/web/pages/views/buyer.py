"""What the page for those who buy seats shows: how a pool was used, and what another number of seats would have given."""

from dataclasses import dataclass

from seatpool.text import format_count, format_percent, format_seconds
from seatpool.web.usage import Plan, PlanPoint, Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class PointRow:
    """What one number of seats would have given."""

    seats: int
    share_served: float
    share_waiting: float
    share_never_served: float
    wait_p95_s: float | None
    utilisation: float
    is_now: bool
    meets_target: bool
    told: str
    """The whole of it in a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanView:
    """The plan of a pool."""

    answer: str
    range: str
    """How sure the number is."""
    rows: tuple[PointRow, ...]
    chosen: PointRow | None


def usage_answer(usage: Usage) -> str:
    """Returns what a buyer wants to know first, in a sentence."""
    waits = usage.waits
    if not usage.sessions and not waits.needs:
        return "Nobody needed a seat in this time"
    seats = f" of {usage.seats[-1].seats}" if usage.seats else ""
    peak = f"At most {usage.peak}{seats} seats were taken at once"
    if waits.share_waiting is None:
        return peak
    if waits.share_waiting == 0:
        return f"{peak}, and nobody had to wait"
    return f"{peak}, and {format_percent(waits.share_waiting)} of the starts had to wait"


def plan_view(plan: Plan, chosen: int | None) -> PlanView:
    """Returns the plan. `chosen` is the number of seats that the reader looks at. None: the one of the answer."""
    rows = tuple(_row(one, plan) for one in plan.points)
    wanted = next((number for number in (chosen, plan.seats, plan.seats_now) if number is not None), None)
    return PlanView(
        answer=_answer(plan),
        range=_range(plan),
        rows=rows,
        chosen=next((row for row in rows if row.seats == wanted), rows[0] if rows else None),
    )


def _answer(plan: Plan) -> str:
    if not plan.points:
        return "Nobody needed a seat in the past that was replayed"
    if plan.seats is None:
        return f"No number of seats that was tried meets the target ({plan.target})"
    if plan.seats == plan.seats_now:
        return f"The {format_count(plan.seats, 'seat')} of now are just enough"
    than = "more" if plan.seats > plan.seats_now else "fewer"
    difference = abs(plan.seats - plan.seats_now)
    return f"{format_count(plan.seats, 'seat')} would be enough: {difference} {than} than now"


def _range(plan: Plan) -> str:
    told = []
    if plan.seats is not None and plan.seats_low is not None and plan.seats_high is not None:
        same = plan.seats_low == plan.seats_high
        told.append(
            f"In 90 % of resampled pasts it is {plan.seats_low if same else f'{plan.seats_low} to {plan.seats_high}'}."
        )
    if plan.range_note:
        told.append(f"{plan.range_note[:1].upper()}{plan.range_note[1:].rstrip('.')}.")
    return " ".join(told)


def _row(point: PlanPoint, plan: Plan) -> PointRow:
    return PointRow(
        seats=point.seats,
        share_served=point.share_served,
        share_waiting=point.share_waiting,
        share_never_served=point.share_never_served,
        wait_p95_s=point.wait_p95_s,
        utilisation=point.utilisation,
        is_now=point.seats == plan.seats_now,
        meets_target=point.meets_target,
        told=_told(point),
    )


def _told(point: PlanPoint) -> str:
    told = f"With {format_count(point.seats, 'seat')}, {format_percent(point.share_served)} of the starts are served in time"
    told += f" and {format_percent(point.share_waiting)} wait"
    if point.never_served:
        told += f"; {format_percent(point.share_never_served)} never get a seat"
    if point.wait_p95_s:
        told += f". 95 % wait at most {format_seconds(point.wait_p95_s)}"
    return f"{told}. {format_percent(point.utilisation)} of the seat hours are used."
