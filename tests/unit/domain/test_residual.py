"""Durations that are drawn from a summary are like the seats that it was made from."""

import math
import random
from statistics import mean

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatpool.domain.residual import Residual
from seatpool.domain.seat_durations import SeatDurations

MANY = 1_000_000
"""So many seats leave no doubt about the weight of each tenth."""
EVENLY = SeatDurations(MANY, tuple(float(number) for number in range(0, 101, 10)))


def drawn(durations: SeatDurations, seed: int = 0) -> Residual:
    return Residual(durations, random.Random(seed))


def test_nothing_is_known_of_a_seat_that_is_held_longer_than_any_before() -> None:
    assert drawn(EVENLY).rest(100) == math.inf
    assert drawn(EVENLY).rest(101) == math.inf


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60), st.floats(0, 1e6), st.integers(0, 99))
@example([0.0, 0.0, 1000000.0], 999999.9999999999, 0)  # the share of shorter seats rounds to 1
def test_no_seat_ended_before_now_or_lasts_longer_than_the_longest(
    lengths: list[float], held: float, seed: int
) -> None:
    residual = drawn(SeatDurations.of(lengths), seed)
    rest = residual.rest(held)
    assert (rest == math.inf) is (held >= max(lengths))
    if rest != math.inf:
        assert 0 <= rest <= max(lengths) - held + 1e-6 * max(lengths)
    assert min(lengths) - 1e-6 <= residual.whole() <= max(lengths) + 1e-6


@pytest.mark.parametrize("held", [0.0, 50.0])
def test_the_rest_is_that_of_seats_which_were_held_for_longer(held: float) -> None:
    """Up to the ninth decile the durations are spread evenly, so on average a bit less than half of the rest is left."""
    residual = drawn(EVENLY)
    rests = [residual.rest(held) for _ in range(4000)]
    assert 0.42 * (100 - held) < mean(rests) < 0.52 * (100 - held)


def test_long_seats_become_rarer_above_the_ninth_decile() -> None:
    """Seats of an exponential distribution lose nothing with age: the rest of each is as long as a whole one."""
    summary = SeatDurations(500, (*(-60 * math.log(1 - step / 10) for step in range(10)), 60 * math.log(501)))
    for held in (0.0, 60.0, 150.0):
        rests = [drawn(summary, seed).rest(held) for seed in range(4000)]
        assert 50 < mean(rests) < 70


def test_few_seats_leave_the_weight_of_each_tenth_open() -> None:
    def spread(seats: int) -> float:
        means = [mean(residual.whole() for _ in range(300)) for residual in (
            drawn(SeatDurations(seats, EVENLY.seconds), seed) for seed in range(60)
        )]  # fmt: skip
        return max(means) - min(means)

    assert spread(20) > 2 * spread(MANY)
