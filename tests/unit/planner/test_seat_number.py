"""The number of seats is the one that a simulation finds which shares no code with the planner."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from tests.unit.planner.brute_force import NEVER, Need, longest, needs_in, p95, seats_for, waits_with
from typer.testing import CliRunner

from seatpool.cli.main import app
from seatpool.domain.rules import PoolRules
from seatpool.planner.past_demand import PastDemand, past_demand
from seatpool.planner.plan import PlanRequest, SeatPlan, make_plan
from seatpool.planner.target import Target

START = datetime(2026, 3, 2, tzinfo=UTC)
EXAMPLE = Path(__file__).parents[3] / "examples/events-matlab-lab.jsonl.gz"
TARGET = Target.read("p95 wait < 10m")


def random_needs(seed: int) -> list[Need]:
    """Some people over some days, at the hours at which people work; nobody's needs touch."""
    random = Random(seed)
    needs = []
    for number in range(random.randint(5, 25)):
        now = 0
        for day in range(random.randint(1, 6)):
            now = max(now + 1, day * 86_400 + int(random.gauss(9.5, 1.5) * 3600))
            for _ in range(random.randint(0, 3)):
                end = now + 1 + int(random.expovariate(1 / 5000))
                needs.append((f"u{number:02}", now, end))
                now = end + 1 + int(random.expovariate(1 / 3000))
    return needs


def demand_of(needs: list[Need]) -> PastDemand:
    def at(second: int) -> datetime:
        return START + timedelta(seconds=second)

    active: dict[str, list[tuple[datetime, datetime]]] = {}
    for user, begin, end in needs:
        active.setdefault(user, []).append((at(begin), at(end)))
    first, last = min(need[1] for need in needs), max(need[2] for need in needs)
    return past_demand("p", active.items(), since=at(first), until=at(last))


def plan_of(needs: list[Need], rules: PoolRules) -> SeatPlan:
    return make_plan(demand_of(needs), rules, PlanRequest(target=TARGET), processes=1)


@pytest.mark.parametrize("seed", range(30))
def test_a_random_history_needs_as_many_seats_as_a_count_by_the_second_says(seed: int) -> None:
    needs, linger = random_needs(seed), 900 * (seed % 2)
    plan = plan_of(needs, PoolRules(seats=0, linger=timedelta(seconds=linger)))
    assert plan.seats == seats_for(needs, p95_below=600, linger=linger)
    for point in plan.curve:
        waits = waits_with(needs, point.seats, linger=linger)
        assert (point.wait_p95_s, point.wait_max_s) == (p95(waits), longest(needs, waits))
        assert point.share_waiting == sum(wait > 0 for wait in waits) / len(waits)
        assert point.unserved == sum(wait == NEVER for wait in waits)
        assert point.share_unserved == point.unserved / len(waits)


def test_who_leaves_without_a_seat_is_never_served_and_no_short_wait() -> None:
    # Each day one user holds a seat for eight hours, and forty come for five minutes each.
    needs = [("long", day * 86_400, day * 86_400 + 28_800) for day in range(10)]
    needs += [
        (f"u{number}", begin, begin + 300)
        for day in range(10)
        for number in range(40)
        for begin in [day * 86_400 + 600 + 600 * number]
    ]
    for text, seats in (
        ("max wait < 10m", 2),
        ("p95 wait < 10m", 2),
        ("p50 wait < 10m", 2),
        ("share served within 10m >= 95%", 2),
        ("share served within 10m >= 2%", 1),
        ("share waiting < 98%", 1),
    ):
        plan = make_plan(demand_of(needs), PoolRules(seats=0), PlanRequest(target=Target.read(text)), processes=1)
        assert plan.seats == seats, text
        assert [point.unserved for point in plan.curve] == [400, 0]
        assert plan.curve[0].wait_p95_s == NEVER


@pytest.mark.parametrize("linger", [0, 900])
def test_the_lab_needs_as_many_seats_as_a_simulation_by_hand_says(linger: int) -> None:
    options = {
        "--events": EXAMPLE,
        "--type": "vew-matlab",
        "--target": "p95 wait < 10m",
        "--linger": f"{linger}s",
        "--resamples": 20,
    }
    words = [str(word) for option in options.items() for word in option]
    answer = CliRunner().invoke(app, ["plan", *words, "-o", "json"])
    assert answer.exit_code == 0, answer.output
    plan = json.loads(answer.output)
    needs = needs_in(EXAMPLE)
    assert plan["needs"] == len(needs)
    assert plan["seats"] == seats_for(needs, p95_below=600, linger=linger)
    assert [point["seats"] for point in plan["curve"]] == list(range(1, len(plan["curve"]) + 1))
    for point in plan["curve"][10::8]:
        waits = p95(waits_with(needs, point["seats"], linger=linger))
        assert point["wait_p95_s"] == (None if waits == NEVER else waits)
