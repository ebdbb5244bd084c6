"""The next state follows from a step alone. Lists are known or forgotten as a whole, and belong to the pool that is there now."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.control.objects import held_change, known, later, needs_of, pool, raw_pool, server, standing
from tests.unit.control.server_states import START, advanced, facts_of, moment, server_state

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import GuardStatus
from seatpool.api.reasons import ConditionReason
from seatpool.backoff import Retry
from seatpool.cache.store import Store
from seatpool.control.reconcile.advance import advance
from seatpool.control.reconcile.desired import PoolInputs, compute
from seatpool.control.reconcile.diff import Write, diff
from seatpool.control.reconcile.pacing import Pace, Work
from seatpool.control.reconcile.requeue import has_more_to_do
from seatpool.control.reconcile.server_state import ServerState, WriteReason
from seatpool.control.reconcile.step_results import (
    AnswersStored,
    CacheRead,
    CommandApplied,
    CommandTried,
    Desired,
    ListsInDoubt,
    ListsRead,
    ListsVerified,
    PassBegun,
    PassDone,
    PoolsRefreshed,
    ServerFailed,
    UsersChecked,
)
from seatpool.control.sinks import facts
from seatpool.control.sinks.facts import LatencyOutcome
from seatpool.control.state.pool_states import PoolStates
from seatpool.domain.memory import PoolMemory
from seatpool.domain.rules import PoolRules
from seatpool.policy.guard import HeldChange, Verdict
from seatpool.servers.backend import Capabilities, Fence
from seatpool.servers.command_result import CommandResult, ProductResult, Result
from seatpool.servers.commands import ListChange
from seatpool.servers.errors import CommandFault, TransportError

MATLAB = "lab/matlab"
NODE = "i-0123456789abcdef0"
UNREACHABLE = TransportError(CommandFault.UNREACHABLE, "no answer", maybe_applied=False)


def read(users: str | None, *, fence: int = 7, owner: str = "ours") -> ProductResult:
    people = None if users is None else tuple(users.split())
    return ProductResult(result=Result.LISTED, users=people, fence=fence, owner=owner)


def outcome(result: Result, users: str | None, **more: Any) -> ProductResult:
    return ProductResult(result=result, users=None if users is None else tuple(users.split()), **more)


def listed(*results: tuple[str, ProductResult], at: float = 0) -> ListsRead:
    answer = CommandResult(revision=1, products=dict(results))
    return ListsRead(products=tuple(name for name, _ in results), result=answer, node=NODE, at=moment(at))


def applied(users: str, result: ProductResult | None, at: float = 0) -> CommandApplied:
    change = ListChange(product="matlab", users=tuple(users.split()), seats=2)
    return CommandApplied(
        writes=(Write(change, WriteReason.DIFFERS),),
        result=CommandResult(revision=8, products={} if result is None else {"matlab": result}),
        command_id="c-1",
        node=NODE,
        at=moment(at),
    )


def refreshed(state: ServerState, *pools: LicensePool) -> PoolsRefreshed:
    return PoolsRefreshed(server=state.server, pools=pools)


def kinds(found: list[facts.Fact]) -> list[type]:
    return [type(fact) for fact in found if not isinstance(fact, facts.PoolStateChanged)]


# -- lists -----------------------------------------------------------------------------------------------------------------


def test_a_list_that_was_read_is_known_to_its_pool() -> None:
    state = server_state({"matlab": standing("ann"), "ansys": standing("bob", observed=known("bob"))})
    state = advanced(state, listed(("matlab", read("ann"))))
    assert state.view.observed["matlab"] == known("ann")
    assert state.view.pool_states[MATLAB].in_sync
    assert state.view.pool_states["lab/ansys"].in_sync


def test_a_list_that_could_not_be_read_back_is_not_known_any_more() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    unread = ProductResult(result=Result.APPLIED, users=None, fence=8, owner="ours")
    state = advanced(state, applied("ann", unread))
    assert state.view.observed == {}
    assert state.view.pool_states[MATLAB].observed is None


def test_a_doubted_list_is_read_and_then_written_again() -> None:
    state = server_state(
        {"matlab": standing("ann", observed=known("ann")), "ansys": standing("ann", observed=known("ann"))}
    )
    state = advanced(state, ListsInDoubt(products=frozenset({"matlab"})))
    assert set(state.in_doubt) == {"matlab"}
    assert set(state.view.observed) == {"ansys"}


def test_a_fence_of_ours_raises_the_next_revision_and_one_of_others_does_not() -> None:
    state = server_state({"matlab": standing("ann")})
    state = advanced(state, listed(("matlab", read("ann", fence=99, owner="other"))))
    assert state.fence_floor == 0
    state = advanced(state, listed(("matlab", read("ann", fence=41))))
    assert state.fence_floor == 41


@pytest.mark.parametrize(
    ("result", "failure", "told"),
    [
        pytest.param(None, ConditionReason.READ_FAILED, facts.ListFailed, id="not mentioned"),
        pytest.param(ProductResult(result=Result.FAILED, detail="x"), ConditionReason.READ_FAILED, facts.ListFailed,
                     id="not readable"),
        pytest.param(read("zoe", owner="other"), ConditionReason.FOREIGN_OWNER, facts.ForeignOwnerFound,
                     id="of another installation"),
    ],
)  # fmt: skip
def test_a_reading_that_is_no_list_of_ours_is_told_once(
    result: ProductResult | None, failure: ConditionReason, told: type
) -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    step = ListsRead(
        products=("matlab",), result=CommandResult(revision=1, products={} if result is None else {"matlab": result}),
        node=NODE, at=moment(),
    )  # fmt: skip
    assert told in kinds(facts_of(state, step))
    after = advanced(state, step)
    found = after.view.pool_states[MATLAB].failure
    assert found is not None
    assert found.reason is failure
    assert told not in kinds(facts_of(after, step))


def test_a_list_that_others_changed_is_drift_and_an_older_revision_is_written_again() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann", revision=7))})
    step = listed(("matlab", read("ann zoe", fence=5)))
    found = facts_of(state, step)
    (drift,) = [fact for fact in found if isinstance(fact, facts.DriftDetected)]
    assert (drift.added, drift.removed) == (("zoe",), ())
    assert facts.OlderRevisionFound in kinds(found)
    assert advanced(state, step).in_doubt == {"matlab": WriteReason.OLDER_REVISION}


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        pytest.param(None, ConditionReason.APPLY_FAILED, id="not mentioned"),
        pytest.param(outcome(Result.FAILED, "bob", exit_code=3), ConditionReason.APPLY_FAILED, id="not taken"),
        pytest.param(outcome(Result.APPLIED, None), ConditionReason.READ_FAILED, id="not read back"),
        pytest.param(outcome(Result.APPLIED, "bob"), ConditionReason.LIST_DIFFERS, id="another list"),
        pytest.param(outcome(Result.OWNER, "bob", owner="other"), ConditionReason.FOREIGN_OWNER, id="foreign"),
    ],
)
def test_only_a_list_that_was_read_back_as_written_counts_as_applied(
    result: ProductResult | None, reason: ConditionReason
) -> None:
    state = server_state({"matlab": standing("ann", observed=known("bob"))})
    after = advanced(state, applied("ann", result))
    failure = after.view.pool_states[MATLAB].failure
    assert failure is not None
    assert failure.reason is reason
    assert after.view.last_applied is None


def test_an_applied_list_ends_its_failure_and_its_doubt() -> None:
    state = server_state({"matlab": standing("ann", observed=known("bob"))})
    state = advanced(
        state, applied("ann", None), ListsInDoubt(products=frozenset({"matlab"})), listed(("matlab", read("bob")))
    )
    step = applied("ann", ProductResult(result=Result.APPLIED, users=("ann",), fence=8, owner="ours"), at=5)
    told = kinds(facts_of(state, step))
    assert facts.ListApplied in told
    assert facts.ListRecovered in told
    after = advanced(state, step)
    assert (after.in_doubt, after.paces, after.view.pool_states[MATLAB].failure) == ({}, {}, None)
    assert after.view.last_applied == later(5)


def test_a_newer_revision_on_the_server_is_taken_for_a_doubt() -> None:
    state = server_state({"matlab": standing("ann", observed=known("bob"))})
    stale = applied("ann", ProductResult(result=Result.STALE, fence=90))
    after = advanced(state, stale)
    assert (after.fence_floor, set(after.in_doubt), after.view.observed) == (90, {"matlab"}, {})
    assert kinds(facts_of(state, stale)) == [facts.NewerRevisionFound]


def test_users_whom_a_list_cannot_have_are_answered_anew_and_are_no_failure() -> None:
    state = server_state({"matlab": standing("ann bob", observed=known(""))})
    after = advanced(
        state, applied("ann bob", outcome(Result.APPLIED, "ann", fence=8, unlistable={"bob": "no such account"}))
    )
    assert after.view.unlistable == {"bob": "no such account"}
    assert after.view.pool_states[MATLAB].unlistable == {"bob": "no such account"}
    assert after.view.pool_states[MATLAB].failure is None
    assert MATLAB in after.pending


def test_the_users_of_a_server_are_answered_anew_only_if_it_answers_otherwise() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    state = advanced(state, UsersChecked(unlistable={}, at=moment()))
    assert (state.view.unlistable, state.pending) == ({}, {})
    state = advanced(state, UsersChecked(unlistable={"bob": "x"}, at=moment()))
    assert MATLAB in state.pending
    state = advanced(replace(state, pending={}), UsersChecked(unlistable={"bob": "x"}, at=moment()))
    assert state.pending == {}
    state = advanced(state, UsersChecked(unlistable={}, at=moment()))
    assert MATLAB in state.pending
    assert state.view.pool_states[MATLAB].unlistable == {}


def test_a_part_of_a_change_is_told_and_the_rest_is_due_at_once() -> None:
    state = server_state({"matlab": standing("ann bob", observed=known(""))})
    part = outcome(
        Result.PARTIAL, "ann", fence=8, owner="ours", detail="1 of 2 requests were made before the time limit"
    )
    after = advanced(state, applied("ann bob", part))
    failure = after.view.pool_states[MATLAB].failure
    assert failure is not None
    assert failure.reason is ConditionReason.PARTLY_APPLIED
    assert "1 of 2 requests" in failure.message
    assert has_more_to_do(after, at=moment())
    assert facts.ListFailed not in kinds(facts_of(state, applied("ann bob", part)))
    whole = advanced(after, applied("ann bob", outcome(Result.APPLIED, "ann bob", fence=9)))
    assert whole.view.pool_states[MATLAB].failure is None
    assert facts.ListRecovered not in kinds(facts_of(after, applied("ann bob", outcome(Result.APPLIED, "ann bob"))))


def test_a_list_that_changed_before_it_was_written_is_known_and_written_again_at_once() -> None:
    state = server_state({"matlab": standing("ann", observed=known("bob"))})
    after = advanced(state, applied("ann", outcome(Result.CHANGED, "bob zoe", fence=7, owner="ours")))
    assert after.view.pool_states[MATLAB].failure is None
    assert after.view.observed["matlab"].users == ("bob", "zoe")
    (write,) = diff(after, {}, at=moment())
    assert write.change.users == ("ann",)
    assert has_more_to_do(after, at=moment())
    assert facts.ListApplied not in kinds(facts_of(state, applied("ann", outcome(Result.CHANGED, "bob"))))


def test_what_undoes_a_list_and_who_still_uses_it_are_kept_with_the_list() -> None:
    state = server_state({"matlab": standing("ann", observed=None)})
    told = replace(read("ann"), notes=("line 3 lets everybody in",), still_in_use=("zoe",))
    observed = advanced(state, listed(("matlab", told))).view.observed["matlab"]
    assert (observed.notes, observed.still_in_use) == (("line 3 lets everybody in",), ("zoe",))


def test_entries_twice_or_of_nobody_are_written_away() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    after = advanced(state, listed(("matlab", replace(read("ann"), surplus=("ann",)))))
    assert not after.view.pool_states[MATLAB].in_sync
    (write,) = diff(after, {}, at=moment())
    assert write.reason is WriteReason.SURPLUS


def test_an_answer_that_was_no_success_says_what_the_server_did_not_do() -> None:
    state = server_state({"matlab": standing("ann", observed=known("bob"))})
    detail = "the server answered that the list is written, but 1 user who was removed is still on it"
    after = advanced(state, applied("ann", outcome(Result.APPLIED, "ann bob", detail=detail)))
    failure = after.view.pool_states[MATLAB].failure
    assert failure is not None
    assert failure.reason is ConditionReason.LIST_DIFFERS
    assert detail in failure.message


# -- the server ------------------------------------------------------------------------------------------------------------


def test_a_server_that_fails_is_told_once_and_recovers_once() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    failed = ServerFailed(error=UNREACHABLE, at=moment())
    assert kinds(facts_of(state, failed, failed)) == [facts.ServerUnreachable]
    after = advanced(state, failed)
    assert after.view.reached is False
    assert after.server_pause(moment()) == 1
    assert after.view.pool_states[MATLAB].failure is not None
    again = listed(("matlab", read("ann")))
    assert kinds(facts_of(after, again, again)) == [facts.ServerRecovered]
    assert advanced(after, again).server_retry.failures == 0
    over = advanced(after, again, PassDone(mark=None, at=moment()))
    assert over.view.pool_states[MATLAB].failure is None


@pytest.mark.parametrize(("pause", "suspend", "held_off"), [(1, False, True), (0, False, False), (1, True, False)])
def test_a_pass_does_without_a_server_that_failed_so_lately(pause: float, suspend: bool, held_off: bool) -> None:
    state = replace(server_state({}), server_retry=Retry(1, START + pause))
    begun = PassBegun(
        capabilities=Capabilities(fence=Fence.SCRIPT),
        server=server(suspend=suspend),
        pools=(),
        foreign=False,
        at=moment(),
    )
    assert advanced(state, begun).held_off is held_off


def test_a_foreign_revision_makes_every_list_unknown() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    begun = PassBegun(
        capabilities=Capabilities(fence=Fence.SCRIPT), server=state.server, pools=state.pools, foreign=True, at=moment()
    )
    after = advanced(state, begun)
    assert after.view.observed == {}
    assert after.view.pool_states[MATLAB].observed is None
    assert after.view.pool_states[MATLAB].answer is not None


def test_times_of_commands_and_verifications_are_kept() -> None:
    after = advanced(server_state({}), CommandTried(at=moment(3)), ListsVerified(asked="now", at=moment(4)))
    assert (after.last_command, after.last_verified, after.verified_for) == (START + 3, START + 4, "now")
    assert after.view.last_verified == later(4)


# -- pools -----------------------------------------------------------------------------------------------------------------


def test_what_was_known_of_a_pool_goes_with_it() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    state = replace(
        state, in_doubt={"matlab": WriteReason.IN_DOUBT}, pending={MATLAB: later(0)},
        paces={("matlab", Work.READ): Pace(Retry(1, START + 9))},
    )  # fmt: skip
    after, told = advance(state, refreshed(state))
    assert after.pools == ()
    assert (after.view.observed, after.view.pool_states, after.in_doubt, after.pending) == ({}, {}, {}, {})
    assert after.product_pause("matlab", moment()) == 0
    assert [fact.key for fact in told if isinstance(fact, facts.PoolDropped)] == [MATLAB]


def test_another_pool_of_the_same_name_begins_anew() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    another = LicensePool.model_validate(raw_pool(uid="second"))
    after = advanced(state, refreshed(state, another))
    assert (after.view.pool_states[MATLAB].answer, after.view.pool_states[MATLAB].memory) == (None, None)
    assert after.view.pool_states[MATLAB].observed == known("ann"), "the list is the same, whichever pool has it"


def test_a_refresh_that_brings_nothing_new_changes_nothing() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    after, told = advance(state, refreshed(state, *state.pools))
    assert after.view.pool_states is state.view.pool_states
    assert told == ()


def test_a_pool_that_another_server_took_up_keeps_what_is_published_there() -> None:
    published = PoolStates()
    ours, theirs = standing("ann"), standing("bob")
    published.publish("lab/licenses", {MATLAB: ours})
    published.publish("lab/other", {MATLAB: theirs})
    published.publish("lab/licenses", {})
    assert published[MATLAB] is theirs


def test_a_pool_that_lost_its_claim_is_not_applied() -> None:
    store = Store(IdentitySettings())
    store.upsert(LicensePool, raw_pool(), now=later(0))
    store.upsert(LicensePool, raw_pool("elder", product="matlab", age=60), now=later(1))
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    after = advanced(state, refreshed(state, store.pools["lab/elder"]))
    assert [one.key for one in after.pools] == ["lab/elder"]
    assert set(after.view.pool_states) == {"lab/elder"}
    assert set(after.view.observed) == {"matlab"}, "the list is the same whoever has the claim"


def test_what_has_to_be_answered_is_kept_until_it_is_stored() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    state = advanced(state, CacheRead(changed={MATLAB: later(1)}), CacheRead(changed={MATLAB: later(9)}))
    assert state.pending == {MATLAB: later(1)}
    desired = answered(state, "ann bob")
    stored = AnswersStored(desired=desired, stored=frozenset({MATLAB}), reloaded={}, at=moment(10))
    after = advanced(state, desired, stored)
    assert after.pending == {}
    assert after.view.pool_states[MATLAB].changed_at == later(1)


def test_a_pool_that_is_suspended_is_not_pending() -> None:
    state = server_state({"matlab": standing("ann")}, pool={"suspend": True})
    assert advanced(state, CacheRead(changed={MATLAB: later(1)})).pending == {}


@pytest.mark.parametrize(("spec", "late"), [({}, True), ({"mode": "DryRun"}, False), ({"suspend": True}, False)])
def test_a_list_that_is_left_alone_on_purpose_is_not_late(spec: dict[str, Any], late: bool) -> None:
    state = server_state({"matlab": standing("bob", observed=known("ann"))})
    state = advanced(state, refreshed(state, pool(**spec)))
    found = state.view.pool_states[MATLAB]
    assert (found.in_sync, found.is_late) == (False, late)


# -- answers ---------------------------------------------------------------------------------------------------------------


def answered(state: ServerState, needs: str, *, at: float = 10, **more: Any) -> Desired:
    inputs = {MATLAB: PoolInputs(PoolRules(seats=2), needs_of(needs.split()), more.pop("stored", None))}
    return compute(state, inputs, identity=IdentitySettings(), at=moment(at))


def stored(desired: Desired, *, reloaded: dict[str, PoolMemory | None] | None = None) -> AnswersStored:
    kept = frozenset(desired.answers) - (reloaded or {}).keys()
    return AnswersStored(desired=desired, stored=kept, reloaded=reloaded or {}, at=moment(11))


def test_an_answer_counts_only_when_its_memory_is_stored() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    desired = answered(state, "ann bob")
    assert advanced(state, desired).view.pool_states[MATLAB].desired == ("ann",)
    after = advanced(state, desired, stored(desired))
    assert after.view.pool_states[MATLAB].desired == ("ann", "bob")
    assert [grant.user for grant in after.view.pool_states[MATLAB].granted] == ["bob"]


def test_a_ledger_that_another_process_wrote_is_taken_over_and_the_pool_answered_anew() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    desired, theirs = answered(state, "ann bob"), PoolMemory.empty()
    step = stored(desired, reloaded={MATLAB: theirs})
    after = advanced(state, desired, step)
    assert after.view.pool_states[MATLAB].memory is theirs
    assert after.view.pool_states[MATLAB].desired == ("ann",)
    assert after.pending == {MATLAB: later(11)}
    assert facts.AnswerStored not in kinds(facts_of(state, desired, step))


def test_an_adoption_is_told_after_it_is_stored_and_not_before() -> None:
    state = server_state({"matlab": standing(None, observed=known("ann", odd=""))})
    desired = answered(state, "")
    assert kinds(facts_of(state, desired)) == []
    found = facts_of(state, desired, stored(desired))
    (adopted,) = [fact for fact in found if isinstance(fact, facts.UsersAdopted)]
    assert adopted.users == ("ann",)
    conflict = stored(desired, reloaded={MATLAB: None})
    assert facts.UsersAdopted not in kinds(facts_of(state, desired, conflict))


def test_an_approved_change_is_told_by_the_process_that_stores_it_whichever_held_it() -> None:
    state = server_state({"matlab": standing("ann bob", observed=known("ann bob"))}, server={"guard": {"minUsers": 0}})
    rules, later_on = PoolRules(seats=2, linger=timedelta(0)), moment(3600)
    inputs = {MATLAB: PoolInputs(rules, {}, None)}
    held = compute(state, inputs, identity=IdentitySettings(), at=later_on)
    assert held.guard.held is not None
    approved = server(guard={"minUsers": 0}, annotations={"seatpool.io/approve-change": str(held.guard.held.token)})
    approved = approved.model_copy(update={"status": approved.status.model_copy(update={"guard": held.guard.status})})
    fresh = advanced(state, PoolsRefreshed(server=approved, pools=state.pools))
    assert fresh.view.held is None, "this process never saw the hold"
    desired = compute(fresh, inputs, identity=IdentitySettings(), at=later_on)
    assert facts.ChangeApproved not in kinds(facts_of(fresh, desired))
    told = facts_of(fresh, desired, stored(desired))
    (change,) = [fact for fact in told if isinstance(fact, facts.ChangeApproved)]
    assert change.change == held.guard.held
    assert {gone.user for gone in desired.answers[MATLAB].released} == {"ann", "bob"}


def test_an_approval_is_used_when_the_ledgers_have_what_it_releases_and_not_before() -> None:
    state = server_state({"matlab": standing("ann bob", observed=known("ann bob"))}, server={"guard": {"minUsers": 0}})
    asked, used = GuardStatus(changes=1, held="1-x"), GuardStatus(changes=1, approved="1-x", approved_at=later(1))
    raw = server(guard={"minUsers": 0})
    raw = raw.model_copy(update={"status": raw.status.model_copy(update={"guard": asked})})
    state = advanced(state, PoolsRefreshed(server=raw, pools=state.pools))
    approved = held_change(leaving=1)
    desired = replace(answered(state, ""), guard=Verdict(used, approved=approved))
    decided = advanced(state, desired)
    assert decided.view.guard == asked
    conflict = stored(desired, reloaded={MATLAB: None})
    assert advanced(decided, conflict).view.guard == asked
    assert advanced(decided, stored(desired)).view.guard == used


def test_a_held_change_is_told_once_while_it_is_the_same() -> None:
    state = server_state({"matlab": standing("ann")})

    def holds(change: HeldChange | None, at: float) -> Desired:
        return Desired(answers={}, guard=Verdict(GuardStatus(), held=change), at=moment(at))

    held, grown = holds(held_change(leaving=5), 0), holds(held_change(leaving=6), 1)
    other = holds(held_change(leaving=6, number=2), 2)
    assert kinds(facts_of(state, held, grown, other)) == [facts.ChangeHeld, facts.ChangeHeld]
    assert advanced(state, held, holds(None, 2)).view.held is None


# -- the end of a pass -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "changed", "setting", "outcome", "waited"),
    [
        pytest.param("ann", None, {}, LatencyOutcome.UNCHANGED, None, id="the list was right already"),
        pytest.param("ann", 2, {}, LatencyOutcome.LISTED, 3, id="the list was changed"),
        pytest.param("bob", 2, {"server": {"mode": "DryRun"}}, LatencyOutcome.NOT_WRITTEN, None, id="a dry run"),
        pytest.param("bob", 2, {"server": {"suspend": True}}, LatencyOutcome.NOT_WRITTEN, None, id="suspended"),
        pytest.param("bob", 2, {}, None, None, id="not applied yet"),
    ],
)
def test_a_message_ends_when_the_list_is_right_or_will_not_be_written(
    seen: str, changed: float | None, setting: dict[str, Any], outcome: LatencyOutcome | None, waited: float | None
) -> None:
    changed_at = None if changed is None else later(changed)
    state = server_state({"matlab": standing("ann", observed=known(seen), changed_at=changed_at)}, **setting)
    found = [fact for fact in facts_of(state, PassDone(mark="m", at=moment(5))) if isinstance(fact, facts.EventsServed)]
    assert [(fact.outcome, fact.waited, fact.mark) for fact in found] == ([(outcome, waited, "m")] if outcome else [])


def test_grants_are_confirmed_once_when_the_list_was_read_back() -> None:
    state = server_state({"matlab": standing("", observed=known())})
    desired = answered(state, "ann")
    state = advanced(state, desired, stored(desired))
    done = PassDone(mark=None, at=moment(20))
    assert facts.ListConfirmed not in kinds(facts_of(state, done))
    state = advanced(state, listed(("matlab", read("ann"))))
    found = facts_of(state, done, done)
    granted = [[one.user for one in fact.state.granted] for fact in found if isinstance(fact, facts.ListConfirmed)]
    assert granted == [["ann"], []]


def test_the_first_pass_with_all_lists_right_says_so_once() -> None:
    state = server_state({"matlab": standing("ann", observed=known("ann"))})
    done = PassDone(mark=None, at=moment())
    assert kinds(facts_of(state, done, done)).count(facts.InSyncFirst) == 1


def test_the_state_before_stays_as_it_was() -> None:
    state = server_state({"matlab": standing("ann", observed=known("bob"))})
    before = (dict(state.view.pool_states), dict(state.view.observed), dict(state.in_doubt), dict(state.pending))
    advanced(state, applied("ann", None), ServerFailed(error=UNREACHABLE, at=moment()), refreshed(state, pool("other")))
    assert before == (
        dict(state.view.pool_states),
        dict(state.view.observed),
        dict(state.in_doubt),
        dict(state.pending),
    )
