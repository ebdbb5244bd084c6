"""A list is written when it differs, when it may be ours or not, and never when it must not. Each write says why."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.control.objects import known, standing
from tests.unit.control.server_states import advanced, moment, server_state

from seatpool.api.annotations import OVERWRITE_UNREADABLE, TAKE_OVER
from seatpool.control.reconcile.diff import Write, diff, has_writes
from seatpool.control.reconcile.server_state import ServerState, WriteReason, unreadable_token
from seatpool.control.reconcile.step_results import ListsInDoubt, ListsRead
from seatpool.domain.allocation import Allocation
from seatpool.servers.command_result import CommandResult, ProductResult, Result
from seatpool.servers.commands import ListChange

DYING = {"deletionTimestamp": "2026-01-05T09:00:00Z"}
ANN = standing("ann").answer
TOKEN = unreadable_token("matlab", known("ann", odd="?"))


def written(users: str, *, keep_placeholder: bool = False) -> tuple[ListChange, ...]:
    people = tuple(users.split())
    return (ListChange(product="matlab", users=people, seats=2, keep_placeholder=keep_placeholder),)


def changes(state: ServerState, answers: dict[str, Allocation] | None = None, at: float = 0) -> tuple[ListChange, ...]:
    return tuple(write.change for write in writes(state, answers, at))


def writes(state: ServerState, answers: dict[str, Allocation] | None = None, at: float = 0) -> tuple[Write, ...]:
    return diff(state, answers or {}, at=moment(at))


@pytest.mark.parametrize(
    ("seen", "setting", "is_written"),
    [
        pytest.param(known("bob"), {}, True, id="a list that differs"),
        pytest.param(known("ann"), {}, False, id="a list that is right"),
        pytest.param(known("ann", odd="?"), {}, False, id="a list with an entry that is no user id"),
        pytest.param(None, {}, False, id="a list that nobody has read"),
        pytest.param(known("bob", owner=""), {}, True, id="a list that nobody owns"),
        pytest.param(known("bob", owner="other"), {}, False, id="a list of another installation"),
        pytest.param(known("bob"), {"pool": {"suspend": True}}, False, id="a suspended pool"),
        pytest.param(known("bob"), {"pool": {"mode": "DryRun"}}, False, id="a dry run of the pool"),
        pytest.param(known("bob"), {"server": {"mode": "DryRun"}}, False, id="a dry run of the server"),
        pytest.param(known("bob"), {"pool": {"meta": DYING}}, False, id="a dying pool whose list is retained"),
    ],
)
def test_a_list_is_written(seen: Any, setting: dict[str, Any], is_written: bool) -> None:
    state = server_state({"matlab": standing("ann", observed=seen)}, **setting)
    assert changes(state) == (written("ann") if is_written else ())
    assert has_writes(state, at=moment()) is is_written


def test_a_new_answer_counts_before_the_present_one() -> None:
    state = server_state({"matlab": standing("bob", observed=known("bob"))})
    assert ANN is not None
    assert changes(state) == ()
    assert changes(state, {"lab/matlab": ANN}) == written("ann")


def test_without_an_answer_nothing_is_written() -> None:
    assert changes(server_state({"matlab": standing(None, observed=known("zoe"))})) == ()


def test_a_dying_pool_that_is_to_be_cleared_is_written_empty_whatever_the_answer() -> None:
    pool = {"meta": DYING, "onDelete": "Clear", "emptyList": "KeepPlaceholder"}
    state = server_state({"matlab": standing("ann", observed=known("ann"))}, pool=pool)
    assert ANN is not None
    assert changes(state, {"lab/matlab": ANN}) == written("", keep_placeholder=True)


def test_a_list_that_an_earlier_command_may_still_change_is_written_although_it_is_right() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    state = replace(state, in_doubt={"matlab": WriteReason.IN_DOUBT})
    assert changes(state) == written("ann")


def test_a_product_that_failed_waits_for_its_next_try_and_stops_no_other() -> None:
    state = server_state({"matlab": standing("ann", observed=known()), "ansys": standing("ann", observed=known())})
    failed = ProductResult(result=Result.FAILED, detail="no license")
    answer = CommandResult(revision=1, products={"matlab": failed})
    state = advanced(state, ListsRead(products=("matlab",), result=answer, node="i-1", at=moment()))
    assert [change.product for change in changes(state)] == ["ansys"]
    assert [change.product for change in changes(state, at=2)] == ["ansys", "matlab"]


@pytest.mark.parametrize(("users", "reason"), [("bob", "it differs"), ("ann", "it is right but not ours")])
def test_a_list_that_may_be_taken_over_is_written(users: str, reason: str) -> None:
    allowed = {"meta": {"annotations": {TAKE_OVER: "other@7"}}}
    state = server_state({"matlab": standing("ann", observed=known(users, owner="other"))}, server=allowed)
    assert state.takeover == ("other", 7)
    assert changes(state) == written("ann"), reason


@pytest.mark.parametrize(
    "named", ["", "two words@7", "$(id)@7", "x" * 65 + "@7", "third-party@7", "other", "other@six", "other@6"]
)
def test_nobody_else_than_the_named_installation_is_taken_over(named: str) -> None:
    allowed = {"meta": {"annotations": {TAKE_OVER: named}}}
    state = server_state({"matlab": standing("ann", observed=known("bob", owner="other"))}, server=allowed)
    assert (state.takeover is not None) is (named in ("third-party@7", "other@6"))
    assert changes(state) == (), "the list is of revision 7"


@pytest.mark.parametrize(
    ("needs", "seen", "server", "doubt", "reason"),
    [
        pytest.param("ann", known("bob"), {}, None, WriteReason.DIFFERS, id="other users"),
        pytest.param("ann", known("ann", odd="?"), {"meta": {"annotations": {OVERWRITE_UNREADABLE: TOKEN}}}, None,
                     WriteReason.DIFFERS, id="an entry that is no user id, and an admin said so"),
        pytest.param("", known(placeholder=True), {}, None, WriteReason.PLACEHOLDER, id="an unwanted placeholder"),
        pytest.param("ann", known("ann", owner="other"), {"meta": {"annotations": {TAKE_OVER: "other@7"}}}, None,
                     WriteReason.OWNER_CHANGED, id="a list that is taken over"),
        pytest.param("ann", known("bob"), {}, WriteReason.IN_DOUBT, WriteReason.IN_DOUBT, id="a doubt comes first"),
        pytest.param("ann", known("ann"), {}, WriteReason.OLDER_REVISION, WriteReason.OLDER_REVISION, id="a restore"),
    ],
)  # fmt: skip
def test_a_write_says_why(needs: str, seen: Any, server: Any, doubt: WriteReason | None, reason: WriteReason) -> None:
    state = server_state({"matlab": standing(needs, observed=seen)}, server=server)
    if doubt is not None:
        state = replace(state, in_doubt={"matlab": doubt})
    assert [write.reason for write in writes(state)] == [reason]


def test_a_doubt_is_written_only_after_the_list_was_read_again() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    state = advanced(state, ListsInDoubt(products=frozenset({"matlab"})))
    assert changes(state) == ()
    listed = ProductResult(result=Result.LISTED, users=("ann",), fence=7, owner="ours")
    answer = CommandResult(revision=1, products={"matlab": listed})
    state = advanced(state, ListsRead(products=("matlab",), result=answer, node="i-1", at=moment()))
    assert [(write.change.users, write.reason) for write in writes(state)] == [(("ann",), WriteReason.IN_DOUBT)]
