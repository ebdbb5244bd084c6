"""A list is as it should be only when it was seen so, to the last entry."""

from dataclasses import replace

import pytest
from tests.unit.control.objects import known, standing

from seatpool.control.state.pool_state import ObservedList
from seatpool.text import format_names


@pytest.mark.parametrize(
    ("needs", "seen", "keep_placeholder", "in_sync"),
    [
        pytest.param("ann bob", known("ann bob"), False, True, id="the same people"),
        pytest.param("ann bob", known("ann"), False, False, id="somebody is missing"),
        pytest.param("ann", known("ann bob"), False, False, id="somebody is too many"),
        pytest.param("ann", known("ann", odd="!"), False, False, id="an entry that is no user id"),
        pytest.param("ann", None, False, False, id="a list that nobody has read"),
        pytest.param(None, known("ann"), False, False, id="a pool without an answer"),
        pytest.param("", known(), False, True, id="nobody on both sides"),
        pytest.param("", known(), True, False, id="an empty list without the placeholder that is wanted"),
        pytest.param("", known(placeholder=True), True, True, id="the placeholder that is wanted"),
        pytest.param("", known(placeholder=True), False, False, id="a placeholder that is not wanted"),
        pytest.param("ann", known("ann"), True, True, id="people need no placeholder"),
    ],
)
def test_a_list_is_in_sync(needs: str | None, seen: ObservedList | None, keep_placeholder: bool, in_sync: bool) -> None:
    assert standing(needs, observed=seen, keep_placeholder=keep_placeholder).in_sync is in_sync


def test_a_pool_that_is_being_cleared_wants_nobody_whatever_was_decided() -> None:
    clearing = standing("ann", observed=known("ann"), clearing=True)
    assert clearing.desired == ()
    assert not clearing.in_sync
    assert replace(clearing, observed=known()).in_sync


def test_a_seat_is_confirmed_by_what_the_license_server_was_seen_to_have() -> None:
    assert standing("ann bob", observed=known("ann")).confirmed("ann")
    assert not standing("ann bob", observed=known("ann")).confirmed("bob")
    assert not standing("ann", observed=None).confirmed("ann")


@pytest.mark.parametrize(
    ("names", "most", "said"),
    [
        ("", 5, ""),
        ("ann", 5, "ann"),
        ("ann bob cem", 3, "ann, bob, cem"),
        ("ann bob cem dan", 3, "ann, bob, cem and 1 more"),
        ("ann bob cem dan", 1, "ann and 3 more"),
    ],
)
def test_a_few_names_are_said_and_the_rest_counted(names: str, most: int, said: str) -> None:
    assert format_names((name for name in names.split()), most=most) == said
