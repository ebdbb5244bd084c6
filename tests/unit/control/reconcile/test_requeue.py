"""Rest ends when something may be done, and never for a reason that no pass does away with."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.control.objects import known, later, standing
from tests.unit.control.server_states import START, moment, server_state

from seatpool.backoff import Retry
from seatpool.control.reconcile.pacing import Pace, Work
from seatpool.control.reconcile.requeue import LONGEST, SHORTEST, TOGETHER, UNKNOWN, batch_delay, requeue_after
from seatpool.control.reconcile.server_state import ServerState
from seatpool.control.state.pool_state import PoolState

HOUR = 3600


def changing_in(seconds: float) -> PoolState:
    found = standing("ann", observed=known("ann"))
    assert found.answer is not None
    return replace(found, answer=replace(found.answer, next_change=later(seconds)))


def quiet(found: PoolState | None = None, **setting: Any) -> ServerState:
    """Verified just now, and again in five minutes."""
    state = server_state({"matlab": found or standing("ann", observed=known("ann"))}, **setting)
    return replace(state, last_verified=START)


def rest(state: ServerState, at: float = 0) -> float:
    return requeue_after(state, at=moment(at))


def test_a_quiet_server_is_looked_at_when_its_lists_have_to_be_verified() -> None:
    state = quiet()
    assert rest(state) == 300
    assert rest(state, at=100) == 200
    assert rest(state, at=600) == SHORTEST


def test_without_pools_or_while_suspended_there_is_nothing_to_verify() -> None:
    empty = replace(server_state({}), last_verified=-HOUR)
    assert rest(empty) == LONGEST


def test_a_suspended_server_is_not_contacted() -> None:
    state = replace(quiet(server={"suspend": True}), server_retry=Retry().failed(monotonic=START))
    assert rest(state, at=HOUR) == LONGEST


def test_an_answer_that_changes_by_itself_ends_the_rest() -> None:
    assert rest(quiet(changing_in(20))) == 20


@pytest.mark.parametrize("pool", [{"suspend": True}, {"meta": {"deletionTimestamp": "2026-01-05T09:00:00Z"}}])
def test_an_answer_that_nobody_will_renew_does_not(pool: dict[str, object]) -> None:
    assert rest(quiet(changing_in(-20), pool=pool)) == 300


def test_a_pool_without_a_memory_cannot_be_answered_yet() -> None:
    assert rest(quiet(replace(changing_in(-20), memory=None))) == 300


def test_a_product_that_failed_ends_the_rest_when_it_may_be_tried_again() -> None:
    state = replace(quiet(), paces={("matlab", Work.WRITE): Pace(Retry().failed(monotonic=START))})
    assert 0.75 <= rest(state) <= 1.25
    assert rest(state, at=2) == 298


def test_a_verification_that_is_due_waits_for_a_server_and_for_products_that_failed() -> None:
    state = quiet()
    assert 0.75 <= rest(replace(state, server_retry=Retry().failed(monotonic=START + HOUR)), at=HOUR) <= 1.25
    retry = Retry()
    for _ in range(3):
        retry = retry.failed(monotonic=START + HOUR)
    assert 3 <= rest(replace(state, paces={("matlab", Work.WRITE): Pace(retry)}), at=HOUR) <= 5


def test_a_pause_that_ended_during_the_pass_is_followed_by_another_pass() -> None:
    assert rest(replace(quiet(), held_off=True)) == SHORTEST


def test_while_an_account_is_unknown_somebody_has_to_look() -> None:
    state = quiet()
    view = replace(state.view, uninventoried=("123456789012/eu-central-1",))
    assert rest(replace(state, view=view)) == UNKNOWN


def test_a_change_after_a_rest_is_sent_at_once() -> None:
    state = quiet()
    assert batch_delay(state, at=moment()) == TOGETHER
    state = replace(state, last_command=START)
    assert batch_delay(state, at=moment(10)) == TOGETHER


def test_changes_are_collected_while_one_command_follows_another() -> None:
    state = replace(quiet(server={"debounce": "500ms"}), last_command=START)
    assert batch_delay(state, at=moment()) == 0.5
    assert batch_delay(state, at=moment(0.25)) == 0.25


def test_nothing_is_collected_for_longer_than_the_server_says() -> None:
    assert batch_delay(quiet(server={"debounce": "0ms"}), at=moment()) == 0
