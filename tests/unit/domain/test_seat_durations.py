"""Eleven numbers tell how long a seat may still be held."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatpool.domain.seat_durations import SeatDurations

EVENLY = SeatDurations(101, tuple(range(0, 101, 10)))


def test_the_summary_is_the_shortest_the_deciles_and_the_longest() -> None:
    assert SeatDurations.of(range(101)) == EVENLY
    assert SeatDurations.of([7.0]) == SeatDurations(1, (7.0,) * 11)


@pytest.mark.parametrize(
    ("held", "share", "rest"), [(0, 0.5, 50), (50, 0.5, 25), (95, 0.5, 2.5), (50, 0.0, 0), (50, 1.0, 50)]
)
def test_the_rest_is_that_of_seats_which_were_held_for_longer(held: float, share: float, rest: float) -> None:
    assert EVENLY.rest(held, share=share) == pytest.approx(rest)


def test_nothing_is_known_of_a_seat_that_is_held_longer_than_any_before() -> None:
    assert EVENLY.rest(100, share=0.5) is None
    assert EVENLY.rest(101, share=0.5) is None


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.floats(0, 1e6), st.floats(0, 1))
@example([0.0, 0.0, 1000000.0], 999999.9999999999, 0.0)  # the share of shorter seats rounds to 1
def test_nobody_is_told_a_seat_that_ended_before_now_or_lasts_longer_than_the_longest(
    lengths: list[float], held: float, share: float
) -> None:
    rest = SeatDurations.of(lengths).rest(held, share=share)
    if held >= max(lengths):
        assert rest is None
    else:
        assert rest is not None
        assert 0 <= rest <= max(lengths) - held + 1e-6 * max(lengths)


@given(st.lists(st.floats(0, 1e6), min_size=20, max_size=300))
def test_a_summary_spread_out_again_has_nearly_the_same_summary(lengths: list[float]) -> None:
    before = SeatDurations.of(lengths)
    again = SeatDurations.of(before.spread(500))
    assert again.seats == before.seats
    step = max(later - earlier for earlier, later in zip(before.seconds, before.seconds[1:], strict=False))
    assert all(abs(one - other) <= step + 1e-6 for one, other in zip(before.seconds, again.seconds, strict=True))
