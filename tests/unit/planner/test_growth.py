"""The same past with more people, or fewer."""

from datetime import timedelta

import pytest
from tests.unit.planner.test_seat_number import demand_of

from seatpool.planner.growth import DRAWS, scale_users
from seatpool.planner.past_demand import PastDemand

DAY = 86_400


def month() -> PastDemand:
    """Ten people, each on the weekdays of four weeks."""
    return demand_of(
        [
            (f"u{number}", day * DAY + (30_000 + 600 * number), day * DAY + 40_000 + 600 * number)
            for number in range(10)
            for day in range(28)
            if day % 7 < 5
        ]
    )


def test_a_factor_of_one_is_the_past_itself() -> None:
    past = month()
    assert scale_users(past, 1, seed=1) == [past]


@pytest.mark.parametrize(("factor", "people"), [(1.2, 12), (3, 30), (0.5, 5), (0.01, 1)])
def test_there_are_so_many_times_the_people(factor: float, people: int) -> None:
    draws = scale_users(month(), factor, seed=1)
    assert [len(draw.users) for draw in draws] == [people] * DRAWS


def test_those_who_were_there_stay_as_they_were() -> None:
    past = month()
    for draw in scale_users(past, 2, seed=4):
        assert set(past.needs) <= set(draw.needs)
        assert (draw.since, draw.until) == (past.since, past.until)


def test_newcomers_come_on_the_same_days_at_about_the_same_time() -> None:
    past = month()
    for draw in scale_users(past, 2, seed=7):
        newcomers = [need for need in draw.needs if "+" in need.user]
        assert len(newcomers) == len(past.needs)
        for need in newcomers:
            like = [one.begin for one in past.needs if one.user == need.user.partition("+")[0]]
            assert min(abs(begin - need.begin) for begin in like) <= timedelta(minutes=30)


def test_a_day_on_which_all_come_together_grows_with_them() -> None:
    past = demand_of([(f"u{number}", 100 * number, 20_000) for number in range(20)])
    for draw in scale_users(past, 1.5, seed=3):
        assert draw.most_at_once == 30


def test_newcomers_do_not_start_in_the_same_second_as_the_one_they_were_drawn_from() -> None:
    past = month()
    begins = {need.begin for need in past.needs}
    draw = scale_users(past, 2, seed=7)[0]
    assert not any(need.begin in begins for need in draw.needs if "+" in need.user)


def test_no_need_begins_or_ends_outside_the_past() -> None:
    past = month()
    for draw in scale_users(past, 3, seed=9):
        assert all(past.since <= need.begin < need.end <= past.until for need in draw.needs)


def test_draws_differ_and_the_same_seed_draws_the_same() -> None:
    first, again, other = (scale_users(month(), 1.5, seed=seed) for seed in (1, 1, 50))
    assert first == again
    assert first != other
    assert first[0] != first[1]


def test_a_past_of_one_day_grows_too() -> None:
    past = demand_of([(f"u{number}", 100 * number, 100 * number + 5_000) for number in range(10)])
    assert past.span < timedelta(days=1)
    for draw in scale_users(past, 2, seed=2):
        assert len(draw.users) == 20
        assert all(past.since <= need.begin < need.end <= past.until for need in draw.needs)
