"""The age of the oldest message that waits for us."""

from datetime import UTC, datetime, timedelta

from seatpool.mirror.queue.message_age import FORGOTTEN, MessageAge
from seatpool.mirror.queue.sqs_queue import Message

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


def message(name: str, *, age: int = 0) -> Message:
    return Message(id=name, receipt="r", body="{}", sent_at=START - timedelta(seconds=age), receives=1)


def test_an_empty_queue_has_no_age() -> None:
    assert MessageAge(Clock()).oldest_age() == 0


def test_the_oldest_counts_and_grows_older_until_it_is_done_with() -> None:
    clock = Clock()
    ages = MessageAge(clock)
    ages.received([message("new"), message("old", age=30)])
    clock.now += timedelta(seconds=12)
    assert ages.oldest_age() == 42
    ages.acknowledged(["old"])
    assert ages.oldest_age() == 12
    ages.acknowledged(["new", "never seen"])
    assert ages.oldest_age() == 0


def test_a_message_that_comes_back_again_and_again_stays_and_one_that_does_not_is_forgotten() -> None:
    clock = Clock()
    ages = MessageAge(clock)
    ages.received([message("back"), message("gone")])
    clock.now += FORGOTTEN
    ages.received([message("back")])
    clock.now += timedelta(seconds=1)
    assert ages.oldest_age() == FORGOTTEN.total_seconds() + 1
    ages.acknowledged(["back"])
    assert ages.oldest_age() == 0


def test_a_clock_that_is_behind_the_queues_makes_no_negative_age() -> None:
    ages = MessageAge(Clock())
    ages.received([message("future", age=-5)])
    assert ages.oldest_age() == 0
