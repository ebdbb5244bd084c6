"""The guard holds what looks like a mistake, and lets go on what a person approved."""

import pytest
from tests.unit.control.objects import server

from seatpool.api.annotations import APPROVE_CHANGE
from seatpool.policy.guard import HeldChange, hold

LEAVING = [("lab/matlab", "ann"), ("lab/ansys", "bob"), ("lab/matlab", "cem")]


@pytest.mark.parametrize(
    ("present", "leaving", "percent", "least", "is_held"),
    [
        pytest.param(6, 3, 50, 1, False, id="exactly the share that is allowed"),
        pytest.param(5, 3, 50, 1, True, id="one person more than the share"),
        pytest.param(9, 3, 10, 10, False, id="a server with too few people to judge by"),
        pytest.param(10, 3, 10, 10, True, id="just enough people to judge by"),
        pytest.param(3, 3, 100, 1, False, id="a guard that allows everything"),
        pytest.param(200, 3, 1, 1, True, id="a percent is of the people, not of the leaving"),
        pytest.param(300, 3, 1, 1, False, id="three of three hundred are one percent"),
        pytest.param(0, 0, 1, 0, False, id="nobody is there and nobody leaves"),
    ],
)
def test_a_change_is_held_when_more_than_the_allowed_share_would_leave(
    present: int, leaving: int, percent: int, least: int, is_held: bool
) -> None:
    guarded = server(guard={"maxReleasePercent": percent, "minUsers": least})
    held = hold(guarded, present=present, leaving=LEAVING[:leaving])
    assert (held is not None) is is_held


def held_by(*leaving: tuple[str, str]) -> HeldChange:
    held = hold(server(guard={"minUsers": 0}), present=len(leaving), leaving=leaving)
    assert held is not None
    return held


def test_a_token_names_the_people_and_their_pools_in_whatever_order_they_come() -> None:
    assert held_by(*LEAVING).token == held_by(*reversed(LEAVING)).token
    assert held_by(*LEAVING).token != held_by(*LEAVING[:2]).token
    assert held_by(("lab/matlab", "ann")).token != held_by(("lab/ansys", "ann")).token


def test_an_approval_lets_this_change_go_on_and_no_other() -> None:
    token = held_by(*LEAVING).token
    approved = server(guard={"minUsers": 0}, annotations={APPROVE_CHANGE: token})
    assert hold(approved, present=3, leaving=LEAVING) is None
    assert hold(approved, present=3, leaving=LEAVING[:2]) is not None


def test_the_message_is_a_command_that_approves_the_change() -> None:
    held = held_by(*LEAVING)
    message = held.message(server())
    assert "3 of 3 people" in message
    assert f"kubectl annotate --overwrite licenseserver/licenses -n lab {APPROVE_CHANGE}={held.token}" in message
