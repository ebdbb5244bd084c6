"""What a workbench says about its owner's seats: no promise that the license server has not confirmed."""

from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.control.objects import NOW, conditions, known, later, messages, raw_workbench, standing

from seatpool.api.reasons import ConditionReason
from seatpool.api.workbench import SeatPhase, Workbench, WorkbenchSeat, WorkbenchStatus
from seatpool.cache.store import WorkbenchView
from seatpool.control.state.pool_state import PoolState
from seatpool.control.status.workbench import workbench_status
from seatpool.domain.demand import WorkbenchFact

MATLAB, ANSYS = "lab/matlab", "lab/ansys"
EVERYBODY = known("ann bob")


def view(user: str | None = "ann", *, problem: str | None = None, said: WorkbenchStatus | None = None) -> WorkbenchView:
    metadata = Workbench.model_validate(raw_workbench()).metadata
    fact = WorkbenchFact("lab/i-1", "lab", "ann", "vew-matlab", "running", NOW)
    return WorkbenchView(
        metadata=metadata,
        user=user,
        problem=problem,
        status=said or WorkbenchStatus(),
        fact=fact,
        account="1",
        region="r",
        instance_id="i-1",
    )


def status_of(
    states: Mapping[str, PoolState], *, seen: WorkbenchView | None = None, active: bool = True, serving: str = ""
) -> Any:
    pools = serving.split() or list(states)
    return workbench_status(seen or view(), serving=pools, active=dict.fromkeys(pools, active), states=states, now=NOW)


@pytest.mark.parametrize(
    ("found", "phase", "reason", "position"),
    [
        pytest.param(standing("ann", observed=EVERYBODY), "Assigned", "Granted", None, id="on the list"),
        pytest.param(standing("ann", observed=known("bob")), "Waiting", "ListPending", None, id="not yet on the list"),
        pytest.param(
            standing("ann", observed=None), "Waiting", "ListPending", None, id="on a list that nobody has read"
        ),
        pytest.param(standing("x y z ann", observed=known("x y")), "Waiting", "PoolFull", 2, id="in the line"),
        pytest.param(standing("ann", denied="ann", observed=known()), "Denied", "Denied", None, id="denied"),
        pytest.param(
            standing("ann", denied="ann", observed=known(), unlistable={"ann": "no such account"}),
            "Denied",
            "NotListable",
            None,
            id="not known to the license server",
        ),
        pytest.param(standing("bob", observed=EVERYBODY), "Waiting", "Undecided", None, id="newer than the answer"),
        pytest.param(PoolState(), "Waiting", "Undecided", None, id="a pool without an answer"),
    ],
)
def test_an_active_workbench_says_how_its_owner_stands(
    found: PoolState, phase: str, reason: str, position: int | None
) -> None:
    status = status_of({MATLAB: found})
    assert [(seat.pool, seat.phase.value, seat.reason, seat.position) for seat in status.seats] == [
        (MATLAB, phase, reason, position)
    ]
    reasons = {"Assigned": ("True", "AllAssigned"), "Waiting": ("False", "SomeWait"), "Denied": ("False", "Denied")}
    assert conditions(status)["Ready"] == (("False", reason) if reason == "NotListable" else reasons[phase])
    assert status.user == "ann"


def test_a_pool_of_which_nothing_is_known_yet_has_not_given_a_seat() -> None:
    status = status_of({}, serving=MATLAB)
    assert conditions(status)["Ready"] == ("False", "SomeWait")
    assert "lab/matlab (Undecided)" in messages(status)["Ready"]


def test_what_was_said_before_a_restart_stands_until_the_pool_decides() -> None:
    seat = WorkbenchSeat(pool=MATLAB, phase=SeatPhase.ASSIGNED, since=later(-60), reason="Granted")
    said = WorkbenchStatus(seats=(seat,))
    assert status_of({}, serving=MATLAB, seen=view(said=said)).seats == (seat,)
    decided = status_of({MATLAB: standing("x y ann", observed=known("x y"))}, seen=view(said=said))
    assert [found.phase for found in decided.seats] == [SeatPhase.WAITING]


def test_a_pool_that_serves_the_workbench_no_longer_is_not_shown() -> None:
    seat = WorkbenchSeat(pool=ANSYS, phase=SeatPhase.ASSIGNED, reason="Granted")
    status = status_of({MATLAB: standing("ann", observed=EVERYBODY)}, seen=view(said=WorkbenchStatus(seats=(seat,))))
    assert [found.pool for found in status.seats] == [MATLAB]


def test_one_seat_of_two_is_not_enough() -> None:
    status = status_of({MATLAB: standing("ann", observed=EVERYBODY), ANSYS: standing("x y ann", observed=known("x y"))})
    assert [(seat.pool, seat.phase.value) for seat in status.seats] == [(ANSYS, "Waiting"), (MATLAB, "Assigned")]
    assert messages(status)["Ready"] == "No seat yet: lab/ansys (PoolFull, position 1)"


def test_a_seat_that_is_given_back_is_not_lacking_where_the_workbench_is_active_for_another_pool() -> None:
    both = {MATLAB: standing("ann", observed=EVERYBODY), ANSYS: standing("ann", observed=EVERYBODY)}
    status = workbench_status(view(), serving=list(both), active={MATLAB: True, ANSYS: False}, states=both, now=NOW)
    assert [(seat.pool, seat.phase.value) for seat in status.seats] == [(ANSYS, "Releasing"), (MATLAB, "Assigned")]
    assert conditions(status)["Ready"] == ("True", "AllAssigned")


def test_a_workbench_that_stopped_shows_a_seat_only_while_it_is_kept() -> None:
    kept = status_of({MATLAB: standing("ann", observed=EVERYBODY)}, active=False)
    assert [seat.phase for seat in kept.seats] == [SeatPhase.RELEASING]
    gone = status_of({MATLAB: standing("bob", observed=known("bob"))}, active=False)
    assert gone.seats == ()
    for status in (kept, gone):
        assert conditions(status)["Ready"] == ("True", "Inactive")


@pytest.mark.parametrize("active", [True, False])
def test_a_workbench_that_no_pool_serves_is_not_ready(active: bool) -> None:
    status = status_of({}, active=active)
    assert conditions(status)["Ready"] == ("False", "NoPool")
    assert messages(status)["Ready"] == "no pool serves type vew-matlab in namespace lab; the owner is on no list"


def test_a_denied_owner_is_told_whom_to_ask() -> None:
    refused = standing("ann", denied="ann", observed=known())
    assert messages(status_of({MATLAB: refused}))["Ready"] == (
        "Denied: ask your license admin (spec.deniedUsers): lab/matlab"
    )
    both = {MATLAB: refused, ANSYS: standing("x y ann", observed=known("x y"))}
    assert conditions(status_of(both))["Ready"] == ("False", "Denied")
    assert messages(status_of(both))["Ready"] == (
        "Denied: ask your license admin (spec.deniedUsers): lab/matlab. No seat yet: lab/ansys (PoolFull, position 1)"
    )


SUMMARIES = {
    "every seat": ({MATLAB: standing("ann", observed=EVERYBODY)}, {}, "1 of 1"),
    "one of two": (
        {MATLAB: standing("ann", observed=EVERYBODY), ANSYS: standing("x y z ann", observed=known("x y"))}, {},
        "1 of 2; ansys: 2nd, PoolFull",
    ),
    "a pool of another namespace": (
        {"cad/nx": standing("x y ann", observed=known("x y"))}, {}, "0 of 1; cad/nx: 1st, PoolFull",
    ),
    "a list that is on its way": ({MATLAB: standing("ann", observed=known())}, {}, "0 of 1; matlab: ListPending"),
    "a refusal": ({MATLAB: standing("ann", denied="ann", observed=known())}, {}, "0 of 1; matlab: Denied"),
    "a stopped workbench": ({MATLAB: standing("bob", observed=EVERYBODY)}, {"active": False}, "not active"),
    "a seat that is released": ({MATLAB: standing("ann", observed=EVERYBODY)}, {"active": False}, "releasing"),
    "no pool": ({}, {}, "no pool"),
    "an owner that is no user id": ({}, {"seen": view(None, problem="two words")}, "invalid owner"),
}  # fmt: skip


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_summary_has_all_pools_in_one_text(name: str) -> None:
    states, more, text = SUMMARIES[name]
    assert status_of(states, **more).summary == text


def test_an_owner_that_no_license_server_could_take_is_told_why() -> None:
    status = status_of(
        {MATLAB: standing("ann", observed=EVERYBODY)}, seen=view(None, problem="two words"), active=False
    )
    assert conditions(status)["Ready"] == ("False", "InvalidOwner")
    assert messages(status)["Ready"] == "spec.owner: two words"
    assert status.seats == ()


def test_every_reason_of_the_readiness_has_a_sentence() -> None:
    stopped = status_of({MATLAB: standing("bob", observed=EVERYBODY)}, active=False)
    assert all(text.endswith(".") for text in messages(stopped).values())
    assert ConditionReason.UNDECIDED.value == "Undecided"


def test_who_is_denied_who_is_unknown_to_the_server_and_who_waits_are_told_apart() -> None:
    states = {
        "lab/a": standing("ann", denied="ann", observed=known()),
        "lab/b": standing("ann", unlistable={"ann": "no such account"}, observed=known()),
        "lab/c": standing("x y ann", observed=known("x y")),
    }
    told = status_of(states)
    assert conditions(told)["Ready"] == ("False", "Denied")
    text = messages(told)["Ready"]
    assert text.startswith(
        "Denied: ask your license admin (spec.deniedUsers): lab/a. No seat: the license server does not know"
    )
    assert ": lab/b. Ask who administers its accounts" in text
    assert text.endswith(". No seat yet: lab/c (PoolFull, position 1)")
    unknown = status_of({"lab/b": states["lab/b"]})
    assert conditions(unknown)["Ready"] == ("False", "NotListable")
    assert "deniedUsers" not in messages(unknown)["Ready"]
