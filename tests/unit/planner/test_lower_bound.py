"""No number below the bound meets the target, whatever the rules are; so none of them is tried."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.planner.test_replay import demand, periods, some_rules
from tests.unit.planner.test_search import Some
from tests.unit.planner.test_seat_number import demand_of

from seatpool.domain.rules import PoolRules
from seatpool.planner.lower_bound import fewest_seats
from seatpool.planner.past_demand import PastDemand
from seatpool.planner.target import Target
from seatpool.planner.trials import Trials, replay_seats

TARGETS = [
    "p50 wait < 5m",
    "p95 wait <= 10m",
    "max wait < 7m",
    "share waiting < 20%",
    "share served within 3m >= 80%",
]


def counted(past: PastDemand, rules: PoolRules) -> PastDemand:
    return replace(past, needs=[need for need in past.needs if need.user not in rules.denied])


@settings(max_examples=400)
@given(periods, some_rules(), st.sampled_from(TARGETS).map(Target.read))
def test_every_number_below_the_bound_fails(some: Some, rules: PoolRules, target: Target) -> None:
    past = counted(demand(some), rules)
    bound = fewest_seats([past], rules, target)
    for waits in replay_seats([past], rules, range(bound)):
        assert not waits.meets(target)


@settings(max_examples=200)
@given(periods)
def test_the_bound_is_the_answer_where_nobody_may_wait(some: Some) -> None:
    past, target = demand(some), Target.read("share waiting <= 0%")
    assert fewest_seats([past], PoolRules(seats=0), target) == past.most_at_once


def test_a_cool_down_raises_the_bound() -> None:
    past = demand_of([(f"u{number}", 1000 * number, 1000 * number + 900) for number in range(20)])
    target, rules = Target.read("max wait < 1s"), PoolRules(seats=0)
    assert fewest_seats([past], rules, target) == 1
    cooling = replace(rules, seat_cool_down=demand_of([("a", 0, 2000)]).span)
    bound = fewest_seats([past], cooling, target)
    assert bound == 3
    assert Trials([past], cooling, processes=1).waits(bound).meets(target)
