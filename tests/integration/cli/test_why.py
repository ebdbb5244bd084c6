"""What `seatpool why` says about each rule, word for word, on a real API server.

The words stand here in full and not as calls of the table that makes them: a changed sentence has to be changed here too.
"""

import json
import os
import re
import subprocess
import sys
from datetime import datetime, timedelta

import pytest
from tests.integration.cli.conftest import Board

MUST_STOP = "Nobody can say when: a seat comes free when somebody stops a workbench."


def too_few(board: Board, count: int = 0) -> str:
    return f"No estimate yet: {board.namespace}/matlab has {count} finished seats; 20 are needed."


def test_somebody_who_has_a_seat_is_told_since_when_and_by_which_workbench(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(),
        board.ledger(assigned={"ann": board.ago(minutes=20)}),
        board.workbench(1, r"CORP\Ann"),
    )
    assert board.why("ann", code=0) == [
        f"ann has a seat of {board.namespace}/matlab since {board.at(minutes=-20)}.",
        f"An active workbench needs the product: i-00000001. "
        f"[Granted; LicensePool {board.namespace}/matlab, spec.workbenchTypes]",
        "ann keeps it while a workbench is running.",
    ]


def test_every_spelling_of_a_name_gets_the_same_answer(board: Board) -> None:
    board.put(
        board.server(), board.pool(), board.ledger(assigned={"ann": board.ago(minutes=20)}), board.workbench(1, "ann")
    )
    answers = {board.ask("why", spelled, "-o", "json").stdout for spelled in ("ann", "ANN@corp.example", r"CORP\ann")}
    assert len(answers) == 1
    assert json.loads(answers.pop())["pools"][0]["phase"] == "Assigned"


def test_a_full_pool_names_the_position_and_whose_stop_would_free_a_seat(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=2, minimumHold="1h"),
        board.ledger(
            assigned={"ann": board.ago(minutes=20), "bob": board.ago(hours=2)}, waiting={"dora": board.ago(minutes=5)}
        ),
        board.workbench(1, "ann"), board.workbench(2, "bob"), board.workbench(3, "dora"),
    )  # fmt: skip
    assert board.why("dora", code=1) == [
        f"dora waits for a seat of {board.namespace}/matlab: position 1 of 1, since {board.at(minutes=-5)}.",
        f"All 2 seats are taken. [PoolFull; LicensePool {board.namespace}/matlab, spec.seats]",
        MUST_STOP,
        "A seat would come at once if one of these stopped now: bob (i-00000002).",
        too_few(board),
    ]


def test_somebody_further_back_in_line_is_told_how_many_seats_have_to_come_free(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=2),
        board.ledger(
            assigned={"ann": board.ago(hours=3), "bob": board.ago(hours=2)},
            waiting={"dora": board.ago(minutes=5), "eve": board.ago(minutes=4)},
        ),
        *(board.workbench(number, user) for number, user in enumerate(("ann", "bob", "dora", "eve"))),
    )
    lines = board.why("eve", code=1)
    assert (
        lines[0] == f"eve waits for a seat of {board.namespace}/matlab: position 2 of 2, since {board.at(minutes=-4)}."
    )
    assert "Nobody can say when: 2 of those who have a seat must stop first." in lines


def hours(*lengths: float) -> list[int]:
    return [round(3600 * one) for one in lengths]


EVENLY = hours(*(number / 2 for number in range(11)))
"""Seats of the past were held for anything up to five hours, each length as often as any other."""


def crowded(board: Board, *, lengths: list[int], seats: int = 57, **spec: object) -> None:
    """Two people who have had their seats for an hour, and dora, who waits."""
    pool = board.pool(seats=2, **spec)
    pool["status"]["seatLengths"] = {"seats": seats, "seconds": lengths}
    board.put(
        board.server(),
        pool,
        board.ledger(
            assigned={"ann": board.ago(hours=1), "bob": board.ago(hours=1)}, waiting={"dora": board.ago(minutes=5)}
        ),
        board.workbench(1, "ann"), board.workbench(2, "bob"), board.workbench(3, "dora"),
    )  # fmt: skip


def test_a_likely_range_comes_from_how_long_earlier_seats_were_held(board: Board) -> None:
    crowded(board, lengths=hours(*[3] * 11))
    end = board.at(hours=2)
    assert board.why("dora", code=1)[-1] == (f"Probably at {end}, going by the last 57 seats.")


def test_the_range_is_as_wide_as_the_lengths_are_and_the_same_each_time(board: Board) -> None:
    crowded(board, lengths=EVENLY)
    answers = [json.loads(board.ask("why", "dora", "-o", "json").stdout)["pools"][0]["likely"] for _ in range(2)]
    begin, end = (datetime.fromisoformat(answers[0][name]) - board.now for name in ("begin", "end"))
    # The first of two seats, each free at any instant of the next four hours: a tenth by 12 minutes, nine by 2 h 44 min.
    assert timedelta(minutes=6) < begin < timedelta(minutes=20)
    assert timedelta(hours=2, minutes=25) < end < timedelta(hours=3, minutes=5)
    assert abs(datetime.fromisoformat(answers[1]["end"]) - datetime.fromisoformat(answers[0]["end"])) < timedelta(
        minutes=1
    )
    assert answers[0]["seats"] == 57


def test_no_seat_is_likely_to_come_before_it_could_come(board: Board) -> None:
    crowded(board, lengths=EVENLY, linger="90m")
    likely = json.loads(board.ask("why", "dora", "-o", "json").stdout)["pools"][0]["likely"]
    assert datetime.fromisoformat(likely["begin"]) >= board.now + timedelta(minutes=90)


def test_no_range_is_given_from_a_few_seats(board: Board) -> None:
    crowded(board, lengths=EVENLY, seats=19)
    assert board.why("dora", code=1)[-1] == too_few(board, 19)


def test_no_range_is_given_when_seats_are_held_longer_than_ever_before(board: Board) -> None:
    crowded(board, lengths=hours(*[0.5] * 11))
    assert board.why("dora", code=1)[-1] == (
        "No estimate: too many holders have kept their seats longer than any of the last 57 that ended."
    )


def test_no_range_is_given_where_a_rule_may_keep_the_freed_seat_from_the_line(board: Board) -> None:
    crowded(board, lengths=EVENLY, maxReassignments={"count": 0, "window": "365d"})
    assert board.why("dora", code=1)[-1] == (
        f"No estimate: spec.maxReassignments of {board.namespace}/matlab also decides."
    )


def test_a_reservation_is_named_with_the_seats_that_it_keeps(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=2, reservations=[{"name": "phd", "userPattern": "phd-*", "seats": 1}]),
        board.ledger(assigned={"ann": board.ago(hours=1)}, waiting={"dora": board.ago(minutes=5)}),
        board.workbench(1, "ann"), board.workbench(3, "dora"),
    )  # fmt: skip
    assert board.why("dora", code=1)[1] == (
        "1 of 2 seats are free, and kept for others: 1 for reservation phd. "
        f"[SeatsReserved; LicensePool {board.namespace}/matlab, spec.reservations]"
    )


def test_a_higher_weight_comes_first_in_line(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=1, order="Priority", priorities=[{"userPattern": "oncall-*", "weight": 10}]),
        board.ledger(
            assigned={"ann": board.ago(hours=1)},
            waiting={"dora": board.ago(minutes=50), "oncall-eve": board.ago(minutes=5)},
        ),
        board.workbench(1, "ann"), board.workbench(2, "dora"), board.workbench(3, "oncall-eve"),
    )  # fmt: skip
    where = f"{board.namespace}/matlab"
    assert board.why("oncall-eve", code=1)[0] == (
        f"oncall-eve waits for a seat of {where}: position 1 of 2, since {board.at(minutes=-5)}."
    )
    assert board.why("dora", code=1)[0] == (
        f"dora waits for a seat of {where}: position 2 of 2, since {board.at(minutes=-50)}."
    )


def test_minimum_hold_keeps_a_seat_that_nobody_needs_and_says_until_when(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=1, minimumHold="1h"),
        board.ledger(
            assigned={"ann": board.ago(minutes=20)}, idle={"ann": board.ago(minutes=2)}, waiting={"dora": board.ago(minutes=1)}
        ),
        board.workbench(1, "ann", state="stopped"), board.workbench(3, "dora"),
    )  # fmt: skip
    end = board.at(minutes=40)
    assert board.why("ann", code=0) == [
        f"ann has a seat of {board.namespace}/matlab since {board.at(minutes=-20)}.",
        f"The seat is not needed any more; spec.minimumHold (1h) keeps it until {end}. "
        f"[MinimumHold; LicensePool {board.namespace}/matlab, spec.minimumHold]",
        f"It ends at {end} unless a workbench of ann starts before.",
    ]
    assert board.why("dora", code=1)[2:] == [
        f"If nobody starts or stops a workbench before, dora has a seat at {end}.",
        too_few(board),
    ]


def test_linger_keeps_the_seat_of_somebody_whose_workbench_stopped(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=1, linger="15m"),
        board.ledger(assigned={"ann": board.ago(hours=2)}, idle={"ann": board.ago(minutes=5)}),
        board.workbench(1, "ann", state="stopped"),
    )
    assert board.why("ann", code=0)[1] == (
        f"No workbench is active; spec.linger (15m) keeps the seat until {board.at(minutes=10)}. "
        f"[Lingering; LicensePool {board.namespace}/matlab, spec.linger]"
    )


def test_a_seat_that_cools_down_is_no_seat_for_others_yet(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=1, seatCoolDown="1h"),
        board.ledger(waiting={"dora": board.ago(minutes=5)}, vacated=[{"user": "ann", "at": board.ago(minutes=10)}]),
        board.workbench(3, "dora"),
    )
    end = board.at(minutes=50)
    assert board.why("dora", code=1)[1:] == [
        f"1 of 1 seats are free, but others had them lately: spec.seatCoolDown (1h) blocks the next of them until {end}. "
        f"[SeatsCoolingDown; LicensePool {board.namespace}/matlab, spec.seatCoolDown]",
        f"If nobody starts or stops a workbench before, dora has a seat at {end}.",
    ]


def test_the_readmission_block_names_its_end_and_that_nobodys_stop_helps(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=2, readmitAfter="1d"),
        board.ledger(
            assigned={"ann": board.ago(hours=2)},
            waiting={"dora": board.ago(minutes=5)},
            left=[{"user": "dora", "at": board.ahead(hours=6)}],
        ),
        board.workbench(1, "ann"), board.workbench(3, "dora"),
    )  # fmt: skip
    # A time of the future counts as now: a clock that was ahead wrote it.
    assert board.why("dora", code=1)[1].startswith(
        "dora left the list lately: spec.readmitAfter (1d) permits no return before "
    )
    board.put(
        board.ledger(
            assigned={"ann": board.ago(hours=2)},
            waiting={"dora": board.ago(minutes=5)},
            left=[{"user": "dora", "at": board.ago(hours=21)}],
        )
    )
    end = board.at(hours=3)
    assert board.why("dora", code=1)[1:] == [
        f"dora left the list lately: spec.readmitAfter (1d) permits no return before {end}. "
        f"[ReadmissionBlocked; LicensePool {board.namespace}/matlab, spec.readmitAfter]",
        f"If nobody starts or stops a workbench before, dora has a seat at {end}.",
    ]


def test_a_spent_budget_names_what_is_used_and_when_the_next_change_is_permitted(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=1, maxReassignments={"count": 2, "window": "365d"}),
        board.ledger(
            waiting={"dora": board.ago(minutes=5)},
            vacated=[{"user": "ann", "at": board.ago(minutes=10)}],
            reassignments=[
                {"user": "bob", "at": board.ago(days=364)},
                {"user": "eve", "at": board.ago(days=100)},
            ],
        ),
        board.workbench(3, "dora"),
    )
    assert board.why("dora", code=1)[1:3] == [
        "1 of 1 seats are free, but others had them: 2 of the 2 changes that spec.maxReassignments permits in 365d are used. "
        f"[ReassignmentBudgetSpent; LicensePool {board.namespace}/matlab, spec.maxReassignments]",
        f"If nobody starts or stops a workbench before, dora has a seat at {board.at(days=1)}.",
    ]


def test_a_denied_person_is_told_the_field_and_that_time_changes_nothing(board: Board) -> None:
    board.put(board.server(), board.pool(deniedUsers=["dora"]), board.ledger(), board.workbench(3, "dora"))
    assert board.why("dora", code=1) == [
        f"dora is denied a seat of {board.namespace}/matlab.",
        "dora is among spec.deniedUsers and never gets a seat. "
        f"[Denied; LicensePool {board.namespace}/matlab, spec.deniedUsers]",
        f"Time does not change that: ask your license admin (spec.deniedUsers of {board.namespace}/matlab).",
    ]


def test_a_protected_person_needs_no_workbench(board: Board) -> None:
    board.put(board.server(), board.pool(protectedUsers=["ann"]), board.ledger(assigned={"ann": board.ago(hours=1)}))
    assert board.why("ann", code=0)[1:] == [
        "ann is among spec.protectedUsers and always on the list. "
        f"[Protected; LicensePool {board.namespace}/matlab, spec.protectedUsers]",
    ]


def test_a_seat_that_is_kept_for_a_protected_person_is_told_so(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=1, protectedUsers=["ann"], readmitAfter="1h"),
        board.ledger(waiting={"dora": board.ago(minutes=5)}, left=[{"user": "ann", "at": board.ago(minutes=30)}]),
        board.workbench(3, "dora"),
    )
    assert board.why("dora", code=1)[1] == (
        "1 of 1 seats are free, and kept for others: 1 for protectedUsers ann. "
        f"[SeatsReserved; LicensePool {board.namespace}/matlab, spec.reservations]"
    )


def test_a_pool_that_conflicts_with_an_older_one_is_told_so(board: Board) -> None:
    board.put(board.server(), board.pool("matlab"))
    board.put(board.pool("younger", product="matlab", workbenchTypes=["vew-matlab"]), board.workbench(3, "dora"))
    names = f"{board.namespace}/"
    lines = board.why("dora", "--pool", "younger", code=1)
    conflict = (
        f"Conflict: product matlab on server {names}licenses belongs to the older pool {names}matlab; {names}younger is not "
        "applied."
    )
    assert lines == [f"dora needs a seat of {names}younger, and the operator has not decided about it yet.", conflict]


def test_a_list_that_another_installation_owns_is_told_so(board: Board) -> None:
    foreign = {
        "Conflict": ("True", "ForeignOwner", "belongs to installation other"),
        "InSync": ("False", "ForeignOwner", ""),
    }
    board.put(board.server(), board.pool(conditions=foreign), board.workbench(3, "dora"))
    assert board.why("dora", code=1)[1] == (
        f"Conflict: another installation owns the list of matlab on server {board.namespace}/licenses; nothing is written."
    )


def test_a_suspended_pool_gives_no_instant(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(seats=1, suspend=True),
        board.ledger(assigned={"ann": board.ago(hours=1)}, waiting={"dora": board.ago(minutes=5)}),
        board.workbench(1, "ann"), board.workbench(3, "dora"),
    )  # fmt: skip
    assert board.why("dora", code=1)[2:] == [
        "Nothing changes before what stands in the way is gone.",
        f"Pool {board.namespace}/matlab is suspended: people on the list keep working; new ones get no seat.",
    ]


def test_a_suspended_server_is_told_so(board: Board) -> None:
    board.put(board.server(suspend=True), board.pool(seats=1), board.workbench(3, "dora"))
    suspended = (
        f"Server {board.namespace}/licenses is suspended: people on its lists keep working; new ones get no seat."
    )
    assert suspended in board.why("dora", code=1)


def test_a_guarded_server_keeps_everybodys_seat(board: Board) -> None:
    guarded = {"Guarded": ("True", "TooManyReleases", "9 of 12 people would lose their seats")}
    board.put(
        board.server(conditions=guarded),
        board.pool(seats=1),
        board.ledger(
            assigned={"ann": board.ago(hours=1)}, idle={"ann": board.ago(minutes=1)}, waiting={"dora": board.ago(minutes=5)}
        ),
        board.workbench(3, "dora"),
    )  # fmt: skip
    held = (
        f"Many people would lose their seats of server {board.namespace}/licenses at once. Held since {board.at(minutes=-3)} "
        "until an admin approves: seatpool approve licenses."
    )
    assert board.why("dora", code=1)[1:] == [
        f"All 1 seats are taken. [PoolFull; LicensePool {board.namespace}/matlab, spec.seats]",
        "No seat comes free before what stands in the way is gone.", held,
    ]  # fmt: skip


def test_an_inventory_that_is_not_complete_keeps_everybodys_seat(board: Board) -> None:
    stale = {"Guarded": ("True", "InventoryUnknown", "123456789012/eu-central-1 has never been inventoried completely")}
    board.put(
        board.server(conditions=stale),
        board.pool(seats=1),
        board.ledger(
            assigned={"ann": board.ago(hours=1)}, idle={"ann": board.ago(minutes=1)}, waiting={"dora": board.ago(minutes=5)}
        ),
        board.workbench(3, "dora"),
    )  # fmt: skip
    lines = board.why("dora", code=1)
    assert lines[1].startswith("All 1 seats are taken.")
    assert lines[-1] == (
        f"The inventory is not complete since {board.at(minutes=-3)}: nobody loses a seat before all accounts were asked."
    )


def test_a_stale_inventory_is_told_with_what_it_means_for_those_who_wait(board: Board) -> None:
    stale = {"InventoryFresh": ("False", "InventoryStale", "123456789012/eu-central-1 since 09:00 (AccessDenied)")}
    board.put(
        board.server(conditions=stale),
        board.pool(seats=1),
        board.ledger(assigned={"ann": board.ago(hours=1)}, waiting={"dora": board.ago(minutes=5)}),
        board.workbench(1, "ann"), board.workbench(3, "dora"),
    )  # fmt: skip
    lines = board.why("dora", code=1)
    assert "A seat would come at once if one of these stopped now: ann (i-00000001)." in lines
    assert lines[-1] == (
        f"EC2 does not answer for some accounts or regions since {board.at(minutes=-3)}: nobody there loses a seat for that, "
        "and workbenches that stopped there may still count."
    )


def test_a_server_that_cannot_be_reached_is_told_with_since_when(board: Board) -> None:
    away = {"Reachable": ("False", "ServerUnreachable", "ConnectionLost")}
    board.put(
        board.server(conditions=away),
        board.pool(conditions={"InSync": ("False", "ServerUnreachable", "ConnectionLost")}),
        board.ledger(assigned={"dora": board.ago(minutes=1)}),
        board.workbench(3, "dora", seats=[{"pool": f"{board.namespace}/matlab", "phase": "Waiting", "reason": "ListPending"}]),
    )  # fmt: skip
    lines = board.why("dora", code=1)
    assert lines[0] == (
        f"dora was given a seat of {board.namespace}/matlab at {board.at(minutes=-1)}, and the license server has not "
        "confirmed it yet: do not start the tool before it has."
    )
    assert lines[-1] == (
        f"Server {board.namespace}/licenses cannot be reached since {board.at(minutes=-3)}: people on its lists keep "
        "working; new ones get no seat."
    )


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("ApplyFailed", "Server {at}/licenses does not take the list of matlab since {since}; it is tried again."),
        (
            "ReadFailed",
            "The list of matlab on server {at}/licenses cannot be read since {since}; nothing is written before it was.",
        ),
        (
            "ListDiffers",
            "Server {at}/licenses shows another list of matlab than was written, since {since}; it is written again.",
        ),
        ("NotReadYet", "The list of matlab on server {at}/licenses has not been read yet."),
        (
            "DryRun",
            "{at}/matlab is in trial mode (DryRun): nothing is written; a seat shown here does not work.",
        ),
    ],
)
def test_whatever_keeps_a_list_from_being_right_is_told(board: Board, reason: str, sentence: str) -> None:
    mode = "DryRun" if reason == "DryRun" else "Enforce"
    board.put(
        board.server(),
        board.pool(mode=mode, conditions={"InSync": ("False", reason, "")}),
        board.ledger(assigned={"ann": board.ago(hours=1)}),
        board.workbench(1, "ann"),
    )
    done = board.ask("why", "ann")
    assert sentence.format(at=board.namespace, since=board.at(minutes=-3)) in [
        line.strip() for line in done.stdout.splitlines()
    ]


def test_a_pool_without_its_server_is_told_so(board: Board) -> None:
    board.put(board.pool(), board.ledger(assigned={"ann": board.ago(hours=1)}), board.workbench(1, "ann"))
    names = f"{board.namespace}/"
    missing = f"There is no LicenseServer {names}licenses; the list of {names}matlab cannot be written."
    assert missing in board.why("ann", code=1)


def test_a_queue_that_cannot_be_read_is_told_so(board: Board) -> None:
    away = {"EventsConnected": ("False", "EventsDisconnected", "")}
    board.put(board.server(conditions=away), board.pool(), board.ledger(), board.workbench(1, "ann"))
    assert board.why("ann", code=1)[-1] == (
        f"The queue of EC2's events cannot be read since {board.at(minutes=-3)}: starts and stops are seen by the inventory "
        "only, and so late."
    )


def test_a_type_that_no_pool_serves_is_told(board: Board) -> None:
    board.put(board.server(), board.pool(), board.workbench(3, "dora", kind="vew-unknown"))
    where = board.namespace
    assert board.why("dora", code=1) == [
        f"Workbench {where}/i-00000003 is of type vew-unknown, and no pool serves that type in namespace {where}."
    ]


def test_an_owner_that_can_be_no_user_id_is_found_by_its_own_spelling(board: Board) -> None:
    board.put(board.server(), board.pool(), board.workbench(3, "dora smith"))
    lines = board.why("dora smith", code=1)
    assert len(lines) == 1
    named = f"Workbench {board.namespace}/i-00000003, spec.owner: user id 'dora smith' cannot be put on a list"
    assert lines[0].startswith(named)


def test_somebody_whom_nobody_knows_is_told_so(board: Board) -> None:
    board.put(board.server(), board.pool())
    assert board.why("nobody", code=1) == [
        f"nobody has no workbench and no seat in namespace {board.namespace}, and waits for none.",
        "Name another namespace with -n, or look everywhere with -A.",
    ]


def test_somebody_whose_workbench_stopped_needs_no_seat(board: Board) -> None:
    board.put(board.server(), board.pool(), board.ledger(), board.workbench(1, "ann", state="stopped"))
    assert board.why("ann", code=0) == [
        f"ann has no seat of {board.namespace}/matlab and needs none: no workbench that it serves is active."
    ]


def test_a_pool_that_does_not_exist_is_a_mistake_that_names_those_that_do(board: Board) -> None:
    board.put(board.server(), board.pool())
    done = board.ask("why", "ann", "--pool", "cad")
    assert done.code == 2
    assert done.stderr == "seatpool: there is no LicensePool cad; there are: matlab\n"


def test_the_name_of_a_workbench_is_as_good_as_that_of_its_owner(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(),
        board.ledger(assigned={"ann": board.ago(minutes=20)}),
        board.workbench(1, r"CORP\Ann"),
    )
    assert board.why("i-00000001", code=0) == board.why("ann", code=0)
    assert board.why(f"{board.namespace}/i-00000001", code=0) == board.why("ann", code=0)


def test_no_settings_are_needed_where_owners_are_mapped(board: Board) -> None:
    """The operator writes the user id into the status of each Workbench."""
    board.put(
        board.server(),
        board.pool(seats=1, protectedUsers=["olga"]),
        board.ledger(assigned={"e777": board.ago(minutes=20)}, waiting={"dora": board.ago(minutes=5)}),
        board.workbench(1, "olga") | {"status": {"user": "e777"}}, board.workbench(2, "dora") | {"status": {"user": "dora"}},
    )  # fmt: skip
    told = [
        f"e777 has a seat of {board.namespace}/matlab since {board.at(minutes=-20)}.",
        "e777 is among spec.protectedUsers and always on the list. "
        f"[Protected; LicensePool {board.namespace}/matlab, spec.protectedUsers]",
    ]
    for name in ("olga", "OLGA@corp.example", "e777", "i-00000001"):
        assert board.why(name, code=0) == told
    assert "No stop of those who have a seat now would bring dora one." in board.why("dora", code=1)


def test_watch_ends_when_the_seat_is_read_back(board: Board) -> None:
    """The ledger and a condition that is still that of the list before are not enough."""
    pool = f"{board.namespace}/matlab"
    waits = {"pool": pool, "phase": "Waiting", "position": 1, "reason": "PoolFull"}
    board.put(
        board.server(), board.pool(seats=1),
        board.ledger(assigned={"ann": board.ago(hours=1)}, waiting={"dora": board.ago(minutes=5)}),
        board.workbench(1, "ann"), board.workbench(2, "dora", seats=[waits]),
    )  # fmt: skip
    command = [
        *(sys.executable, "-m", "seatpool", "why", "dora", "--watch", "--interval", "0.5"),
        *("-n", board.namespace, "--kubeconfig", str(board.plane.kubeconfig)),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"TZ": "UTC"}) as watching:
        assert watching.stdout is not None
        read = iter(watching.stdout.readline, "")
        assert any(line.startswith(f"dora waits for a seat of {pool}") for line in read)
        board.put(board.ledger(assigned={"dora": board.ago(minutes=1)}), board.workbench(1, "ann", state="stopped"))
        assert any(line.startswith(f"dora was given a seat of {pool}") for line in read)
        assert watching.poll() is None
        assigned = {"pool": pool, "phase": "Assigned", "since": board.ago(minutes=1), "reason": "Granted"}
        board.put(board.workbench(2, "dora", seats=[assigned]))
        assert any(line.startswith(f"dora has a seat of {pool}") for line in read)
        assert watching.wait(60) == 0


def test_watch_ends_with_1_when_a_seat_is_denied(board: Board) -> None:
    board.put(board.server(), board.pool(deniedUsers=["dora"]), board.ledger(), board.workbench(3, "dora"))
    assert board.ask("why", "dora", "--watch").code == 1


def test_who_shows_holders_and_the_line(board: Board) -> None:
    crowded(board, lengths=hours(*[3] * 11))
    done = board.ask("who", "matlab")
    assert done.code == 0
    _, _, about = done.stdout.partition(f"{board.namespace}/matlab: ")
    assert [re.split("  +", line.strip()) for line in about.splitlines() if line.strip()] == [
        ["2 of 2 seats used, 1 waiting"],
        ["USER", "SINCE", "TYPE", "IDLE", "UNTIL"],
        ["ann", board.at(hours=-1), "vew-matlab", "-", "-"],
        ["bob", board.at(hours=-1), "vew-matlab", "-", "-"],
        ["LINE", "USER", "SINCE", "TYPE", "REASON", "PROBABLY"],
        ["1", "dora", board.at(minutes=-5), "vew-matlab", "PoolFull", board.at(hours=2)],
    ]
    told = json.loads(board.ask("who", "matlab", "-o", "json").stdout)
    assert [one["user"] for one in told["holders"]] == ["ann", "bob"]
    assert told["waiting"][0]["likely"]["seats"] == 57
