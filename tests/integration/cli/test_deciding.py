"""What an admin decides from the command line, and what is in the API server afterwards."""

import json
from datetime import timedelta
from typing import Any

import pytest
from tests.integration.cli.conftest import Board

from seatpool.api.licenseserver import LicenseServer
from seatpool.policy.guard import PoolChange, weigh


def read(board: Board, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(board.plane.kubectl("get", kind, name, "-n", board.namespace, "-o", "json"))
    return found


def guarded(board: Board) -> str:
    """A server that holds back that ten users lose their seats; the token of the change."""
    people = [f"u{number}" for number in range(10)]
    server = LicenseServer.model_validate(
        board.server() | {"metadata": {"name": "licenses", "namespace": board.namespace}}
    )
    ended = board.now - timedelta(minutes=5)
    change = PoolChange(f"{board.namespace}/matlab", 10, 0, dict.fromkeys(people, ended))
    verdict = weigh(server, [change], now=board.now)
    assert verdict.held is not None
    shown = board.server(conditions={"Guarded": ("True", "TooManyReleases", verdict.held.message(server))})
    shown["status"]["guard"] = verdict.status.wire()
    since = dict.fromkeys(people, board.ago(hours=1))
    board.put(
        shown, board.pool(seats=10), board.ledger(assigned=since, idle=dict.fromkeys(people, board.ago(minutes=5)))
    )
    return str(verdict.held.token)


def test_approving_shows_who_loses_a_seat_and_writes_the_token_of_that_very_change(board: Board) -> None:
    token = guarded(board)
    board.put(board.workbench(3, "u3", state="stopped"))
    done = board.ask("approve", "licenses", "--yes", "--wait", "0")
    assert done.code == 0, done.stderr
    assert done.stdout.splitlines() == [
        f"LicenseServer {board.namespace}/licenses has the lists of {board.namespace}/matlab; the guard weighs their changes "
        "together.",
        f"Held back since {board.at(minutes=-3)}: 10 of 10 users would lose their seats within 10m, more than the 50 % that "
        "spec.guard.maxReleasePercent allows.",
        f"  {board.namespace}/matlab: 10 lose their seats",
        "    workbenches stopped: u3",
        f"    no Workbench is left: {', '.join(f'u{number}' for number in range(10) if number != 3)}",
        f"Approved change {token}. To see what comes of it: seatpool status",
    ]
    annotations = read(board, "licenseserver", "licenses")["metadata"]["annotations"]
    assert annotations["seatpool.io/approve-change"] == token


def test_an_approval_that_no_operator_takes_ends_with_exit_code_1(board: Board) -> None:
    token = guarded(board)
    done = board.ask("approve", "licenses", "--yes", "--wait", "0.5")
    assert done.code == 1
    assert f"Within 0.5 s the operator did not take the approval of change {token}" in done.stdout


def test_a_pool_means_its_server_and_every_pool_of_that_is_named(board: Board) -> None:
    token = guarded(board)
    board.put(board.pool("cad", seats=5))
    done = board.ask("approve", "matlab", "--yes", "--wait", "0")
    assert done.code == 0, done.stderr
    names = f"{board.namespace}/cad, {board.namespace}/matlab"
    assert done.stdout.splitlines()[0] == (
        f"LicenseServer {board.namespace}/licenses has the lists of {names}; the guard weighs their changes together."
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


def test_who_has_come_back_is_not_shown_any_more(board: Board) -> None:
    guarded(board)
    board.put(board.workbench(1, "u1"))
    shown = board.ask("approve", "licenses", "--yes", "--wait", "0").stdout
    assert f"  {board.namespace}/matlab: 9 lose their seats" in shown.splitlines()


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
    assert board.ask("resume", "pool/matlab").stdout == f"LicensePool {board.namespace}/matlab is running again.\n"
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
