"""Levels are what counting second by second gives."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.reports.levels import Levels, sweep

BEGIN, END = 1_000_000, 1_000_120
Seat = tuple[int, int, int]

seats = st.lists(
    st.tuples(st.integers(0, 3), st.integers(BEGIN, END), st.integers(0, 60)).map(
        lambda seat: (seat[0], seat[1], min(END, seat[1] + seat[2]))
    ),
    min_size=1,
    max_size=25,
)


def swept(found: list[Seat]) -> dict[int, Levels]:
    group, begins, ends = (np.array(column, dtype=np.int64) for column in zip(*found, strict=True))
    return dict(sweep(group, begins, ends, begin=BEGIN, end=END))


def counted(found: list[Seat], group: int) -> list[int]:
    """How many seats the group has in each second."""
    return [sum(one == group and begin <= second < end for one, begin, end in found) for second in range(BEGIN, END)]


@given(seats)
def test_each_second_has_as_many_seats_as_are_held_in_it(found: list[Seat]) -> None:
    levels = swept(found)
    assert set(levels) == {group for group, _, _ in found}
    for group, level in levels.items():
        assert level(np.arange(BEGIN, END)).tolist() == counted(found, group)
        assert level.lasted.sum() == END - BEGIN


@given(seats)
def test_mean_peak_and_percentile_are_those_of_the_seconds(found: list[Seat]) -> None:
    for group, level in swept(found).items():
        seconds = sorted(counted(found, group))
        assert level.mean == pytest.approx(sum(seconds) / len(seconds))
        assert level.peak == seconds[-1]
        assert level.p95 == seconds[round(0.95 * len(seconds)) - 1]


@given(seats, st.lists(st.integers(0, END - BEGIN), min_size=2, max_size=6, unique=True))
def test_between_edges_the_highest_and_the_area_are_those_of_the_seconds(found: list[Seat], cuts: list[int]) -> None:
    edges = np.array(sorted(cuts), dtype=np.int64) + BEGIN
    for group, level in swept(found).items():
        seconds = counted(found, group)
        parts = [seconds[a - BEGIN : b - BEGIN] for a, b in itertools.pairwise(edges)]
        assert level.highest_between(edges).tolist() == [max(part) for part in parts]
        assert np.diff(level.area_until(edges)) == pytest.approx([sum(part) for part in parts])


def test_a_seat_that_passes_from_one_person_to_another_within_a_second_is_one() -> None:
    (levels,) = swept([(0, BEGIN, BEGIN + 50), (0, BEGIN + 50, END)]).values()
    assert levels.peak == 1


def test_nobody_has_no_levels() -> None:
    nothing = np.array([], dtype=np.int64)
    assert list(sweep(nothing, nothing, nothing, begin=BEGIN, end=END)) == []
