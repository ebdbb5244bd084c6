"""Word is left for whoever sees the object, and for nobody else."""

from datetime import UTC, datetime, timedelta

from seatpool.mirror.workbenches.message_context import MessageContext, MessageContexts, caused_by

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "lab/i-1"


def context(message: str) -> MessageContext:
    return MessageContext(messages=(message,), instance="i-1", event_at=START, sent_at=START, mark=None)


def test_what_stands_behind_a_write_is_taken_once() -> None:
    contexts, behind = MessageContexts(), context("m1")
    with caused_by(behind):
        assert contexts.put(KEY, START) is behind
    assert contexts.pop("lab/i-2", up_to=START) == ()
    assert contexts.pop(KEY, up_to=START) == (behind,)
    assert contexts.pop(KEY, up_to=START) == ()


def test_a_write_that_no_message_caused_has_nothing_behind_it() -> None:
    contexts = MessageContexts()
    assert contexts.put(KEY, START) is None
    assert contexts.pop(KEY, up_to=START) == ()


def test_an_older_state_of_the_object_does_not_take_what_is_behind_a_newer_one() -> None:
    contexts, first, second = MessageContexts(), context("m1"), context("m2")
    later = START + timedelta(seconds=5)
    for behind, at in ((first, START), (second, later)):
        with caused_by(behind):
            contexts.put(KEY, at)
    assert contexts.pop(KEY, up_to=START) == (first,)
    assert contexts.pop(KEY, up_to=later) == (second,)


def test_a_failed_write_leaves_no_word() -> None:
    contexts, first, second = MessageContexts(), context("m1"), context("m2")
    for behind in (first, second):
        with caused_by(behind):
            contexts.put(KEY, START)
    contexts.discard(KEY, second)
    assert contexts.pop(KEY, up_to=START) == (first,)
    contexts.discard(KEY, first)
    contexts.discard("lab/never", None)


def test_what_nobody_sees_does_not_grow_without_end() -> None:
    contexts = MessageContexts(most=3)
    with caused_by(context("m1")):
        for number in range(10):
            contexts.put(f"lab/i-{number}", START)
        for _ in range(100):
            contexts.put("lab/i-0", START)
    assert [bool(contexts.pop(f"lab/i-{n}", up_to=START)) for n in range(10)] == [True] * 3 + [False] * 7
