"""Word is left for whoever sees the object, and for nobody else."""

from datetime import UTC, datetime, timedelta

from seatpool.mirror.workbenches.message_context import MessageContext, MessageContexts, working_on

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "lab/i-1"


def origin(message: str) -> MessageContext:
    return MessageContext(messages=(message,), instance="i-1", event_at=START, sent_at=START, mark=None)


def test_what_stands_behind_a_write_is_taken_once() -> None:
    origins, behind = MessageContexts(), origin("m1")
    with working_on(behind):
        assert origins.leave(KEY, START) is behind
    assert origins.take("lab/i-2", up_to=START) == ()
    assert origins.take(KEY, up_to=START) == (behind,)
    assert origins.take(KEY, up_to=START) == ()


def test_a_write_that_no_message_caused_has_nothing_behind_it() -> None:
    origins = MessageContexts()
    assert origins.leave(KEY, START) is None
    assert origins.take(KEY, up_to=START) == ()


def test_an_older_state_of_the_object_does_not_take_what_is_behind_a_newer_one() -> None:
    origins, first, second = MessageContexts(), origin("m1"), origin("m2")
    later = START + timedelta(seconds=5)
    for behind, at in ((first, START), (second, later)):
        with working_on(behind):
            origins.leave(KEY, at)
    assert origins.take(KEY, up_to=START) == (first,)
    assert origins.take(KEY, up_to=later) == (second,)


def test_a_failed_write_leaves_no_word() -> None:
    origins, first, second = MessageContexts(), origin("m1"), origin("m2")
    for behind in (first, second):
        with working_on(behind):
            origins.leave(KEY, START)
    origins.withdraw(KEY, second)
    assert origins.take(KEY, up_to=START) == (first,)
    origins.withdraw(KEY, first)
    origins.withdraw("lab/never", None)


def test_what_nobody_sees_does_not_grow_without_end() -> None:
    origins = MessageContexts(longest=3)
    with working_on(origin("m1")):
        for number in range(10):
            origins.leave(f"lab/i-{number}", START)
        for _ in range(100):
            origins.leave("lab/i-0", START)
    assert [bool(origins.take(f"lab/i-{n}", up_to=START)) for n in range(10)] == [True] * 3 + [False] * 7
