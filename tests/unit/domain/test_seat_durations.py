"""Eleven numbers tell how long seats were held."""

from hypothesis import given
from hypothesis import strategies as st

from seatpool.domain.seat_durations import SeatDurations

EVENLY = SeatDurations(101, tuple(range(0, 101, 10)))


def test_the_summary_is_the_shortest_the_deciles_and_the_longest() -> None:
    assert SeatDurations.of(range(101)) == EVENLY
    assert SeatDurations.of([7.0]) == SeatDurations(1, (7.0,) * 11)


@given(st.lists(st.floats(0, 1e6), min_size=20, max_size=300))
def test_a_summary_spread_out_again_has_nearly_the_same_summary(lengths: list[float]) -> None:
    before = SeatDurations.of(lengths)
    again = SeatDurations.of(before.spread(500))
    assert again.seats == before.seats
    step = max(later - earlier for earlier, later in zip(before.seconds, before.seconds[1:], strict=False))
    assert all(abs(one - other) <= step + 1e-6 for one, other in zip(before.seconds, again.seconds, strict=True))
