"""Which pools are answered, from what, and what is held back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.control.objects import held_change, known, later, needs_of, standing
from tests.unit.control.server_states import moment, server_state

from seatpool.api.identity import IdentitySettings
from seatpool.control.reconcile.desired import PoolInputs, adopt, compute, pools_due
from seatpool.control.reconcile.server_state import ServerState
from seatpool.control.reconcile.step_results import Desired
from seatpool.control.state.pool_state import PoolState
from seatpool.domain.memory import PoolMemory
from seatpool.domain.rules import PoolRules

MATLAB, ANSYS = "lab/matlab", "lab/ansys"
DYING = {"meta": {"deletionTimestamp": "2026-01-05T09:00:00Z"}}
PEOPLE = " ".join(f"user{number:02}" for number in range(12))


def decided(needs: str = "ann", *, changes_at: float | None = None, seats: int = 2) -> PoolState:
    found = standing(needs, observed=known(needs), seats=seats)
    assert found.answer is not None
    return replace(found, answer=replace(found.answer, next_change=None if changes_at is None else later(changes_at)))


def asked(
    state: ServerState,
    needs: str,
    *,
    stored: PoolMemory | None = None,
    linger: float = 0,
    seats: int = 20,
    at: float = 70,
) -> Desired:
    rules = PoolRules(seats=seats, linger=timedelta(seconds=linger))
    inputs = {MATLAB: PoolInputs(rules, needs_of(needs.split()), stored)}
    return compute(state, inputs, identity=IdentitySettings(), at=moment(at))


# -- which pools -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "more", "setting", "is_due"),
    [
        pytest.param(decided(), {}, {}, False, id="nothing changed"),
        pytest.param(standing(None), {}, {}, True, id="never answered"),
        pytest.param(decided(), {"pending": {MATLAB: later(0)}}, {}, True, id="its demand or rules changed"),
        pytest.param(decided(changes_at=10), {}, {}, True, id="its answer changes by itself now"),
        pytest.param(decided(changes_at=11), {}, {}, False, id="its answer changes by itself later"),
        pytest.param(standing(None), {}, {"pool": {"suspend": True}}, False, id="suspended"),
        pytest.param(standing(None), {}, {"pool": DYING}, False, id="being deleted"),
    ],
)
def test_a_pool_is_due(found: PoolState, more: dict[str, Any], setting: dict[str, Any], is_due: bool) -> None:
    state = replace(server_state({"matlab": found}, **setting), **more)
    assert [pool.key for pool in pools_due(state, at=moment(10))] == ([MATLAB] if is_due else [])


@pytest.mark.parametrize(
    "view",
    [
        {"held": held_change()},
        {"uninventoried": ("123456789012/eu-central-1",)},
    ],
    ids=["a change is held back", "an account is unknown"],
)
def test_every_pool_is_due_while_every_answer_depends_on_everything(view: dict[str, Any]) -> None:
    state = server_state({"matlab": decided(), "ansys": decided()})
    state = replace(state, view=replace(state.view, **view))
    assert [pool.key for pool in pools_due(state, at=moment(10))] == [ANSYS, MATLAB]


# -- from which memory -----------------------------------------------------------------------------------------------------


def test_the_memory_of_this_process_counts_before_the_ledger() -> None:
    state = server_state({"matlab": decided("ann")})
    (grant,) = asked(state, "ann", stored=PoolMemory.empty()).answers[MATLAB].memory.assigned.values()
    assert grant.since == later(60), "granted when the first answer was made, and not anew"


def test_a_process_that_knows_nothing_goes_on_from_the_ledger() -> None:
    stored = decided("ann").memory
    state = server_state({"matlab": standing(None, observed=known("zoe"))})
    made = asked(state, "ann", stored=stored)
    assert made.answers[MATLAB].users == ("ann",), "who is on the list without a grant in the ledger is not adopted"
    assert made.adoptions == {}


@pytest.mark.parametrize(
    ("seen", "setting", "users", "adopted"),
    [
        pytest.param(known("zoe"), {}, ("ann", "zoe"), ("zoe",), id="adopt"),
        pytest.param(known("zoe"), {"pool": {"adoption": "Overwrite"}}, ("ann",), (), id="overwrite"),
        pytest.param(known(), {}, ("ann",), (), id="an empty list"),
        pytest.param(None, {}, None, None, id="a list that was not read"),
        pytest.param(known("zoe", owner="other"), {}, None, None, id="a list of another installation"),
    ],
)
def test_first_contact(seen: Any, setting: dict[str, Any], users: Any, adopted: Any) -> None:
    made = asked(server_state({"matlab": standing(None, observed=seen)}, **setting), "ann", linger=900)
    if users is None:
        assert made.answers == {}
    else:
        assert made.answers[MATLAB].users == users
        assert made.adoptions[MATLAB].users == adopted


def test_an_entry_that_is_no_user_id_is_left_out_and_named() -> None:
    found = adopt(known("ann ANN bad/name"), identity=IdentitySettings())
    assert found.users == ("ann",)
    (problem,) = found.problems
    assert "bad/name" in problem


def test_the_placeholder_is_adopted_by_nobody_and_no_reason_to_stop() -> None:
    found = adopt(known("ann Seatpool-Placeholder none"), identity=IdentitySettings(), placeholder="None")
    assert (found.users, found.problems) == (("ann",), ())


# -- what is held back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("present_elsewhere", "is_held"), [(0, True), (24, False)], ids=["12 of 12 leave", "12 of 36 leave"]
)
def test_users_of_pools_that_are_not_answered_now_count_for_the_guard(present_elsewhere: int, is_held: bool) -> None:
    others = " ".join(f"other{number:02}" for number in range(present_elsewhere))
    state = server_state(
        {"matlab": decided(PEOPLE, seats=20), "ansys": decided(others, seats=30)},
        pool={"seats": 30}, server={"guard": {"minUsers": 10 + present_elsewhere}},
    )  # fmt: skip
    made = asked(state, "")
    assert (made.guard.held is not None) is is_held
    assert len(made.answers[MATLAB].released) == (0 if is_held else 12)


@pytest.mark.parametrize("setting", [{"suspend": True}, DYING], ids=["suspended", "dying"])
def test_users_of_pools_for_which_nothing_is_decided_count_too(setting: dict[str, Any]) -> None:
    state = server_state({"ansys": decided(PEOPLE, seats=20)}, pool=setting)
    pools = (*state.pools, *server_state({"matlab": decided()}).pools)
    states = {**state.view.pool_states, MATLAB: decided(PEOPLE, seats=20)}
    state = replace(state, pools=pools, view=replace(state.view, pool_states=states))
    held = asked(state, " ".join(PEOPLE.split()[:7])).guard.held
    assert held is None, "5 of 24 leave"


def test_no_user_is_released_while_an_account_is_unknown() -> None:
    state = server_state({"matlab": decided("ann bob", seats=20)})
    state = replace(state, view=replace(state.view, uninventoried=("123456789012/eu-central-1",)))
    assert asked(state, "ann").answers[MATLAB].users == ("ann", "bob")
