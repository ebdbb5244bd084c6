"""`status`, `diff` and `events` on a real API server, as tables and for programs."""

import json

import yaml
from tests.integration.cli.conftest import Board


def test_status_of_a_healthy_installation_is_one_screen_and_exit_code_0(board: Board) -> None:
    board.put(board.server(), board.pool(), board.pool("cad", seats=5))
    done = board.ask("status", columns=80)
    assert done.code == 0, done.stdout
    lines = done.stdout.splitlines()
    assert lines[0].startswith("All well (")
    assert any(line.startswith("cad ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_status_shows_problems_first_and_ends_with_exit_code_1(board: Board) -> None:
    away = {"Reachable": ("False", "ServerUnreachable", "ConnectionLost: no answer; next try in 3s")}
    board.put(board.server(conditions=away), board.pool(), board.pool("cad", suspend=True))
    done = board.ask("status")
    assert done.code == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith("1 problem (")
    assert lines[1].startswith("Whether an operator is alive is not known")
    assert lines[2] == (
        f"  Server {board.namespace}/licenses cannot be reached since {board.at(minutes=-3)}: people on its lists "
        "keep working; new ones get no seat."
    )
    assert lines[3] == "    ConnectionLost: no answer; next try in 3s"
    assert (
        lines[4] == f"  Pool {board.namespace}/cad is suspended: people on the list keep working; new ones get no seat."
    )


def test_status_for_programs_says_the_same_in_json_and_yaml(board: Board) -> None:
    board.put(board.server(), board.pool(maxReassignments={"count": 4, "window": "365d"}))
    as_json = json.loads(board.ask("status", "-o", "json").stdout)
    assert as_json == yaml.safe_load(board.ask("status", "-o", "yaml").stdout)
    assert as_json["pools"][0]["name"] == f"{board.namespace}/matlab"
    assert (as_json["pools"][0]["changesAllowed"], as_json["pools"][0]["changesWindow"]) == (4, "365d")


def test_a_namespace_without_seatpool_is_a_mistake_that_says_where_to_look(board: Board) -> None:
    done = board.ask("status")
    assert done.code == 2
    assert done.stderr == (
        f"seatpool: nothing of Seatpool is in namespace {board.namespace}; name another with -n, or look everywhere with -A\n"
    )


def test_an_api_server_that_is_not_there_is_exit_code_2(board: Board) -> None:
    done = board.ask("status", "--kubeconfig", "/nowhere/kubeconfig")
    assert (done.code, done.stdout) == (2, "")
    assert done.stderr.startswith("seatpool: no way to the Kubernetes API: ")


def test_diff_shows_who_differs_in_dry_run_and_since_when(board: Board) -> None:
    pool = board.pool(mode="DryRun", conditions={"InSync": ("False", "DryRun", "DryRun: 1 would be added (ann)")})
    pool["status"]["difference"] = {
        "add": ["ann"],
        "remove": ["old"],
        "adds": 1,
        "removes": 3,
        "since": board.ago(minutes=9),
    }
    board.put(board.server(), pool, board.ledger(assigned={"ann": board.ago(hours=1)}))
    done = board.ask("diff", "matlab")
    assert done.code == 1
    lines = [line.strip() for line in done.stdout.splitlines()]
    start = lines.index(f"Different since {board.at(minutes=-9)}:")
    assert lines[start + 1 : start + 4] == ["+ ann", "- old", "- and 2 more"]


def test_diff_of_a_pool_in_sync_is_exit_code_0(board: Board) -> None:
    board.put(board.server(), board.pool(), board.ledger(assigned={"ann": board.ago(hours=1)}))
    assert board.ask("diff", "matlab").code == 0


def test_events_of_a_person_comes_from_the_ledger_and_says_what_it_does_not_know(board: Board) -> None:
    board.put(
        board.server(),
        board.pool(),
        board.ledger(
            assigned={"ann": board.ago(hours=1), "bob": board.ago(hours=1)},
            idle={"ann": board.ago(minutes=5)},
            vacated=[{"user": "ann", "at": board.ago(hours=2)}],
        ),
    )
    lines = [line.strip() for line in board.after_heading(board.ask("events", "ann").stdout)]
    assert lines[:3] == [
        f"{board.at(hours=-2)}  ann gave the seat back [ledger]",
        f"{board.at(hours=-1)}  ann got the seat (an active workbench needs the product, and a seat was free) [ledger]",
        f"{board.at(minutes=-5)}  the last workbench of ann stopped [ledger]",
    ]
    assert lines[3].startswith("Note: Kubernetes keeps Events for about an hour")
    assert "bob" not in "".join(lines)
