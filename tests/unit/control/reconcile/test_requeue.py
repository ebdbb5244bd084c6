"""Rest ends when something may be done, and never for a reason that no pass does away with."""

from dataclasses import replace

import pytest
from tests.unit.control.desks import DeskMaker
from tests.unit.control.objects import known, later, standing

from seatpool.control.reconcile.requeue import LONGEST, SHORTEST, TOGETHER, UNKNOWN, seconds_to_collect, seconds_to_rest
from seatpool.control.reconcile.server_state import Desk
from seatpool.control.state.pool_state import PoolState

HOUR = 3600


def changing_in(seconds: float) -> PoolState:
    found = standing("ann", known=known("ann"))
    assert found.answer is not None
    found.answer = replace(found.answer, next_change=later(seconds))
    return found


def quiet(desks: DeskMaker, found: PoolState | None = None, **setting: object) -> Desk:
    """Verified just now, and again in five minutes."""
    desk = desks.desk({"matlab": found or standing("ann", known=known("ann"))}, **setting)  # type: ignore[arg-type]
    desk.last_verified = desks.clock.monotonic()
    return desk


async def test_a_quiet_server_is_looked_at_when_its_lists_have_to_be_verified(desks: DeskMaker) -> None:
    desk = quiet(desks)
    assert seconds_to_rest(desk) == 300
    desks.clock.seconds += 100
    assert seconds_to_rest(desk) == 200
    desks.clock.seconds += 500
    assert seconds_to_rest(desk) == SHORTEST


async def test_without_pools_or_while_suspended_there_is_nothing_to_verify(desks: DeskMaker) -> None:
    empty = desks.desk({})
    empty.last_verified = -HOUR
    assert seconds_to_rest(empty) == LONGEST


async def test_a_suspended_server_is_not_contacted(desks: DeskMaker) -> None:
    desk = quiet(desks, server={"suspend": True})
    desk.backoffs.server.failed()
    desks.clock.seconds += HOUR
    assert seconds_to_rest(desk) == LONGEST


async def test_an_answer_that_changes_by_itself_ends_the_rest(desks: DeskMaker) -> None:
    assert seconds_to_rest(quiet(desks, changing_in(20))) == 20


@pytest.mark.parametrize("pool", [{"suspend": True}, {"meta": {"deletionTimestamp": "2026-01-05T09:00:00Z"}}])
async def test_an_answer_that_nobody_will_renew_does_not(desks: DeskMaker, pool: dict[str, object]) -> None:
    assert seconds_to_rest(quiet(desks, changing_in(-20), pool=pool)) == 300


async def test_a_pool_without_a_memory_cannot_be_answered_yet(desks: DeskMaker) -> None:
    found = changing_in(-20)
    found.memory = None
    assert seconds_to_rest(quiet(desks, found)) == 300


async def test_a_product_that_failed_ends_the_rest_when_it_may_be_tried_again(desks: DeskMaker) -> None:
    desk = quiet(desks)
    desk.backoffs.failed("matlab")
    assert 0.75 <= seconds_to_rest(desk) <= 1.25
    desks.clock.seconds += 2
    assert seconds_to_rest(desk) == 298


async def test_a_verification_that_is_due_waits_for_a_server_and_for_products_that_failed(desks: DeskMaker) -> None:
    desk = quiet(desks)
    desks.clock.seconds += HOUR
    desk.backoffs.server.failed()
    assert 0.75 <= seconds_to_rest(desk) <= 1.25
    desk.backoffs.server.succeeded()
    for _ in range(3):
        desk.backoffs.failed("matlab")
    assert 3 <= seconds_to_rest(desk) <= 5


async def test_a_pause_that_ended_during_the_pass_is_followed_by_another_pass(desks: DeskMaker) -> None:
    desk = quiet(desks)
    desk.held_off = True
    assert seconds_to_rest(desk) == SHORTEST


async def test_while_an_account_is_unknown_somebody_has_to_look(desks: DeskMaker) -> None:
    desk = quiet(desks)
    desk.view.uninventoried = ("123456789012/eu-central-1",)
    assert seconds_to_rest(desk) == UNKNOWN


async def test_a_change_after_a_rest_is_sent_at_once(desks: DeskMaker) -> None:
    desk = quiet(desks)
    assert seconds_to_collect(desk) == TOGETHER
    desk.last_command = desks.clock.monotonic()
    desks.clock.seconds += 10
    assert seconds_to_collect(desk) == TOGETHER


async def test_changes_are_collected_while_one_command_follows_another(desks: DeskMaker) -> None:
    desk = quiet(desks, server={"debounce": "500ms"})
    desk.last_command = desks.clock.monotonic()
    assert seconds_to_collect(desk) == 0.5
    desks.clock.seconds += 0.25
    assert seconds_to_collect(desk) == 0.25


async def test_nothing_is_collected_for_longer_than_the_server_says(desks: DeskMaker) -> None:
    desk = quiet(desks, server={"debounce": "0ms"})
    assert seconds_to_collect(desk) == 0
