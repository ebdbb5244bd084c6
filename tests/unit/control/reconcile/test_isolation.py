"""What is odd about one pool, list or server stays there, and no status goes on saying that all is well."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.control.objects import conditions, known, later, needs_of, pool, server, standing
from tests.unit.control.server_states import START, advanced, facts_of, moment, server_state

from seatpool.api.annotations import OVERWRITE_UNREADABLE
from seatpool.api.identity import IdentitySettings
from seatpool.api.reasons import ConditionReason
from seatpool.control.reconcile.desired import PoolInputs, compute, pools_due
from seatpool.control.reconcile.diff import diff, has_writes
from seatpool.control.reconcile.pacing import Work
from seatpool.control.reconcile.server_state import ServerState, unreadable_token
from seatpool.control.reconcile.step_results import (
    AnswersStored,
    Desired,
    ListsRead,
    PassDone,
    PassFailed,
    PoolsRefreshed,
)
from seatpool.control.sinks import facts
from seatpool.control.state.pool_state import ObservedList
from seatpool.control.status.pool import pool_status
from seatpool.control.status.server import server_status
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules, ReassignmentBudget
from seatpool.servers.command_result import CommandResult, ProductResult, Result

MATLAB, ANSYS = "lab/matlab", "lab/ansys"
NODE = "i-0123456789abcdef0"
TEN_SEATS = {"seats": 10}


def read(users: tuple[str, ...], odd: tuple[str, ...] = (), *, node: str = NODE, product: str = "matlab") -> ListsRead:
    result = ProductResult(result=Result.LISTED, users=users, odd=odd, fence=0, owner="")
    return ListsRead(
        products=(product,), result=CommandResult(revision=1, products={product: result}), node=node, at=moment()
    )


def asked(state: ServerState, **needs: str) -> Desired:
    rules = PoolRules(seats=10, linger=timedelta(hours=1))
    inputs = {f"lab/{name}": PoolInputs(rules, needs_of(users.split()), None) for name, users in needs.items()}
    return compute(state, inputs, identity=IdentitySettings(), at=moment(70))


def stored(desired: Desired, refused: dict[str, str] | None = None) -> AnswersStored:
    kept = frozenset(desired.answers) - (refused or {}).keys()
    return AnswersStored(desired=desired, stored=kept, reloaded={}, refused=refused or {}, at=moment(71))


def reason_of(state: ServerState, key: str) -> ConditionReason | None:
    failure = state.view.pool_states[key].failure
    return None if failure is None else failure.reason


# -- entries that cannot be read -------------------------------------------------------------------------------------------

NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9]{0,7}", fullmatch=True), max_size=5, unique=True).map(tuple)
ODD = st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=5, unique=True).map(tuple)


@given(users=NAMES, odd=ODD)
def test_at_first_contact_a_list_with_unreadable_entries_puts_no_user_out(
    users: tuple[str, ...], odd: tuple[str, ...]
) -> None:
    state = advanced(server_state({"matlab": standing(None)}, pool=TEN_SEATS), read(users, odd))
    desired = asked(state, matlab="newcomer")
    assert desired.answers == {}, "an answer would be stored as if no user had had a seat"
    state = advanced(state, desired, stored(desired))
    assert diff(state, desired.answers, at=moment(72)) == ()
    assert reason_of(state, MATLAB) is ConditionReason.UNREADABLE_ENTRIES


@given(users=NAMES, odd=ODD)
def test_an_admin_who_saw_this_very_list_may_have_it_overwritten(users: tuple[str, ...], odd: tuple[str, ...]) -> None:
    token = unreadable_token("matlab", ObservedList(users=users, odd=odd, revision=0, owner=""))
    allowed = {"meta": {"annotations": {OVERWRITE_UNREADABLE: f"abc, {token}"}}}
    state = advanced(server_state({"matlab": standing(None)}, pool=TEN_SEATS, server=allowed), read(users, odd))
    desired = asked(state, matlab="newcomer")
    assert set(desired.answers[MATLAB].users) == {"newcomer", *users}, "a user who can be read keeps the seat"
    assert desired.adoptions[MATLAB].former == (*users, *odd)
    (write,) = diff(advanced(state, desired), desired.answers, at=moment(72))
    assert write.change.product == "matlab"
    other = advanced(state, read(users, (*odd, "one more")))
    assert diff(other, desired.answers, at=moment(72)) == (), "the list is another one than the admin saw"


SILENT = ("Users of matlab (2):", "  user07, seat 7", "  user08, seat 8")


@pytest.mark.parametrize(
    ("fence", "pool", "is_answered"),
    [
        pytest.param(0, {}, False, id="no operator ever wrote the list"),
        pytest.param(7, {}, True, id="an operator wrote it, and its ledger is lost"),
        pytest.param(0, {"adoption": "Overwrite"}, True, id="an admin has it overwritten"),
    ],
)
def test_a_list_in_which_nothing_is_found_is_no_empty_list_at_first_contact(
    fence: int, pool: dict[str, Any], is_answered: bool
) -> None:
    result = ProductResult(
        result=Result.LISTED, users=(), passed_over=SILENT, fence=fence, owner="ours" if fence else ""
    )
    step = ListsRead(
        products=("matlab",), result=CommandResult(revision=1, products={"matlab": result}), node=NODE, at=moment()
    )
    state = advanced(server_state({"matlab": standing(None)}, pool=TEN_SEATS | pool), step)
    desired = asked(state, matlab="newcomer")
    assert (MATLAB in desired.answers) is is_answered
    state = advanced(state, desired)
    if not is_answered:
        assert reason_of(state, MATLAB) is ConditionReason.UNREADABLE_ENTRIES
        failure = state.view.pool_states[MATLAB].failure
        assert failure is not None
        assert "user07, seat 7" in failure.message


def test_the_condition_shows_what_was_read_and_both_ways_out() -> None:
    state = server_state({"matlab": standing("ann")}, pool=TEN_SEATS)
    step = read(("ann",), ("user07 (named user, seat 7)", "\x1b[2J"))
    state = advanced(state, step, PassDone(mark=None, at=moment()))
    failure = state.view.pool_states[MATLAB].failure
    assert failure is not None
    assert "2 of the 3 entries" in failure.message
    assert "'user07 (named user, seat 7)'" in failure.message
    assert "\x1b" not in failure.message
    assert "spec.xlc.listFormat" in failure.message
    assert f"{OVERWRITE_UNREADABLE}=" in failure.message


def test_a_pool_that_cannot_go_because_its_list_cannot_be_read_says_so() -> None:
    dying = {"meta": {"deletionTimestamp": "2026-01-05T09:00:00Z"}, "onDelete": "Clear"}
    state = advanced(server_state({"matlab": standing("ann")}, pool=dying), read(("ann",), ("?",)))
    states = state.view.pool_states
    status = pool_status(pool(**dying), states[MATLAB], server=state.server, owner=pool(), now=later(0))
    assert conditions(status)["InSync"] == ("False", "UnreadableEntries")


def test_a_list_that_becomes_readable_is_written_again_and_that_is_told() -> None:
    state = advanced(server_state({"matlab": standing("ann")}, pool=TEN_SEATS), read(("ann",), ("?",)))
    assert not has_writes(state, at=moment())
    assert facts.ListRecovered in map(type, facts_of(state, read(("bob",))))
    state = advanced(state, read(("bob",)))
    assert has_writes(state, at=moment())
    assert reason_of(state, MATLAB) is None


# -- a ledger that is gone -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "revision", "is_told"),
    [
        ({"readmit_after": timedelta(hours=1)}, 7, True),
        ({"minimum_hold": timedelta(hours=1)}, 7, True),
        ({"seat_cool_down": timedelta(hours=1)}, 7, True),
        ({"max_reassignments": ReassignmentBudget(1, timedelta(days=1))}, 7, True),
        ({"readmit_after": timedelta(hours=1)}, 0, False),
        ({"linger": timedelta(hours=1)}, 7, False),
    ],
)
def test_a_list_that_was_written_before_and_has_no_ledger_is_told(
    rules: dict[str, Any], revision: int, is_told: bool
) -> None:
    state = server_state({"matlab": standing(None, observed=known("ann", revision=revision))}, pool=TEN_SEATS)
    inputs = {MATLAB: PoolInputs(PoolRules(seats=10, **rules), needs_of(["ann"]), None)}
    desired = compute(state, inputs, identity=IdentitySettings(), at=moment(70))
    lost = [fact for fact in facts_of(state, desired, stored(desired)) if isinstance(fact, facts.LedgerLost)]
    assert [fact.revision for fact in lost] == ([revision] if is_told else [])


# -- another server --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "is_forgotten"),
    [
        ({"target": {"instanceId": "i-00000000000000009"}}, True),
        ({"region": "eu-west-1"}, True),
        ({"roleArn": "arn:aws:iam::123456789012:role/other"}, True),
        ({"document": "another-document"}, True),
        ({"xlc": {"stateDir": "/srv/seatpool"}}, True),
        ({"xlc": {"placeholderUser": "nobody-here"}}, True),
        ({"verifyInterval": "1h"}, False),
        ({"mode": "DryRun"}, False),
        ({"guard": {"minUsers": 3}}, False),
    ],
)
def test_lists_that_were_read_elsewhere_or_otherwise_are_not_known(changed: dict[str, Any], is_forgotten: bool) -> None:
    state = advanced(server_state({"matlab": standing("ann")}), read(("ann",)))
    assert state.view.pool_states[MATLAB].in_sync
    state = advanced(state, PoolsRefreshed(server=server(**changed), pools=state.pools))
    assert (state.view.observed == {}) is is_forgotten
    assert state.view.pool_states[MATLAB].in_sync is not is_forgotten


def test_another_node_that_answers_makes_the_lists_of_the_one_before_unknown() -> None:
    state = server_state({"matlab": standing("ann"), "ansys": standing("ann")})
    state = advanced(state, read(("ann",)), read(("ann",), product="ansys"))
    assert set(state.view.observed) == {"matlab", "ansys"}
    state = advanced(state, read((), node="i-other"))
    assert set(state.view.observed) == {"matlab"}


# -- one pool --------------------------------------------------------------------------------------------------------------


def test_a_pool_that_cannot_be_computed_stops_no_other_and_is_tried_again_later() -> None:
    state = server_state({"matlab": standing("ann"), "ansys": standing("ann")})
    odd = Need("bob", datetime(2026, 1, 5, 9, 0))  # noqa: DTZ001
    inputs = {
        MATLAB: PoolInputs(PoolRules(seats=10), {"ann": Need("ann", later(0)), "bob": odd}, None),
        ANSYS: PoolInputs(PoolRules(seats=10), needs_of(["ann", "bob"]), None),
    }
    desired = compute(state, inputs, identity=IdentitySettings(), at=moment(70))
    assert set(desired.answers) == {ANSYS}
    state = replace(state, pending={MATLAB: later(0)})
    after = advanced(state, desired, stored(desired))
    assert reason_of(after, MATLAB) is ConditionReason.POOL_FAILED
    assert reason_of(after, ANSYS) is None
    assert after.view.pool_states[ANSYS].desired == ("ann", "bob")
    assert pools_due(after, at=moment(70.1)) == ()
    assert [one.key for one in pools_due(after, at=moment(80))] == [MATLAB]
    again = asked(after, matlab="ann bob")
    assert reason_of(advanced(after, again, stored(again)), MATLAB) is None


def test_an_answer_that_no_list_can_carry_is_the_problem_of_its_pool() -> None:
    state = server_state({"matlab": standing(None, observed=known()), "ansys": standing(None, observed=known())})
    desired = asked(state, matlab="ann bob cem", ansys="ann")
    assert set(desired.answers) == {ANSYS}, "three users for two seats"
    assert "3 users for 2 seats" in desired.failed[MATLAB]


def test_a_ledger_that_is_refused_is_the_problem_of_its_pool() -> None:
    state = server_state({"matlab": standing("ann"), "ansys": standing("ann")}, pool=TEN_SEATS)
    desired = asked(state, matlab="ann bob", ansys="ann bob")
    after = advanced(state, desired, stored(desired, {MATLAB: "metadata.name: too long"}))
    assert reason_of(after, MATLAB) is ConditionReason.POOL_FAILED
    assert after.view.pool_states[MATLAB].desired == ("ann",), "an answer that is not stored does not count"
    assert after.view.pool_states[ANSYS].desired == ("ann", "bob")
    assert MATLAB in after.pending


def test_the_pause_of_a_pool_that_fails_grows() -> None:
    state, pauses = server_state({"matlab": standing("ann")}, pool=TEN_SEATS), []
    for _ in range(3):
        desired = asked(state, matlab="ann bob")
        state = advanced(state, desired, stored(desired, {MATLAB: "refused"}))
        pauses.append(state.pace("matlab", Work.DECIDE).retry.until - (START + 71))
    assert pauses == [1, 2, 4]


# -- a pass ----------------------------------------------------------------------------------------------------------------


def ready(state: ServerState) -> tuple[str, str]:
    status = server_status(
        state.server, state.view, revision=1, holder="me", operator=None, in_flight=None, now=later(0)
    )
    return conditions(status)["Ready"]


def pool_ready(state: ServerState) -> tuple[str, str]:
    states = state.view.pool_states
    status = pool_status(pool(), states[MATLAB], server=state.server, owner=pool(), now=later(0))
    return conditions(status)["Ready"]


def test_a_pass_that_fails_is_in_every_status_until_one_succeeds() -> None:
    state = advanced(server_state({"matlab": standing("ann")}), read(("ann",)))
    assert ready(state) == ("True", "InSync")
    failed = advanced(state, PassFailed(problem="the API server is away"))
    assert ready(failed) == ("False", "PassFailed")
    assert pool_ready(failed) == ("False", "PassFailed")
    again = advanced(failed, PassDone(mark=None, at=moment()))
    assert ready(again) == ("True", "InSync")
    assert pool_ready(again) == ("True", "InSync")
