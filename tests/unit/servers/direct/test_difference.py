"""The requests that turn one list into another."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from seatpool.servers.direct.difference import changes
from seatpool.servers.direct.target import Mark

ENTRIES = st.lists(st.sampled_from(["", *"abcdefghijkl"]), max_size=15)
MARK = Mark(owner="here", revision=3)


@given(ENTRIES, st.sets(st.sampled_from("abcdefghijkl")), st.none() | st.integers(1, 6), st.booleans())
def test_requests_end_with_the_wanted_list(
    present: list[str], wanted: set[str], largest: int | None, placeholder: bool
) -> None:
    steps = changes(present, sorted(wanted), mark=MARK, largest=largest, placeholder=placeholder)
    assert steps, "a list that is right still gets the mark"
    have = Counter(present)
    for step in steps:
        assert not Counter(step.remove) - have, "nothing is removed that is not there"
        have.subtract(step.remove)
        have.update(step.add)
        have = +have
        assert Counter(step.whole) == have
        assert have.total() <= max(len(present), len(wanted)), "a list is never longer than it was or will be"
        assert step.mark == MARK
        if largest is not None:
            assert len(step.add) + len(step.remove) <= largest
    assert have == Counter(wanted)
    assert [step.placeholder for step in steps][:-1] == [False] * (len(steps) - 1)
    assert steps[-1].placeholder == (placeholder and not wanted)
    if largest is None:
        assert len(steps) == 1


@given(ENTRIES, st.integers(1, 4), st.integers(0, 10))
def test_what_is_left_is_finished_from_any_point(present: list[str], largest: int, made: int) -> None:
    wanted = ["b", "d", "z"]
    steps = changes(present, wanted, mark=MARK, largest=largest, placeholder=False)
    between = steps[min(made, len(steps) - 1)].whole
    rest = changes(between, wanted, mark=MARK, largest=largest, placeholder=False)
    assert Counter(rest[-1].whole) == Counter(wanted)
    assert len(rest) <= len(steps)
