"""Accounts that nobody listed are shown while their events come, and cannot fill the memory."""

from datetime import UTC, datetime, timedelta

from seatpool.mirror.regions import AccountRegion
from seatpool.mirror.unknown_accounts import MOST, SHOWN_FOR, UnknownAccounts

STRANGER = AccountRegion("999999999999", "eu-central-1")


class Clock:
    now = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_it_is_shown_since_its_first_event_until_an_hour_after_its_last() -> None:
    clock = Clock()
    unknown = UnknownAccounts(clock)
    began = clock.now
    unknown.add(STRANGER)
    clock.now += timedelta(minutes=50)
    unknown.add(STRANGER)
    clock.now += SHOWN_FOR
    assert [(str(one), one.since) for one in unknown.current()] == [("999999999999/eu-central-1", began)]
    clock.now += timedelta(seconds=1)
    assert unknown.current() == ()


def test_whoever_makes_up_accounts_cannot_fill_the_memory() -> None:
    unknown = UnknownAccounts(Clock())
    for number in range(1000):
        unknown.add(AccountRegion(f"{number:012}", "eu-central-1"))
    assert len(unknown.current()) == MOST


def test_one_that_was_listed_is_not_shown_any_more() -> None:
    unknown = UnknownAccounts(Clock())
    unknown.add(STRANGER)
    unknown.forget(STRANGER)
    assert unknown.current() == ()
