"""How sure an answer is: days are drawn whole, and the same seed draws the same."""

from collections import Counter
from datetime import timedelta

import pytest
from tests.unit.planner.test_seat_number import demand_of

from seatpool.domain.rules import PoolRules
from seatpool.planner.error_bars import error_bars
from seatpool.planner.past_demand import PastDemand
from seatpool.planner.plan import PlanRequest, make_plan
from seatpool.planner.target import Target
from seatpool.planner.trials import replay_seats
from seatpool.planner.waits import Waits

TARGET = Target.read("p95 wait < 10m")
DAY = 86_400


def days_of(crowds: list[int]) -> PastDemand:
    """On each day so many people work from nine to ten."""
    return demand_of(
        [
            (f"u{number:02}", day * DAY + 32_400 + number, day * DAY + 36_000)
            for day, crowd in enumerate(crowds)
            for number in range(crowd)
        ]
    )


def test_a_past_whose_days_are_alike_leaves_no_doubt() -> None:
    plan = make_plan(days_of([20] * 10), PoolRules(seats=0), PlanRequest(target=TARGET), processes=1)
    assert plan.seats == plan.seats_low == plan.seats_high == 19


def test_one_busy_day_among_many_makes_the_error_bar_wide() -> None:
    plan = make_plan(days_of([5] * 14 + [40]), PoolRules(seats=0), PlanRequest(target=TARGET), processes=1)
    assert plan.seats is not None
    assert plan.seats_low is not None
    assert plan.seats_high is not None
    assert plan.seats_low < 10 < plan.seats_high
    assert plan.seats_low <= plan.seats <= plan.seats_high


def test_fewer_than_five_days_have_no_error_bar() -> None:
    plan = make_plan(days_of([5, 9, 4, 6]), PoolRules(seats=0), PlanRequest(target=TARGET), processes=1)
    assert (plan.seats_low, plan.seats_high) == (None, None)
    assert plan.curve[0].wait_p95_low_s is None


def test_the_same_seed_draws_the_same_days() -> None:
    curve = replay_seats([days_of([3, 9, 4, 12, 6, 8, 2])], PoolRules(seats=0), range(1, 12))
    bars = [error_bars(curve, TARGET, resamples=40, seed=seed) for seed in (1, 1, 2)]
    assert bars[0] == bars[1] != bars[2]


@pytest.mark.parametrize("text", ["p95 wait < 10m", "p50 wait < 10m", "max wait < 10m", "share waiting < 5%"])
def test_a_past_in_which_each_day_was_once_is_the_past_itself(text: str) -> None:
    target = Target.read(text)
    for waits in replay_seats([days_of([3, 9, 4, 12, 6, 8, 2])], PoolRules(seats=0), range(1, 12)):
        assert waits.resampled_value(Counter(waits.needs_of_day.keys()), target) == waits.value(target)


def test_a_day_that_was_drawn_twice_counts_twice() -> None:
    waits = Waits(1, [(60.0, (0, 1))], Counter({(0, 1): 1, (0, 2): 9}), 0, 0.5, 1)
    share = Target.read("share waiting < 5%")
    assert waits.resampled_value(Counter({(0, 1): 2}), share) == 1.0
    assert waits.resampled_value(Counter({(0, 1): 1, (0, 2): 2}), share) == 1 / 19


def test_the_bars_of_several_draws_are_not_narrower_because_there_are_several() -> None:
    past = days_of([3, 9, 4, 12, 6, 8, 2])
    seats = []
    for draws in (1, 20):
        bars = error_bars(replay_seats([past] * draws, PoolRules(seats=0), range(1, 13)), TARGET, resamples=400, seed=3)
        assert bars is not None
        assert bars.seats is not None
        seats.append(bars.seats)
    for one, of_many in zip(*seats, strict=True):
        assert one is not None
        assert of_many is not None
        assert abs(one - of_many) <= 1
    low, high = seats[1]
    assert high is not None
    assert high - low >= 3


def test_the_length_of_a_day_does_not_depend_on_when_the_past_began() -> None:
    past = days_of([3, 3, 3, 3, 3])
    assert past.span < timedelta(days=5)
    assert len(replay_seats([past], PoolRules(seats=0), [3])[0].needs_of_day) == 5


def test_numbers_that_were_asked_for_have_error_bars_even_where_more_seats_help_nobody() -> None:
    question = PlanRequest(target=TARGET, numbers=range(3, 31, 9))
    plan = make_plan(days_of([5] * 9 + [12]), PoolRules(seats=0), question, processes=1)
    assert [point.seats for point in plan.curve] == [3, 12, 21, 30]
    assert all(point.wait_p95_high_s is not None for point in plan.curve)
