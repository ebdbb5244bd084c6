"""Pauses grow, have an end, and are not the same for everybody."""

import random

import pytest
import structlog

from seatpool.backoff import Backoff, pause_after, retry_call
from seatpool.kube.errors import Conflict, Unavailable
from seatpool.kube.retry import retry_until_answered


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def backoff(clock: Clock, *, seed: int = 1, first: float = 1, longest: float = 60) -> Backoff:
    return Backoff(random.Random(seed), monotonic=clock, first=first, longest=longest)


def test_what_never_failed_may_be_tried_at_once(clock: Clock) -> None:
    assert backoff(clock).remaining() == 0
    assert backoff(clock).failures == 0


def test_each_failure_doubles_the_pause_up_to_the_longest_with_a_quarter_of_jitter(clock: Clock) -> None:
    tried = backoff(clock, first=1, longest=60)
    for wanted in (1, 2, 4, 8, 16, 32, 60, 60):
        tried.failed()
        assert 0.75 * wanted <= tried.remaining() <= 1.25 * wanted


def test_a_pause_passes(clock: Clock) -> None:
    tried = backoff(clock)
    tried.failed()
    clock.now += 0.5
    assert 0 < tried.remaining() < 1
    clock.now += 10
    assert tried.remaining() == 0
    assert tried.failures == 1


def test_a_success_ends_the_pause_and_the_next_failure_is_the_first(clock: Clock) -> None:
    tried = backoff(clock)
    for _ in range(5):
        tried.failed()
    tried.succeeded()
    assert (tried.remaining(), tried.failures) == (0, 0)
    tried.failed()
    assert tried.remaining() <= 1.25


def test_many_who_failed_together_do_not_come_back_together(clock: Clock) -> None:
    pauses = set()
    for seed in range(20):
        tried = backoff(clock, seed=seed)
        tried.failed()
        pauses.add(tried.remaining())
    assert len(pauses) == 20


def test_a_failure_for_years_does_not_overflow(clock: Clock) -> None:
    tried = backoff(clock)
    for _ in range(5000):
        tried.failed()
    assert tried.remaining() <= 75


async def test_a_call_to_kubernetes_is_made_until_it_is_answered() -> None:
    answers: list[Exception | str] = [
        Unavailable(status=503, reason="", message="", what="GET"),
        Conflict(status=409, reason="", message="", what="PUT"),
        "answer",
    ]

    async def call() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await retry_until_answered(call, rng=random.Random(1), log=structlog.get_logger()) == "answer"


async def test_a_fault_of_ours_is_not_waited_for() -> None:
    async def call() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await retry_until_answered(call, rng=random.Random(1), log=structlog.get_logger())


def test_a_failure_returns_its_pause_which_without_random_numbers_has_no_jitter(clock: Clock) -> None:
    tried = Backoff(None, monotonic=clock, first=2, longest=5)
    assert [tried.failed() for _ in range(3)] == [2, 4, 5]


def test_another_growth_gives_other_pauses() -> None:
    assert [pause_after(n, first=1, longest=50, growth=4) for n in (1, 2, 3, 4)] == [1, 4, 16, 50]


async def test_a_call_that_is_given_up_raises_its_last_error() -> None:
    seen: list[Exception] = []

    async def call() -> None:
        raise ConnectionError(len(seen))

    with pytest.raises(ConnectionError, match="2"):
        await retry_call(
            call,
            errors=OSError,
            backoff=Backoff(None, first=0.001, longest=0.001),
            on_error=seen.append,
            give_up=lambda: len(seen) == 2,
        )
    assert len(seen) == 2
