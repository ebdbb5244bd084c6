"""A message that comes back stays away longer each time, but never for so long that it is forgotten."""

from datetime import timedelta

from seatpool.mirror.queue.ack import LONGEST_RETRY, LONGEST_RETRY_SOON, RETRY_SOON, Ack, AckAction, delay

VISIBILITY = timedelta(seconds=30)
RETRY = Ack(action=AckAction.RETRY)


def hidden(ack: Ack, receives: int, visibility: timedelta = VISIBILITY) -> timedelta:
    return ack.hidden_for(receives=receives, visibility=visibility)


def test_five_receives_of_a_message_that_cannot_be_handled_cover_an_outage_of_half_an_hour() -> None:
    assert sum((hidden(RETRY, n) for n in range(1, 5)), timedelta()) > timedelta(minutes=25)
    assert hidden(RETRY, 10_000) == LONGEST_RETRY


def test_a_visibility_that_is_longer_than_the_longest_pause_is_kept() -> None:
    assert hidden(RETRY, 1, timedelta(hours=1)) == timedelta(hours=1)


def test_an_instance_that_is_not_visible_yet_is_looked_for_soon_and_then_less_often() -> None:
    assert [hidden(RETRY_SOON, n).total_seconds() for n in (1, 2, 3)] == [3, 6, 12]
    assert hidden(RETRY_SOON, 10_000) == LONGEST_RETRY_SOON


def test_what_is_due_later_comes_back_then_however_often_it_came() -> None:
    assert hidden(delay(timedelta(seconds=90)), 4) == timedelta(seconds=90)
