"""A status is rendered again for every user whose place changed, and for no other."""

from dataclasses import replace

import pytest
from tests.unit.control.objects import known, standing

from seatpool.control.sinks.status_marks import users_changed, users_moved
from seatpool.control.state.pool_state import ObservedList, PoolState

NOTHING = PoolState()


@pytest.mark.parametrize(
    ("before", "after", "changed", "moved"),
    [
        pytest.param(NOTHING, standing("ann bob cem"), "ann bob cem", "", id="the first answer"),
        pytest.param(NOTHING, standing("ann bob", denied="bob"), "ann bob", "", id="a user is refused"),
        pytest.param(standing("ann"), standing("ann bob"), "bob", "", id="a user gets a seat"),
        pytest.param(standing("ann bob"), standing("ann"), "bob", "", id="a user loses a seat"),
        pytest.param(standing("ann bob"), standing("ann bob cem"), "cem", "", id="a user begins to wait"),
        pytest.param(standing("ann bob cem"), standing("ann bob"), "cem", "", id="a user waits no more"),
        pytest.param(standing("ann bob cem dan"), standing("ann bob dan"), "cem", "dan", id="a user moves up"),
        pytest.param(standing("ann bob cem"), standing("ann cem"), "bob cem", "", id="a user gets the seat of another"),
    ],
)
def test_an_answer_changes_the_statuses_of(before: PoolState, after: PoolState, changed: str, moved: str) -> None:
    assert users_changed(before, after) == set(changed.split())
    assert users_moved(before, after) == moved.split()


@pytest.mark.parametrize(
    ("seen", "now", "changed"),
    [
        pytest.param(None, known("ann bob"), "ann bob", id="a list that was read first"),
        pytest.param(known("ann bob"), known("bob cem"), "ann cem", id="a list that changed"),
        pytest.param(known("ann bob"), None, "ann bob", id="a list that is not known any more"),
        pytest.param(known("ann"), known("ann", revision=9), "", id="the same users by another revision"),
    ],
)
def test_a_list_changes_the_statuses_of(seen: ObservedList | None, now: ObservedList | None, changed: str) -> None:
    before = standing("ann", observed=seen)
    assert users_changed(before, replace(before, observed=now)) == set(changed.split())


def test_a_failure_alone_changes_the_status_of_no_workbench() -> None:
    before = standing("ann", observed=known("ann"))
    assert users_changed(before, replace(before, granted=(), clearing=True)) == set()
