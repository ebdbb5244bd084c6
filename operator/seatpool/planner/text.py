"""Formats plans as JSON, by the names of the file format, and as sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from seatpool.api.base import format_instant
from seatpool.planner.past import Past
from seatpool.planner.plan import Point, SeatPlan
from seatpool.text import format_count


def as_json(plans: Sequence[SeatPlan], past: Past, left_out: Sequence[str]) -> dict[str, Any]:
    """Returns one plan as it is, several under `plans` with their sums. Unknown values are left out."""
    read: dict[str, Any] = {"source": past.source, "lines": past.lines, "passed_over": dict(past.passed_over)}
    read |= {"pools_left_out": list(left_out)} if left_out else {}
    if len(plans) == 1:
        return _plan(plans[0]) | {"read": read}
    seats = [plan.seats for plan in plans if plan.seats is not None]
    costs = [plan.cost for plan in plans if plan.cost is not None]
    sums: dict[str, Any] = {"seats": sum(seats)} if len(seats) == len(plans) else {}
    sums |= {"cost": sum(costs)} if len(costs) == len(plans) else {}
    return sums | {"plans": [_plan(plan) for plan in plans], "read": read}


def headline(plan: SeatPlan) -> str:
    """Returns the result in a sentence."""
    if plan.target is None:
        return f"{plan.name}: with {plan.nobody_waits_for_a_seat} seats nobody waits for one"
    if plan.seats is None:
        return f"{plan.name}: no number of seats gives {plan.target}"
    return f"{plan.name}: {format_count(plan.seats, 'seat')} for {plan.target}{_sureness(plan)}"


def circumstances(plan: SeatPlan) -> str:
    """Returns a sentence about the past that the plan is made from."""
    told = (
        f"{format_count(plan.needs, 'need')} of {plan.users} people from {plan.since:%Y-%m-%d} to {plan.until:%Y-%m-%d}, "
        f"at most {plan.most_at_once} at once"
    )
    if plan.seats_now is not None:
        told += f"; the pool has {plan.seats_now} now"
    if plan.growth != 1:
        told = f"{plan.growth:g} times the people: {told}"
    return told


def rules_told(plan: SeatPlan) -> str:
    """Returns the rules that were applied."""
    return ", ".join(f"{name} {value}" for name, value in plan.rules.items()) or "no rules but the order of coming"


def remarks(past: Past, left_out: Sequence[str]) -> list[str]:
    """Returns what could not be used of the input, and which pools no user needed."""
    told = []
    if past.passed_over.total():
        reasons = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in past.passed_over.most_common())
        told.append(f"Not used of {past.source}: {reasons}.")
    if left_out:
        told.append(f"No workbench types of these pools are in {past.source}: {', '.join(left_out)}.")
    return told


def seats_range(plan: SeatPlan) -> str:
    """Returns the error bar of the result, such as `12 to 39`."""
    if plan.seats_low is None:
        return "-"
    return f"{plan.seats_low} to {plan.seats_high if plan.seats_high is not None else 'more'}"


def _sureness(plan: SeatPlan) -> str:
    if plan.seats_low is None:
        return ""
    return f" (error bar {seats_range(plan)})"


def _plan(plan: SeatPlan) -> dict[str, Any]:
    told = _without_absent(plan)
    told["since"], told["until"] = format_instant(plan.since), format_instant(plan.until)
    told["rules"] = dict(plan.rules)
    told["curve"] = [_without_absent(point) for point in plan.curve]
    return {"type": told.pop("name"), "seats": plan.seats} | told


def _without_absent(one: SeatPlan | Point) -> dict[str, Any]:
    values: Mapping[str, Any] = {field.name: getattr(one, field.name) for field in fields(one)}
    return {name: value for name, value in values.items() if value is not None}
