"""What a pool says about itself in each case, condition by condition."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.unit.control.objects import NOW, Raw, conditions, known, later, messages, pool, server, standing

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import ConditionReason
from seatpool.control.state.pool_state import Failure, PoolState
from seatpool.control.status.pool import pool_status
from seatpool.domain.list_hash import list_hash
from seatpool.policy.rule_effects import IneffectiveRule

DYING: Raw = {"deletionTimestamp": "2026-01-05T09:00:00Z", "finalizers": ["seatpool.io/clear-list"]}
TROUBLE = Failure(ConditionReason.APPLY_FAILED, "exit code 7")
FOREIGN = Failure(ConditionReason.FOREIGN_OWNER, "belongs to installation other")


@dataclass
class Case:
    standing: PoolState
    ready: tuple[str, str]
    reconciling: str = "False"
    in_sync: str = "False"
    saturated: str = "False"
    conflict: str = "False"
    suspended: str = "False"
    pool: LicensePool = field(default_factory=pool)
    server: LicenseServer | None = field(default_factory=server)
    owner: LicensePool | None = None


CASES = {
    "the list is as it should be": Case(
        standing("ann", observed=known("ann")), ("True", "InSync"), in_sync="True"
    ),
    "everybody has a seat but one": Case(
        standing("ann bob cem", observed=known("ann bob")), ("True", "InSync"), in_sync="True", saturated="True"
    ),
    "a changed list is on its way": Case(
        standing("ann bob", observed=known("ann")), ("False", "Applying"), reconciling="True"
    ),
    "nobody has read the list yet": Case(standing("ann"), ("False", "NotReadYet"), reconciling="True"),
    "nothing at all is known": Case(PoolState(), ("False", "NotReadYet"), reconciling="True"),
    "the license server did not take the list": Case(
        standing("ann", observed=known(), failure=TROUBLE), ("False", "ApplyFailed")
    ),
    "another installation owns the list": Case(
        standing("ann", observed=known("zoe", owner="other"), failure=FOREIGN), ("False", "ForeignOwner"), conflict="True"
    ),
    "an older pool has the claim": Case(
        PoolState(), ("False", "DuplicateProduct"), conflict="True", owner=pool("elder", product="matlab")
    ),
    "there is no such server": Case(standing("ann"), ("False", "ServerMissing"), server=None),
    "the pool is suspended": Case(
        standing("ann", observed=known("zoe")), ("True", "Suspended"), in_sync="Unknown", suspended="True",
        pool=pool(suspend=True),
    ),
    "the server is suspended": Case(
        standing("ann", observed=known("zoe")), ("True", "ServerSuspended"), in_sync="Unknown",
        server=server(suspend=True),
    ),
    "a dry run of the pool": Case(
        standing("ann", observed=known("zoe")), ("True", "DryRun"), pool=pool(mode="DryRun")
    ),
    "a dry run of the server": Case(
        standing("ann", observed=known("zoe")), ("True", "DryRun"), server=server(mode="DryRun")
    ),
    "a dry run that would change nothing": Case(
        standing("ann", observed=known("ann")), ("True", "InSync"), in_sync="True", pool=pool(mode="DryRun")
    ),
    "the pool is being deleted": Case(
        standing("ann", observed=known("ann"), clearing=True), ("False", "Deleting"),
        pool=pool(meta=DYING, onDelete="Clear"),
    ),
}  # fmt: skip


def status_of(case: Case, **more: Any) -> Any:
    return pool_status(
        case.pool, case.standing, server=case.server, owner=case.owner or case.pool, now=more.get("now", NOW)
    )


@pytest.mark.parametrize("name", CASES)
def test_conditions(name: str) -> None:
    case = CASES[name]
    found = conditions(status_of(case))
    assert found.pop("Ready") == case.ready
    assert {kind: status for kind, (status, _) in found.items()} == {
        "Reconciling": case.reconciling,
        "InSync": case.in_sync,
        "Saturated": case.saturated,
        "Conflict": case.conflict,
        "Suspended": case.suspended,
        "RulesEffective": "True",
    }


@pytest.mark.parametrize("name", CASES)
def test_every_condition_has_a_sentence_and_a_known_reason(name: str) -> None:
    for condition in status_of(CASES[name]).conditions:
        assert condition.message
        assert condition.reason in {reason.value for reason in ConditionReason}
        assert condition.observed_generation == 1


def test_a_condition_keeps_the_time_at_which_it_last_changed() -> None:
    case = CASES["a changed list is on its way"]
    first = status_of(case)
    case = Case(standing("ann", observed=known("ann")), ("", ""), pool=case.pool.model_copy(update={"status": first}))
    times = {item.type: item.last_transition_time for item in status_of(case, now=later(9)).conditions}
    assert (times["Ready"], times["InSync"], times["Reconciling"]) == (later(9), later(9), later(9))
    assert (times["Saturated"], times["Conflict"], times["Suspended"]) == (NOW, NOW, NOW)


def test_numbers_are_those_of_the_answer() -> None:
    status = status_of(CASES["everybody has a seat but one"])
    assert (status.seats, status.used, status.waiting, status.oldest_wait) == (2, 2, 1, later(2))
    assert [(one.user, one.reason) for one in status.queue] == [("cem", "PoolFull")]
    assert status.list_hash == list_hash(["ann", "bob"])
    assert status.revision == 7


def test_without_an_answer_there_are_no_numbers() -> None:
    status = status_of(CASES["nothing at all is known"])
    assert (status.used, status.waiting, status.list_hash, status.revision) == (None, None, None, None)


def test_a_revision_is_shown_only_while_its_list_is_as_it_should_be() -> None:
    assert status_of(CASES["a changed list is on its way"]).revision is None


def test_the_first_twenty_who_wait_are_shown() -> None:
    people = " ".join(f"user{n:02}" for n in range(30))
    status = status_of(Case(standing(people, observed=known("user00 user01")), ("", "")))
    assert status.waiting == 28
    assert [one.user for one in status.queue] == [f"user{n:02}" for n in range(2, 22)]
    assert "28 wait for a seat: user02, " in messages(status)["Saturated"]


def test_a_spent_budget_is_shown_where_there_is_one() -> None:
    case = CASES["the list is as it should be"]
    assert status_of(case).reassignments_used is None
    limited = Case(case.standing, case.ready, pool=pool(maxReassignments={"count": 4, "window": "365d"}))
    assert status_of(limited).reassignments_used == 0


def test_a_dry_run_tells_who_would_come_and_go() -> None:
    assert messages(status_of(CASES["a dry run of the pool"]))["InSync"] == (
        "DryRun: 1 would be added (ann), 1 removed (zoe)"
    )


def test_messages_name_what_has_to_be_mended() -> None:
    assert "'licenses' in namespace lab" in messages(status_of(CASES["there is no such server"]))["Ready"]
    assert "lab/elder" in messages(status_of(CASES["an older pool has the claim"]))["Conflict"]
    assert "exit code 7" in messages(status_of(CASES["the license server did not take the list"]))["Ready"]


def test_rules_without_effect_are_named_and_counted() -> None:
    rules = [IneffectiveRule(f"reservations r{number}", "nobody") for number in range(12)]
    status = pool_status(
        pool(),
        standing("ann", observed=known("ann")),
        server=server(),
        owner=pool(),
        ineffective=rules,
        now=NOW,
    )
    assert conditions(status)["RulesEffective"] == ("False", "RulesWithoutEffect")
    assert conditions(status)["Ready"] == ("True", "InSync")
    assert messages(status)["RulesEffective"].startswith("reservations r0: nobody; reservations r1: nobody; ")
    assert messages(status)["RulesEffective"].endswith("reservations r9: nobody; and 2 more")


def test_users_whom_the_list_cannot_have_are_named_with_the_reason_and_the_condition_goes_again() -> None:
    users = [f"user{number}" for number in range(7)]
    found = standing(
        "ann " + " ".join(users), denied=" ".join(users), observed=known("ann"),
        unlistable=dict.fromkeys([*users, "elsewhere"], "no such account"),
    )  # fmt: skip
    told = pool_status(pool(), found, server=server(), owner=pool(), now=NOW)
    assert [one.user for one in told.unlistable] == users
    assert conditions(told)["UsersListable"] == ("False", "UsersNotListable")
    assert messages(told)["UsersListable"].startswith("7 of the users who need a seat cannot be on the list")
    assert messages(told)["UsersListable"].endswith("user4 (no such account); and 2 more")
    before = pool().model_copy(update={"status": told})
    after = pool_status(before, standing("ann", observed=known("ann")), server=server(), owner=before, now=NOW)
    assert (conditions(after)["UsersListable"], after.unlistable) == (("True", "AllListable"), ())
    assert "UsersListable" not in conditions(
        pool_status(pool(), standing("ann", observed=known("ann")), server=server(), owner=pool(), now=NOW)
    )


def test_what_undoes_a_list_on_the_server_is_told_until_it_is_gone() -> None:
    seen = replace(known("ann"), notes=("line 3: INCLUDE cad lets everybody in",), still_in_use=("zoe",))
    told = pool_status(pool(), standing("ann", observed=seen), server=server(), owner=pool(), now=NOW)
    assert conditions(told)["ListEffective"] == ("False", "UndoneElsewhere")
    assert messages(told)["ListEffective"] == "the list is written, but: line 3: INCLUDE cad lets everybody in"
    assert told.still_in_use == ("zoe",)
    before = pool().model_copy(update={"status": told})
    after = pool_status(before, standing("ann", observed=known("ann")), server=server(), owner=before, now=NOW)
    assert (conditions(after)["ListEffective"], after.still_in_use) == (("True", "NothingUndoesIt"), None)
