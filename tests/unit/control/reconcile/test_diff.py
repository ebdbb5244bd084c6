"""A list is written when it differs, when it may be somebody's, and never when it must not."""

from typing import Any

import pytest
from tests.unit.control.desks import DeskMaker
from tests.unit.control.objects import known, standing

from seatpool.control.reconcile import diff
from seatpool.control.reconcile.server_state import TAKE_OVER
from seatpool.servers.commands import ListChange

DYING = {"deletionTimestamp": "2026-01-05T09:00:00Z"}
ANN = standing("ann").answer


def written(users: str, *, keep_placeholder: bool = False) -> tuple[ListChange, ...]:
    people = tuple(users.split())
    return (ListChange(product="matlab", users=people, seats=2, keep_placeholder=keep_placeholder),)


@pytest.mark.parametrize(
    ("seen", "setting", "is_written"),
    [
        pytest.param(known("bob"), {}, True, id="a list that differs"),
        pytest.param(known("ann"), {}, False, id="a list that is right"),
        pytest.param(known("ann", odd="?"), {}, True, id="a list with an entry that is no user id"),
        pytest.param(None, {}, False, id="a list that nobody has read"),
        pytest.param(known("bob", owner=""), {}, True, id="a list that nobody owns"),
        pytest.param(known("bob", owner="other"), {}, False, id="a list of another installation"),
        pytest.param(known("bob"), {"pool": {"suspend": True}}, False, id="a suspended pool"),
        pytest.param(known("bob"), {"pool": {"mode": "DryRun"}}, False, id="a dry run of the pool"),
        pytest.param(known("bob"), {"server": {"mode": "DryRun"}}, False, id="a dry run of the server"),
        pytest.param(known("bob"), {"pool": {"meta": DYING}}, False, id="a dying pool whose list is retained"),
    ],
)
async def test_a_list_is_written(desks: DeskMaker, seen: Any, setting: dict[str, Any], is_written: bool) -> None:
    desk = desks.desk({"matlab": standing("ann", known=seen)}, **setting)
    assert diff.to_write(desk, {}) == (written("ann") if is_written else ())
    assert diff.are_left(desk) is is_written


async def test_a_new_answer_counts_before_the_present_one(desks: DeskMaker) -> None:
    desk = desks.desk({"matlab": standing("bob", known=known("bob"))})
    assert ANN is not None
    assert diff.to_write(desk, {}) == ()
    assert diff.to_write(desk, {"lab/matlab": ANN}) == written("ann")


async def test_without_an_answer_nothing_is_written(desks: DeskMaker) -> None:
    assert diff.to_write(desks.desk({"matlab": standing(None, known=known("zoe"))}), {}) == ()


async def test_a_dying_pool_that_is_to_be_cleared_is_written_empty_whatever_the_answer(desks: DeskMaker) -> None:
    pool = {"meta": DYING, "onDelete": "Clear", "emptyList": "KeepPlaceholder"}
    desk = desks.desk({"matlab": standing("ann", known=known("ann"))}, pool=pool)
    assert ANN is not None
    assert diff.to_write(desk, {"lab/matlab": ANN}) == written("", keep_placeholder=True)


async def test_a_list_that_an_earlier_command_may_still_change_is_written_although_it_is_right(
    desks: DeskMaker,
) -> None:
    desk = desks.desk({"matlab": standing("ann", known=known("ann"))})
    desk.forced.add("matlab")
    assert diff.to_write(desk, {}) == written("ann")


async def test_a_product_that_failed_waits_for_its_next_try_and_stops_no_other(desks: DeskMaker) -> None:
    desk = desks.desk({"matlab": standing("ann", known=known()), "ansys": standing("ann", known=known())})
    desk.backoffs.failed("matlab")
    assert [change.product for change in diff.to_write(desk, {})] == ["ansys"]
    desks.clock.seconds += 2
    assert [change.product for change in diff.to_write(desk, {})] == ["ansys", "matlab"]


@pytest.mark.parametrize(("users", "reason"), [("bob", "it differs"), ("ann", "it is right but not ours")])
async def test_a_list_that_may_be_taken_over_is_written(desks: DeskMaker, users: str, reason: str) -> None:
    allowed = {"meta": {"annotations": {TAKE_OVER: "other"}}}
    desk = desks.desk({"matlab": standing("ann", known=known(users, owner="other"))}, server=allowed)
    assert desk.takeover == "other"
    assert diff.to_write(desk, {}) == written("ann"), reason


@pytest.mark.parametrize("named", ["", "two words", "$(id)", "x" * 65, "third-party"])
async def test_nobody_else_than_the_named_installation_is_taken_over(desks: DeskMaker, named: str) -> None:
    allowed = {"meta": {"annotations": {TAKE_OVER: named}}}
    desk = desks.desk({"matlab": standing("ann", known=known("bob", owner="other"))}, server=allowed)
    assert desk.takeover == (named if named == "third-party" else None)
    assert diff.to_write(desk, {}) == ()
