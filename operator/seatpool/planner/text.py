"""Formats plans as JSON, by the names of the file format, and as sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from seatpool.api.base import format_instant
from seatpool.planner.event_lines import format_counts
from seatpool.planner.past import Past
from seatpool.planner.plan import Point, SeatPlan
from seatpool.planner.replay_result import NEVER_SERVED
from seatpool.text import format_count, format_names, format_percent, format_seconds


def as_json(plans: Sequence[SeatPlan], past: Past, left_out: Sequence[str]) -> dict[str, Any]:
    """Returns one plan as it is, several under `plans` with their sums. Unknown values are left out."""
    read: dict[str, Any] = {"source": past.source, "lines": past.lines, "passed_over": dict(past.passed_over)}
    read |= {"waits_not_known": past.waits_not_known} if past.waits_not_known else {}
    read |= {"pools_left_out": list(left_out)} if left_out else {}
    if len(plans) == 1:
        return _plan(plans[0]) | {"read": read}
    seats = sum_of_seats(plans)
    costs = [plan.cost for plan in plans if plan.cost is not None]
    sums: dict[str, Any] = {} if seats is None else {"seats": seats}
    sums |= {"cost": sum(costs)} if plans and len(costs) == len(plans) else {}
    return sums | {"plans": [_plan(plan) for plan in plans], "read": read}


def sum_of_seats(plans: Sequence[SeatPlan]) -> int | None:
    """Returns the seats of all plans. None: a plan has no number, or there is no plan."""
    seats = [plan.seats for plan in plans if plan.seats is not None]
    return sum(seats) if plans and len(seats) == len(plans) else None


def sum_told(plans: Sequence[SeatPlan]) -> str | None:
    """Returns the sum of several plans in a sentence. None: no target was given, so there is nothing to sum."""
    if len(plans) < 2 or plans[0].target is None:
        return None
    seats, without = sum_of_seats(plans), [plan.name for plan in plans if plan.seats is None]
    if seats is None:
        return f"No sum: no number of seats gives {plans[0].target} for {format_names(without)}"
    return f"{format_count(seats, 'seat')} in all for {plans[0].target}"


def headline(plan: SeatPlan) -> str:
    """Returns the result in a sentence."""
    if not plan.needs:
        return f"{plan.name}: nobody needed a seat"
    if plan.target is None:
        return f"{plan.name}: with {format_count(plan.nobody_waits_for_a_seat, 'seat')} nobody waits for one"
    if plan.seats is None:
        return f"{plan.name}: no number of seats gives {plan.target}"
    return f"{plan.name}: {format_count(plan.seats, 'seat')} for {plan.target}{_sureness(plan)}"


def verdict(plan: SeatPlan) -> list[str]:
    """Returns sentences about the result: who is never served, how sure the number is, and what more seats would help."""
    told = []
    if plan.target is not None and plan.seats is None and plan.needs:
        told.append(
            f"More than {format_count(plan.nobody_waits_for_a_seat, 'seat')} would help nobody: "
            "what still waits then waits because of the rules."
        )
    if plan.answer is not None:
        told.append(_never_served(plan, plan.answer))
    if plan.range_note is not None:
        told.append(f"{plan.range_note[:1].upper()}{plan.range_note[1:]}.")
    return told


def _never_served(plan: SeatPlan, answer: Point) -> str:
    if not answer.share_unserved:
        return f"With {format_count(answer.seats, 'seat')} every need is served."
    share = format_percent(answer.share_unserved, places=1)
    return (
        f"With {format_count(answer.seats, 'seat')} {answer.unserved:,} of {plan.needs:,} needs ({share}) are never served: "
        "they end before there is a seat."
    )


def format_wait(seconds: float) -> str:
    """Returns a wait as text. Infinite is `never`: a need that long in line is never served."""
    return "never" if seconds == NEVER_SERVED else format_seconds(seconds)


def circumstances(plan: SeatPlan) -> str:
    """Returns a sentence about the past that the plan is made from."""
    told = f"{plan.needs:,} {'need' if plan.needs == 1 else 'needs'} of {plan.users:,} people"
    told += f" from {plan.since:%Y-%m-%d} to {plan.until:%Y-%m-%d}, at most {plan.most_at_once:,} at once"
    if plan.seats_now is not None:
        told += f"; the pool has {plan.seats_now} now"
    if plan.growth != 1:
        told = f"{plan.growth:g} times the people: {told}"
    return told


def rules_told(plan: SeatPlan) -> str:
    """Returns the rules that were applied."""
    return ", ".join(f"{name} {value}" for name, value in plan.rules.items()) or "first come, first served"


def remarks(past: Past, left_out: Sequence[str]) -> list[str]:
    """Returns what could not be used of the input, and which pools no user needed."""
    told = []
    if past.passed_over.total():
        told.append(f"Not used of {past.source}: {format_counts(past.passed_over)}.")
    if past.waits_not_known:
        told.append(
            f"Not known of {past.source}: how long {past.waits_not_known:,} of the seats were waited for. "
            "The need is taken to begin with the seat."
        )
    if left_out:
        told.append(f"No workbench types of these pools are in {past.source}: {', '.join(left_out)}.")
    return told


def seats_range(plan: SeatPlan) -> str:
    """Returns the range of the result, such as `12 to 39`. A `?` marks one that may be too narrow."""
    if plan.seats_low is None:
        return "-"
    doubt = "?" if plan.range_note is not None else ""
    return f"{plan.seats_low} to {plan.seats_high if plan.seats_high is not None else 'more'}{doubt}"


def _sureness(plan: SeatPlan) -> str:
    if plan.seats_low is None:
        return ""
    return f" (90 % range {seats_range(plan)})"


def _plan(plan: SeatPlan) -> dict[str, Any]:
    told = _without_absent(plan)
    told["since"], told["until"] = format_instant(plan.since), format_instant(plan.until)
    told["rules"] = dict(plan.rules)
    told["curve"] = [_without_absent(point) for point in plan.curve]
    return {"type": told.pop("name"), "seats": plan.seats} | told


def _without_absent(one: SeatPlan | Point) -> dict[str, Any]:
    """Returns the fields that are known. A wait of a need that is never served is null, for JSON knows no infinity."""
    values: Mapping[str, Any] = {field.name: getattr(one, field.name) for field in fields(one)}
    return {name: None if value == NEVER_SERVED else value for name, value in values.items() if value is not None}
