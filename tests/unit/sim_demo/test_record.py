"""The license server's journal, asked who was on the list when."""

from math import inf

import pytest
from tests.unit.sim_demo.happenings import journal


def test_grants_and_releases_are_the_people_between_successive_lists() -> None:
    record = journal((1, "ann bob"), (2, "bob carl"), (3, "bob carl"), (4, ""))["cad"]
    assert (record.grants, record.releases, record.peak, record.users) == (3, 3, 2, ())


def test_a_rejected_list_changes_nothing_and_is_kept() -> None:
    record = journal((1, "ann"), rejected=[(2, "ann bob")])["cad"]
    assert record.users == ("ann",)
    assert record.peak == 1
    assert record.rejected == [(2.0, 2)]


@pytest.mark.parametrize(("at", "on"), [(0.5, False), (1, True), (1.5, True), (2, False), (3.5, True)])
def test_somebody_is_on_the_list_from_one_overwrite_to_another(at: float, on: bool) -> None:
    assert journal((1, "ann"), (2, "bob"), (3, "ann"))["cad"].was_on("ann", at) is on


def test_a_stay_that_goes_on_has_no_end() -> None:
    assert journal((1, "ann"), (2, ""), (3, "ann"))["cad"].intervals_of("ann") == [(1, 2), (3, inf)]


@pytest.mark.parametrize(
    ("after", "on", "turn"),
    [(0, True, 1), (1, False, 2), (0, False, 2), (1, True, 3), (2.5, True, 3), (3, False, None)],
)
def test_the_next_turn_is_the_first_change_of_that_direction(after: float, on: bool, turn: float | None) -> None:
    assert journal((1, "ann"), (2, ""), (3, "ann"))["cad"].next_turn("ann", after, on=on) == turn


def test_a_list_that_was_full_of_others_in_between_is_found() -> None:
    record = journal((1, "ann"), (2, "ann bob"), (3, "ann carl"))["cad"]
    assert record.was_full_without("carl", seats=2, after=1, before=3)
    assert not record.was_full_without("carl", seats=2, after=2, before=3)
    assert not record.was_full_without("bob", seats=2, after=1, before=3)
