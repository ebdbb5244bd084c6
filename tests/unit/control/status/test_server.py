"""What a license server says about itself in each case, condition by condition."""

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from tests.unit.control.objects import NOW, conditions, held_change, known, later, messages, server, standing

from seatpool.api.licenseserver import LicenseServer, LicenseServerStatus, ProductState
from seatpool.api.reasons import ConditionReason
from seatpool.control.state.pool_state import Failure
from seatpool.control.state.server_view import ServerView
from seatpool.control.status.server import server_status
from seatpool.domain.list_hash import list_hash

IN_SYNC = {"lab/matlab": standing("ann", observed=known("ann"))}
LATE = {**IN_SYNC, "lab/ansys": standing("bob", observed=known("ann"))}
TRIED = {**IN_SYNC, "lab/ansys": standing("bob", observed=known("ann"), dry_run=True)}
PAUSED = {**IN_SYNC, "lab/ansys": standing("bob", observed=known("ann"), suspended=True)}
NOT_READ = Failure(ConditionReason.READ_FAILED, "no list was printed")
FAULT = Failure(ConditionReason.SERVER_UNREACHABLE, "AccessDenied: not allowed; next try in 2s")
HELD = held_change()


@dataclass
class Case:
    view: ServerView
    ready: tuple[str, str]
    reachable: str = "True"
    in_sync: str = "True"
    guarded: str = "False"
    server: LicenseServer = field(default_factory=server)


CASES = {
    "all lists are as they should be": Case(ServerView(pool_states=IN_SYNC, reached=True), ("True", "InSync")),
    "one list is late": Case(ServerView(pool_states=LATE, reached=True), ("False", "OutOfSync"), in_sync="False"),
    "a pool is in DryRun": Case(ServerView(pool_states=TRIED, reached=True), ("True", "ListsLeftAlone")),
    "a pool is suspended": Case(ServerView(pool_states=PAUSED, reached=True), ("True", "ListsLeftAlone")),
    "one list is late and another pool is in DryRun": Case(
        ServerView(pool_states={**LATE, "lab/big": TRIED["lab/ansys"]}, reached=True), ("False", "OutOfSync"), in_sync="False"
    ),
    "a list of a pool in DryRun cannot be read": Case(
        ServerView(pool_states={"lab/big": standing("bob", dry_run=True, failure=NOT_READ)}, reached=True),
        ("False", "OutOfSync"), in_sync="False",
    ),
    "a pool in DryRun was not read yet": Case(
        ServerView(pool_states={"lab/big": standing("bob", dry_run=True)}, reached=True),
        ("False", "OutOfSync"), in_sync="False",
    ),
    "a list of a suspended pool could not be written": Case(
        ServerView(pool_states={"lab/big": standing("bob", suspended=True, failure=NOT_READ)}, reached=True),
        ("True", "ListsLeftAlone"),
    ),
    "a pool in DryRun is deleted and its list emptied": Case(
        ServerView(pool_states={"lab/big": replace(TRIED["lab/ansys"], clearing=True)}, reached=True),
        ("False", "OutOfSync"), in_sync="False",
    ),
    "the server and a pool are in DryRun": Case(
        ServerView(pool_states=TRIED, reached=True), ("True", "DryRun"), in_sync="False", server=server(mode="DryRun")
    ),
    "no pool refers to it": Case(ServerView(), ("True", "NoPools"), reachable="Unknown"),
    "nothing was sent yet": Case(
        ServerView(pool_states=LATE), ("False", "OutOfSync"), reachable="Unknown", in_sync="False"
    ),
    "it cannot be reached": Case(
        ServerView(pool_states=IN_SYNC, reached=False, fault=FAULT), ("False", "ServerUnreachable"), reachable="False"
    ),
    "a change is held back": Case(
        ServerView(pool_states=LATE, reached=True, held=HELD), ("False", "TooManyReleases"), in_sync="False", guarded="True"
    ),
    "an account is unknown": Case(
        ServerView(pool_states=IN_SYNC, reached=True, uninventoried=("1/eu",)), ("True", "InSync"), guarded="True"
    ),
    "it is suspended": Case(
        ServerView(pool_states=LATE, reached=True), ("True", "ServerSuspended"), in_sync="Unknown",
        server=server(suspend=True),
    ),
    "a dry run": Case(
        ServerView(pool_states=LATE, reached=True), ("True", "DryRun"), in_sync="False", server=server(mode="DryRun")
    ),
    "a dry run that would change nothing": Case(
        ServerView(pool_states=IN_SYNC, reached=True), ("True", "InSync"), server=server(mode="DryRun")
    ),
}  # fmt: skip


def status_of(case: Case, *, before: LicenseServerStatus | None = None, at: float = 0) -> Any:
    made = case.server if before is None else case.server.model_copy(update={"status": before})
    return server_status(made, case.view, revision=7, holder="me", operator=None, in_flight=None, now=later(at))


@pytest.mark.parametrize("name", CASES)
def test_conditions(name: str) -> None:
    case = CASES[name]
    found = conditions(status_of(case))
    assert found.pop("Ready") == case.ready
    assert {kind: status for kind, (status, _) in found.items()} == {
        "Reachable": case.reachable,
        "InSync": case.in_sync,
        "Guarded": case.guarded,
    }


@pytest.mark.parametrize("name", CASES)
def test_every_condition_has_a_sentence_and_a_known_reason(name: str) -> None:
    for condition in status_of(CASES[name]).conditions:
        assert condition.message
        assert condition.reason in {reason.value for reason in ConditionReason}


def test_messages_name_the_late_pools_the_fault_the_account_and_the_way_out() -> None:
    assert "lab/ansys" in messages(status_of(CASES["one list is late"]))["InSync"]
    both = messages(status_of(CASES["one list is late and another pool is in DryRun"]))["InSync"]
    assert "lab/ansys" in both
    assert "lab/big" not in both
    assert "lab/ansys" in messages(status_of(CASES["a pool is in DryRun"]))["Ready"]
    assert messages(status_of(CASES["it cannot be reached"]))["Ready"] == FAULT.message
    assert "1/eu" in messages(status_of(CASES["an account is unknown"]))["Guarded"]
    assert "approve-change=1-20260105T090000000Z" in messages(status_of(CASES["a change is held back"]))["Ready"]


def state(product: str, users: str) -> ProductState:
    people = users.split()
    return ProductState(product=product, hash=list_hash(people), count=len(people), revision=7)


def test_lists_that_were_read_are_shown_with_their_people() -> None:
    view = ServerView(pool_states=LATE, observed={"matlab": known("ann bob"), "ansys": known("ann")})
    status = status_of(Case(view, ("", "")))
    assert status.applied == (state("ansys", "ann"), state("matlab", "ann bob"))
    assert status.users == 3


def test_what_was_read_stays_until_it_is_read_anew_but_not_when_no_pool_is_left() -> None:
    before = LicenseServerStatus(applied=(state("matlab", "ann"),), users=1, last_verified=NOW, last_applied=NOW)
    rereading = status_of(Case(ServerView(pool_states=IN_SYNC), ("", "")), before=before)
    assert (rereading.applied, rereading.users) == (before.applied, 1)
    assert (rereading.last_verified, rereading.last_applied) == (NOW, NOW)
    empty = status_of(CASES["no pool refers to it"], before=before)
    assert (empty.applied, empty.users) == ((), 0)


def test_a_condition_keeps_the_time_at_which_it_last_changed() -> None:
    before = status_of(CASES["one list is late"])
    after = status_of(CASES["all lists are as they should be"], before=before, at=9)
    times = {item.type: item.last_transition_time for item in after.conditions}
    assert times == {"Ready": later(9), "InSync": later(9), "Reachable": NOW, "Guarded": NOW}
