"""The roles that ship are enough for what they say, and for no more."""

from pathlib import Path

import pytest
from tests.integration.cli.conftest import Answered, Board

ROLES = Path(__file__).parents[3] / "examples" / "install" / "people.yaml"


@pytest.fixture
def people(board: Board) -> Board:
    """A namespace in which `viewer` looks and `admin` decides too."""
    board.plane.kubectl("apply", "-f", ROLES.with_name("namespace.yaml"), "-f", ROLES)
    for name, roles in {"viewer": ["seatpool-viewer"], "admin": ["seatpool-viewer", "seatpool-license-admin"]}.items():
        board.plane.kubectl("create", "serviceaccount", name, "-n", board.namespace)
        for role in roles:
            board.plane.kubectl(
                "create", "rolebinding", f"{name}-{role}", "-n", board.namespace, f"--clusterrole={role}",
                f"--serviceaccount={board.namespace}:{name}",
            )  # fmt: skip
    board.put(
        board.server(), board.pool(), board.ledger(assigned={"ann": board.ago(minutes=20)}), board.workbench(1, "ann")
    )
    return board


def ask_as(board: Board, name: str, *arguments: str) -> Answered:
    config = board.plane.kubeconfig_for_service_account(board.namespace, name)
    return board.ask(*arguments, "--kubeconfig", str(config))


@pytest.mark.parametrize("command", [("status",), ("why", "ann"), ("who", "matlab"), ("diff", "matlab"), ("history", "ann")])
def test_whoever_may_look_in_one_namespace_gets_every_answer_there(people: Board, command: tuple[str, ...]) -> None:
    done = ask_as(people, "viewer", *command)
    assert done.code == 0, done.stderr


def test_whoever_may_only_look_decides_nothing_and_is_told_which_right_is_missing(people: Board) -> None:
    done = ask_as(people, "viewer", "pause", "matlab")
    assert done.code == 2
    assert 'cannot patch resource "licensepools"' in done.stderr


def test_a_license_admin_may_pause(people: Board) -> None:
    assert ask_as(people, "admin", "pause", "matlab").code == 0
