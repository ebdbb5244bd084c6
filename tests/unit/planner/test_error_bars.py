"""How sure an answer is: days are drawn whole, and the same seed draws the same."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.planner.test_seat_number import START, demand_of

from seatpool.domain.rules import PoolRules
from seatpool.planner.error_bars import ErrorBars, ResampledPasts, error_bars, range_of_seats
from seatpool.planner.past_demand import PastDemand, past_demand
from seatpool.planner.plan import PlanRequest, make_plan
from seatpool.planner.target import Target
from seatpool.planner.trials import Trials, replay_seats
from seatpool.planner.waits import Waits

TARGET = Target.read("p95 wait < 10m")
DAY = 86_400


def days_of(crowds: list[int]) -> PastDemand:
    """On each day so many people work from nine to ten."""
    needs = [
        (f"u{number:02}", day * DAY + 32_400 + number, day * DAY + 36_000)
        for day, crowd in enumerate(crowds)
        for number in range(crowd)
    ]
    return demand_of(needs) if needs else past_demand("p", [], since=START, until=START)


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


def test_fewer_than_ten_days_have_no_error_bar_and_the_plan_says_why() -> None:
    plan = make_plan(days_of([5, 9, 4, 6] * 2), PoolRules(seats=0), PlanRequest(target=TARGET), processes=1)
    assert (plan.seats_low, plan.seats_high) == (None, None)
    assert plan.range_note == "no range: needs began on 8 days, and a range takes 10"
    assert plan.curve[0].wait_p95_low_s is None


@pytest.mark.parametrize(
    ("days", "note"),
    [(12, "short past: needs began on 12 days"), (54, "short past: needs began on 54 days"), (57, None)],
)
def test_the_range_of_a_short_past_is_marked(days: int, note: str | None) -> None:
    plan = make_plan(days_of([20, 8, 14] * (days // 3)), PoolRules(seats=0), PlanRequest(target=TARGET), processes=1)
    assert plan.seats_low is not None
    assert plan.range_note is None if note is None else (plan.range_note or "").startswith(note)


@pytest.mark.parametrize(
    ("text", "note"), [("max wait < 10m", "a maximum has none"), ("p99.9 wait < 10m", "as good as a maximum")]
)
def test_a_maximum_has_no_range(text: str, note: str) -> None:
    request = PlanRequest(target=Target.read(text))
    plan = make_plan(days_of([20, 8, 14] * 20), PoolRules(seats=0), request, processes=1)
    assert plan.seats is not None
    assert (plan.seats_low, plan.seats_high) == (None, None)
    assert note in (plan.range_note or "")


def test_weeks_that_differ_are_drawn_as_a_whole() -> None:
    busy_first, busy_scattered = [25] * 35 + [10] * 35, [25, 10] * 35
    (low, high), (near_low, near_high) = (
        bars_of([days_of(crowds)]).seats or (0, 0) for crowds in (busy_first, busy_scattered)
    )
    assert high is not None
    assert near_high is not None
    assert low < near_low <= near_high <= high
    assert "10 weeks differ" in (bars_of([days_of(busy_first)]).note or "")
    assert bars_of([days_of(busy_scattered)]).note is None


def test_weekdays_that_differ_are_no_weeks_that_differ() -> None:
    assert bars_of([days_of([40, 10, 12, 9, 11, 1, 2] * 8)]).note is None


@settings(max_examples=60)
@given(
    st.lists(st.integers(0, 30), min_size=10, max_size=30), st.sampled_from(["p95 wait < 10m", "share waiting < 5%"])
)
def test_the_bars_are_the_same_whichever_numbers_were_tried_before(crowds: list[int], text: str) -> None:
    past, target = days_of(crowds), Target.read(text)
    found = []
    for tried in (range(1, 31), (20, 30), (1, 30), (7, 23, 30)):
        trials = Trials([past], PoolRules(seats=0), processes=1)
        trials.run(tried)
        pasts = ResampledPasts(trials.tried[-1], resamples=60, seed=1)
        found.append(range_of_seats(trials, target, pasts, lowest=1, top=30))
    assert found[1:] == found[:1] * 3


def test_the_same_seed_draws_the_same_days() -> None:
    past = [days_of([13, 19, 14, 22, 16, 18, 12, 15, 17, 20, 60, 11])]
    bars = [bars_of(past, resamples=40, seed=seed) for seed in (1, 1, 2)]
    assert bars[0] == bars[1] != bars[2]


def test_a_past_in_which_each_day_was_once_is_the_past_itself() -> None:
    for waits in replay_seats([days_of([3, 9, 4, 12, 6, 8, 2])], PoolRules(seats=0), range(1, 12)):
        for percent in (50, 95):
            once = Counter(waits.needs_of_day.keys())
            assert waits.resampled_percentile(once, percent) == waits.percentile(percent)


def test_a_day_that_was_drawn_twice_counts_twice() -> None:
    waits = Waits(1, [(60.0, (0, 1))], Counter({(0, 1): 1, (0, 2): 9}), 60.0, 0.5, 1)
    assert waits.resampled_percentile(Counter({(0, 1): 2}), 50) == 60.0
    assert waits.resampled_percentile(Counter({(0, 1): 1, (0, 2): 1}), 90) == 0.0
    assert waits.resampled_percentile(Counter({(0, 1): 2, (0, 2): 1}), 90) == 60.0


def bars_of(draws: Sequence[PastDemand], target: Target = TARGET, *, resamples: int = 200, seed: int = 1) -> ErrorBars:
    trials = Trials(draws, PoolRules(seats=0), processes=1)
    trials.run(range(1, 61))
    return error_bars(trials, target, lowest=1, top=60, resamples=resamples, seed=seed)


def test_the_bars_of_several_draws_are_not_narrower_because_there_are_several() -> None:
    past = days_of([13, 19, 14, 32, 16, 18, 12, 15, 17, 20])
    one, many = (bars_of([past] * draws, resamples=400, seed=3).seats for draws in (1, 20))
    assert one is not None
    assert many is not None
    for end, of_many in zip(one, many, strict=True):
        assert end is not None
        assert of_many is not None
        assert abs(end - of_many) <= 1
    assert many[1] is not None
    assert many[1] - many[0] >= 3


def test_the_length_of_a_day_does_not_depend_on_when_the_past_began() -> None:
    past = days_of([3, 3, 3, 3, 3])
    assert past.span < timedelta(days=5)
    assert len(replay_seats([past], PoolRules(seats=0), [3])[0].needs_of_day) == 5


def test_numbers_that_were_asked_for_have_error_bars_even_where_more_seats_help_nobody() -> None:
    question = PlanRequest(target=TARGET, numbers=range(3, 31, 9))
    plan = make_plan(days_of([5] * 9 + [12]), PoolRules(seats=0), question, processes=1)
    assert [point.seats for point in plan.curve] == [3, 12, 21, 30]
    assert all(point.wait_p95_high_s is not None for point in plan.curve)
