"""The mark of a group, among values of others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.servers.commands import MAX_FENCE, OWNER_PATTERN
from seatpool.servers.direct.marks import mark_text, marks_of
from seatpool.servers.direct.target import Mark

MARKS = st.builds(
    lambda owner, revision: Mark(owner=owner, revision=revision),
    st.from_regex(OWNER_PATTERN, fullmatch=True),
    st.integers(0, MAX_FENCE),
)


@given(MARKS, st.lists(st.text()))
def test_a_mark_is_found_among_other_values(mark: Mark, others: list[str]) -> None:
    found = marks_of([*others, mark_text(mark)])
    assert (mark_text(mark), mark) in found
    assert {value for value, _ in found} - {mark_text(mark)} <= set(others)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "seatpool",
        "seatpool:",
        "seatpool:a",
        "seatpool:a:",
        "seatpool:a:-1",
        "seatpool:a:01",
        "seatpool:a:1 ",
        "seatpool:a:1\n",
        "Seatpool:a:1",
        "seatpool:a b:1",
        "seatpool:a:b:1",
        "seatpool:a:\u0661",
        f"seatpool:a:{MAX_FENCE + 1}",
        f"seatpool:{'a' * 65}:1",
    ],
)
def test_values_of_others(value: str) -> None:
    assert marks_of((value,)) == ()


@given(st.lists(MARKS, min_size=1))
def test_the_newest_mark_is_the_first(marks: list[Mark]) -> None:
    found = marks_of(map(mark_text, marks))
    assert found[0][1].revision == max(mark.revision for mark in marks)
    assert found == marks_of(map(mark_text, reversed(marks)))
