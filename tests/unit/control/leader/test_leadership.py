"""Whether a process may act, by its own clock alone."""

import threading

import pytest

from seatpool.control.leader.leadership import Leadership, NotLeading, uptime


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def leadership(clock: Clock) -> Leadership:
    return Leadership(deadline=7.0, uptime=clock)


def test_without_an_election_a_process_leads_for_ever(clock: Clock) -> None:
    alone = Leadership.unelected()
    assert alone.leads
    assert alone.acquired.is_set()
    assert not alone.is_elected
    alone.check()


def test_nobody_leads_before_the_lease_is_taken(leadership: Leadership) -> None:
    assert not leadership.leads
    with pytest.raises(NotLeading):
        leadership.check()


def test_a_leader_that_does_not_renew_stops_by_itself_counted_from_when_it_asked(
    leadership: Leadership, clock: Clock
) -> None:
    leadership.acquire(at=98.0)
    clock.seconds = 104.9
    leadership.check()
    clock.seconds = 105.0
    with pytest.raises(NotLeading, match=r"not renewed for 7 s; nothing is sent until it is"):
        leadership.check()


def test_one_that_renews_again_goes_on(leadership: Leadership, clock: Clock) -> None:
    leadership.acquire(at=98.0)
    clock.seconds = 150.0
    assert not leadership.leads
    leadership.renew(at=149.0)
    assert leadership.leads


def test_one_that_lost_it_never_leads_again_and_knows_to_whom(leadership: Leadership, clock: Clock) -> None:
    leadership.acquire(at=100.0)
    leadership.lose("two")
    leadership.renew(at=100.0)
    assert leadership.lost.is_set()
    with pytest.raises(NotLeading):
        leadership.check()
    leadership.lose("two")
    with pytest.raises(NotLeading, match="two does"):
        leadership.check()


def test_one_that_ends_sends_nothing_more_without_having_lost_anything(leadership: Leadership) -> None:
    leadership.acquire(at=100.0)
    leadership.end()
    assert not leadership.leads
    assert not leadership.lost.is_set()


def test_it_is_known_how_long_the_lease_was_not_seen(leadership: Leadership, clock: Clock) -> None:
    assert leadership.unrenewed_for == float("inf")
    leadership.stand_by("one")
    clock.seconds = 103.0
    assert leadership.unrenewed_for == 3.0
    assert leadership.other_holder == "one"


def test_it_may_be_asked_from_another_thread(leadership: Leadership) -> None:
    leadership.acquire(at=100.0)
    refused: list[NotLeading] = []

    def ask() -> None:
        try:
            leadership.check()
        except NotLeading as error:
            refused.append(error)

    for _ in range(2):
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        leadership.end()
    assert len(refused) == 1


def test_the_clock_only_goes_forward() -> None:
    times = [uptime() for _ in range(100)]
    assert times == sorted(times)
