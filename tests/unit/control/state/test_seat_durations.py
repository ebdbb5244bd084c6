"""A pool's status says how long its seats are held, and is not written for each of them."""

from datetime import timedelta

from seatpool.api.licensepool import PoolSeatDurations
from seatpool.control.state.seat_durations import KEPT, RecentDurations
from seatpool.domain.allocation import Released
from seatpool.domain.reasons import Reason


def released(*hours: float, reason: Reason = Reason.WORKBENCHES_STOPPED) -> list[Released]:
    return [Released(f"u{number}", reason, timedelta(hours=held)) for number, held in enumerate(hours)]


def test_nothing_is_said_before_a_few_seats_have_ended() -> None:
    lengths = RecentDurations()
    lengths = lengths.after(released(1, 2, 3, 4), said=None)
    assert lengths.summary(None) is None
    lengths = lengths.after(released(5), said=None)
    said = lengths.summary(None)
    assert said is not None
    assert (said.seats, said.seconds[0], said.seconds[5], said.seconds[10]) == (5, 3600, 3 * 3600, 5 * 3600)


def test_what_is_said_stays_until_a_tenth_of_it_is_news() -> None:
    lengths = RecentDurations()
    lengths = lengths.after(released(*[1.0] * 100), said=None)
    first = lengths.summary(None)
    lengths = lengths.after(released(*[2.0] * 9), said=None)
    assert lengths.summary(first) is first
    lengths = lengths.after(released(2.0), said=None)
    second = lengths.summary(first)
    assert second is not None
    assert (second.seats, second.seconds[10]) == (110, 7200)


def test_a_seat_that_an_admin_or_a_rule_ended_tells_nothing() -> None:
    lengths = RecentDurations()
    lengths = lengths.after(released(*[1.0] * 30, reason=Reason.SEATS_REDUCED), said=None)
    assert lengths.summary(None) is None


def test_an_operator_that_starts_goes_on_with_what_the_status_says() -> None:
    before = PoolSeatDurations(seats=40, seconds=tuple(3600 * number for number in range(11)))
    lengths = RecentDurations()
    assert lengths.summary(before) is before
    lengths = lengths.after(released(*[20.0] * 5), said=before)
    after = lengths.summary(before)
    assert after is not None
    assert (after.seats, after.seconds[10]) == (45, 20 * 3600)
    assert 3600 * 4 < after.seconds[5] < 3600 * 8


def test_only_the_last_seats_count() -> None:
    lengths = RecentDurations()
    lengths = lengths.after(released(*[9.0] * KEPT), said=None)
    lengths.summary(None)
    lengths = lengths.after(released(*[1.0] * KEPT), said=None)
    said = lengths.summary(None)
    assert said is not None
    assert (said.seats, set(said.seconds)) == (KEPT, {3600})
