"""Requests that turn one list into another: whatever both are, none is too large and the list is never too long."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from seatpool.servers.direct.difference import changes
from seatpool.servers.direct.target import Mark

LISTS = st.lists(st.sampled_from(["", *"abcdefgh"]), max_size=10)
MARK = Mark(owner="here", revision=7)


@given(LISTS, LISTS, st.one_of(st.none(), st.integers(1, 4)), st.booleans())
def test_the_requests_make_the_list_what_it_should_be(
    present: list[str], wanted: list[str], largest: int | None, placeholder: bool
) -> None:
    made = changes(present, wanted, mark=MARK, largest=largest, placeholder=placeholder)
    assert made
    entries = Counter(present)
    for change in made:
        assert change.mark == MARK
        assert largest is None or len(change.add) + len(change.remove) <= largest
        assert not Counter(change.remove) - entries
        entries = entries - Counter(change.remove) + Counter(change.add)
        assert Counter(change.whole) == entries
        assert entries.total() <= max(len(present), len(wanted))
    assert entries == Counter(wanted)
    moved = sum(len(change.add) + len(change.remove) for change in made)
    assert moved == (Counter(present) - Counter(wanted)).total() + (Counter(wanted) - Counter(present)).total()
    assert [change.placeholder for change in made] == [False] * (len(made) - 1) + [placeholder and not wanted]


def test_an_equal_list_is_one_request_that_writes_the_mark() -> None:
    (change,) = changes(["a", "b"], ["b", "a"], mark=MARK, largest=1, placeholder=False)
    assert (change.add, change.remove, change.whole) == ((), (), ("a", "b"))


@given(LISTS, st.integers(1, 4), st.integers(0, 10))
def test_what_is_left_is_finished_from_any_point(present: list[str], largest: int, made: int) -> None:
    wanted = ["b", "d", "z"]
    steps = changes(present, wanted, mark=MARK, largest=largest, placeholder=False)
    between = steps[min(made, len(steps) - 1)].whole
    rest = changes(between, wanted, mark=MARK, largest=largest, placeholder=False)
    assert Counter(rest[-1].whole) == Counter(wanted)
    assert len(rest) <= len(steps)
