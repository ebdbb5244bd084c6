"""Arithmetic on instants never fails."""

from datetime import UTC, datetime, timedelta

from seatpool.domain.instants import NEVER, after

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def test_an_ordinary_sum_is_exact() -> None:
    assert after(START, timedelta(microseconds=1)) - START == timedelta(microseconds=1)


def test_a_sum_beyond_the_calendar_is_never() -> None:
    assert after(START, timedelta.max) == NEVER


def test_a_sum_in_the_last_hours_of_the_calendar_is_never() -> None:
    assert after(datetime(9999, 12, 30, 23, tzinfo=UTC), timedelta(hours=2)) == NEVER
