"""What an admin decides from the command line, and what is in the API server afterwards."""

import json
from typing import Any

import pytest
from tests.integration.cli.conftest import Board

from seatpool.api.licenseserver import LicenseServer
from seatpool.policy.guard import hold


def read(board: Board, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(board.plane.kubectl("get", kind, name, "-n", board.namespace, "-o", "json"))
    return found


def guarded(board: Board) -> str:
    """A server that holds back that ten people lose their seats; the token of the change."""
    people = [f"u{number}" for number in range(10)]
    board.put(
        board.server(), board.pool(seats=10), board.ledger(assigned={user: board.ago(hours=1) for user in people})
    )
    server = LicenseServer.model_validate(read(board, "licenseserver", "licenses"))
    held = hold(server, present=10, leaving=[(f"{board.namespace}/matlab", user) for user in people])
    assert held is not None
    board.put(board.server(conditions={"Guarded": ("True", "TooManyReleases", held.message(server))}))
    return held.token


def test_approving_shows_who_loses_a_seat_and_writes_the_token_of_that_very_change(board: Board) -> None:
    token = guarded(board)
    done = board.ask("approve", "licenses", "--yes")
    assert done.code == 0, done.stderr
    own, *lines = done.stdout.splitlines()
    assert own == (
        f"LicenseServer {board.namespace}/licenses has the lists of {board.namespace}/matlab; the guard holds changes back for "
        "all of them together."
    )
    assert lines[0] == f"Held back since {board.at(minutes=-3)}: " + (
        "10 of 10 people would lose their seats at once, more than the 50 % that spec.guard.maxReleasePercent allows."
    )
    assert (
        lines[1]
        == f"  {board.namespace}/matlab: 10 lose their seats: {', '.join(f'u{number}' for number in range(10))}"
    )
    assert not any("another change" in line for line in lines)
    annotations = read(board, "licenseserver", "licenses")["metadata"]["annotations"]
    assert annotations["seatpool.io/approve-change"] == token


def test_a_pool_means_its_server_and_every_pool_of_that_is_named(board: Board) -> None:
    token = guarded(board)
    board.put(board.pool("cad", seats=5))
    done = board.ask("approve", "matlab", "--yes")
    assert done.code == 0, done.stderr
    names = f"{board.namespace}/cad, {board.namespace}/matlab"
    assert done.stdout.splitlines()[0] == (
        f"LicenseServer {board.namespace}/licenses has the lists of {names}; the guard holds changes back for all of them "
        "together."
    )
    assert read(board, "licenseserver", "licenses")["metadata"]["annotations"]["seatpool.io/approve-change"] == token
    asked = board.ask("verify", "pool/cad", "--wait", "0")
    assert asked.stdout.splitlines() == [
        f"LicenseServer {board.namespace}/licenses has the lists of {names}; they are read back together.",
        f"Asked the operator to read back the lists of LicenseServer {board.namespace}/licenses.",
    ]


def test_a_name_that_a_pool_and_its_own_server_share_is_clear_enough_for_the_server(board: Board) -> None:
    board.put(board.server(), board.pool("licenses"))
    assert board.ask("verify", "licenses", "--wait", "0").code == 0
    assert "seatpool.io/verify" in read(board, "licenseserver", "licenses")["metadata"]["annotations"]


def test_a_pool_whose_server_is_missing_says_which_field_names_it(board: Board) -> None:
    board.put(board.pool())
    done = board.ask("verify", "matlab", "--wait", "0")
    assert done.code == 2
    assert done.stderr == (
        f"seatpool: LicensePool {board.namespace}/matlab, spec.serverRef.name: there is no LicenseServer "
        f"{board.namespace}/licenses; create it, or change the field\n"
    )


def test_approving_without_a_word_changes_nothing(board: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    guarded(board)
    monkeypatch.setattr("typer.confirm", lambda *_args, **_more: False)
    done = board.ask("approve", "licenses")
    assert done.code == 1
    assert "annotations" not in read(board, "licenseserver", "licenses")["metadata"]


def test_a_change_that_became_another_one_is_told_before_it_is_approved(board: Board) -> None:
    guarded(board)
    board.put(board.workbench(1, "u1"))
    assert "another change than the operator shows" in board.ask("approve", "licenses", "--yes").stdout


def test_there_is_nothing_to_approve_on_a_server_that_holds_nothing_back(board: Board) -> None:
    board.put(board.server(), board.pool())
    done = board.ask("approve", "licenses", "--yes")
    assert done.code == 2
    assert done.stderr == (
        f"seatpool: LicenseServer {board.namespace}/licenses holds no change back: there is nothing to approve\n"
    )


def test_pause_and_resume_write_the_field_that_gitops_would(board: Board) -> None:
    board.put(board.server(), board.pool())
    assert board.ask("pause", "matlab").stdout == (
        f"LicensePool {board.namespace}/matlab is suspended: its list stays as it is.\n"
    )
    assert read(board, "licensepool", "matlab")["spec"]["suspend"] is True
    assert board.ask("resume", "pool/matlab").stdout == f"LicensePool {board.namespace}/matlab is going on.\n"
    assert read(board, "licensepool", "matlab")["spec"]["suspend"] is False
    assert board.ask("pause", "server/licenses").code == 0
    assert read(board, "licenseserver", "licenses")["spec"]["suspend"] is True


def test_a_name_that_a_pool_and_a_server_share_has_to_be_made_clear(board: Board) -> None:
    board.put(board.server(), board.pool("licenses"))
    done = board.ask("pause", "licenses")
    assert done.code == 2
    assert "is the name of several objects" in done.stderr


def test_a_verification_that_nobody_does_ends_with_exit_code_1(board: Board) -> None:
    board.put(board.server(), board.pool())
    done = board.ask("verify", "licenses", "--wait", "0.5")
    assert done.code == 1
    assert "seatpool.io/verify" in read(board, "licenseserver", "licenses")["metadata"]["annotations"]
