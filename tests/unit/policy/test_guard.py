"""The guard holds what looks like a mistake, and lets go on what an admin approved, once."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.control.objects import later, pool, server

from seatpool.api.annotations import APPROVE_CHANGE
from seatpool.api.licenseserver import GuardStatus, LicenseServer
from seatpool.domain.memory import Left, PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules
from seatpool.policy.guard import HeldChange, PoolChange, Token, Verdict, count_gone, weigh, window_begin
from seatpool.policy.plan import Question, plan

LAB, CAD = "lab/matlab", "lab/cad"
EVERYBODY = {"minUsers": 0}


def change(
    pool: str = LAB, *, present: int, leaving: int = 0, gone: int = 0, ended: Mapping[int, float] | None = None
) -> PoolChange:
    """So many users leave, whose seats were over at second 0, or at the second that `ended` says."""
    ends = {f"u{number:03}": later((ended or {}).get(number, 0)) for number in range(leaving)}
    return PoolChange(pool, present, gone, ends)


def guarded(stored: GuardStatus | None = None, *, approves: object = None, **limits: Any) -> LicenseServer:
    meta = {"annotations": {APPROVE_CHANGE: str(approves)}} if approves is not None else {}
    found = server(guard=limits, **meta)
    return (
        found
        if stored is None
        else found.model_copy(update={"status": found.status.model_copy(update={"guard": stored})})
    )


def held_of(verdict: Verdict) -> HeldChange:
    assert verdict.held is not None
    return verdict.held


@pytest.mark.parametrize(
    ("present", "leaving", "gone", "percent", "least", "is_held"),
    [
        pytest.param(6, 3, 0, 50, 1, False, id="exactly the share that is allowed"),
        pytest.param(5, 3, 0, 50, 1, True, id="one user more than the share"),
        pytest.param(9, 3, 0, 10, 10, False, id="too few users to judge by"),
        pytest.param(10, 3, 0, 10, 10, True, id="just enough users to judge by"),
        pytest.param(9, 3, 1, 10, 10, True, id="one who left within the window makes them enough"),
        pytest.param(3, 3, 0, 100, 1, False, id="a guard that allows everything"),
        pytest.param(200, 3, 0, 1, 1, True, id="a percent is of the users, not of the leaving"),
        pytest.param(300, 3, 0, 1, 1, False, id="three of three hundred are one percent"),
        pytest.param(31, 1, 29, 50, 1, False, id="half of sixty, one after another"),
        pytest.param(30, 1, 30, 50, 1, True, id="one more than half of sixty, one after another"),
        pytest.param(20, 0, 40, 50, 1, False, id="nobody leaves now"),
        pytest.param(0, 0, 0, 1, 0, False, id="nobody is there and nobody leaves"),
    ],
)  # fmt: skip
def test_a_change_is_held_when_more_than_the_share_would_have_left_within_the_window(
    present: int, leaving: int, gone: int, percent: int, least: int, is_held: bool
) -> None:
    limits = guarded(maxReleasePercent=percent, minUsers=least)
    verdict = weigh(limits, [change(present=present, leaving=leaving, gone=gone)], now=later(1))
    assert (verdict.held is not None) is is_held
    assert (verdict.status.held is not None) is is_held


def test_a_pool_that_is_emptied_among_many_is_held_and_the_others_go_on() -> None:
    changes = [change(LAB, present=12, leaving=12), change(CAD, present=300, leaving=3)]
    held = held_of(weigh(guarded(), changes, now=later(1)))
    assert {name for name, _ in held.leaving} == {LAB}
    assert (held.pools, held.present) == ((LAB,), 12)
    assert "12 of 12 users of lab/matlab would lose their seats" in held.message(server())


def test_all_releases_are_held_when_they_are_too_many_together() -> None:
    changes = [change(LAB, present=20, leaving=11), change(CAD, present=9, leaving=5)]
    held = held_of(weigh(guarded(), changes, now=later(1)))
    assert len(held.leaving) == 16
    assert held.pools == ()


def test_the_message_is_a_command_that_approves_the_change() -> None:
    held = held_of(weigh(guarded(), [change(present=12, leaving=7, gone=4)], now=later(1)))
    message = held.message(server())
    assert "11 of 16 users would lose their seats within 10m, more than the 50 %" in message
    assert "4 have lost them, 7 are held" in message
    assert message.endswith(f"--overwrite licenseserver/licenses -n lab {APPROVE_CHANGE}={held.token}")


# -- approvals ---------------------------------------------------------------------------------------------------------------

ALL = [change(present=12, leaving=12)]
FIRST = weigh(guarded(), ALL, now=later(1))
TOKEN = held_of(FIRST).token


def test_an_approval_lets_the_users_go_who_were_shown_and_is_used_then() -> None:
    verdict = weigh(guarded(FIRST.status, approves=TOKEN), ALL, now=later(9))
    assert verdict.held is None
    assert verdict.approved is not None
    assert verdict.approved.leaving == held_of(FIRST).leaving
    assert verdict.status == GuardStatus(changes=1, approved=str(TOKEN), approved_at=later(9))


def test_who_came_to_leave_after_the_change_was_shown_stays_held() -> None:
    more = [change(present=22, leaving=22, ended=dict.fromkeys(range(12, 22), 5.0))]
    verdict = weigh(guarded(FIRST.status, approves=TOKEN), more, now=later(9))
    assert verdict.approved is not None
    assert len(verdict.approved.leaving) == 12
    assert {user for _, user in held_of(verdict).leaving} == {f"u{number:03}" for number in range(12, 22)}
    assert held_of(verdict).token == Token(2, later(5))
    again = weigh(
        guarded(verdict.status, approves=TOKEN),
        [change(present=22, leaving=22, ended=dict.fromkeys(range(22), 5.0))],
        now=later(10),
    )
    assert again.approved is None, "the approval was used"


def test_an_approval_is_for_those_who_still_are_to_go() -> None:
    some_are_back = [change(present=12, leaving=9)]
    verdict = weigh(guarded(FIRST.status, approves=TOKEN), some_are_back, now=later(9))
    assert verdict.approved is not None
    assert len(verdict.approved.leaving) == 9


@pytest.mark.parametrize(
    ("stored", "ended", "now"),
    [
        pytest.param(GuardStatus(changes=1), 0, 9, id="the change is not held any more"),
        pytest.param(GuardStatus(), 0, 9, id="the status is gone, as after a restore"),
        pytest.param(GuardStatus(changes=2, held="2-x"), 0, 9, id="another change is held"),
        pytest.param(FIRST.status, 3, 9, id="the users have worked since"),
        pytest.param(FIRST.status, 0, -3600, id="the clock has stepped back, and the token is of the future"),
    ],
)
def test_an_approval_that_stays_behind_approves_nothing(stored: GuardStatus, ended: float, now: float) -> None:
    wiped_again = [change(present=12, leaving=12, ended=dict.fromkeys(range(12), ended))]
    verdict = weigh(guarded(stored, approves=TOKEN), wiped_again, now=later(now))
    assert verdict.approved is None
    assert len(held_of(verdict).leaving) == 12


def test_each_held_change_has_a_number_of_its_own() -> None:
    over = weigh(guarded(FIRST.status), [change(present=12)], now=later(60)).status
    assert over.held is None
    second = held_of(weigh(guarded(over), ALL, now=later(90)))
    assert (TOKEN.number, second.token.number) == (1, 2)


@given(st.integers(0, 10**9 - 1), st.datetimes(min_value=later(-(10**9)).replace(tzinfo=None)))
def test_a_token_is_read_as_it_was_written(number: int, instant: Any) -> None:
    seen = instant.replace(microsecond=instant.microsecond // 1000 * 1000, tzinfo=later(0).tzinfo)
    token = Token(number, seen)
    assert Token.parse(f" {token} ") == token
    assert token.covers(seen + timedelta(microseconds=999))
    assert not token.covers(seen + timedelta(milliseconds=1)) or seen.year == 9999


@given(st.text() | st.from_regex(r"[0-9]{1,9}-[0-9]{8}T[0-9]{9}Z", fullmatch=True))
def test_any_annotation_is_a_token_or_none(text: str) -> None:
    token = Token.parse(text)
    assert token is None or Token.parse(str(token)) == token


# -- what counts -------------------------------------------------------------------------------------------------------------


def test_releases_count_that_are_within_the_window_and_were_no_order() -> None:
    left = {
        "stopped": Left(later(-60), Reason.WORKBENCHES_STOPPED),
        "unknown": Left(later(-60), None),
        "long ago": Left(later(-601), Reason.WORKBENCHES_STOPPED),
        "denied": Left(later(-60), Reason.USER_DENIED),
        "shed": Left(later(-60), Reason.SEATS_REDUCED),
        "replaced": Left(later(-60), Reason.MADE_ROOM_FOR_PROTECTED),
    }
    memory = replace(PoolMemory.empty(), left=left)
    assert count_gone(memory, since=window_begin(guarded(), later(0))) == 2


@pytest.mark.parametrize(
    ("approved_at", "begin"),
    [(None, -600), (-60, -60), (-3600, -600), (3600, -600)],
    ids=["never", "within the window", "before it", "in the future"],
)
def test_the_window_begins_anew_with_an_approved_change(approved_at: float | None, begin: float) -> None:
    stored = GuardStatus(approved_at=None if approved_at is None else later(approved_at))
    assert window_begin(guarded(stored), later(0)) == later(begin)


# -- over time ---------------------------------------------------------------------------------------------------------------

USERS = [f"u{number:02}" for number in range(24)]
SECONDS = st.integers(1, 400)
LIVES = st.lists(st.tuples(SECONDS, st.sets(st.sampled_from(USERS), max_size=24)), min_size=1, max_size=25)


@settings(max_examples=150)
@given(LIVES, st.integers(1, 99), st.sampled_from([0, 60, 600]))
def test_however_slowly_users_vanish_no_window_sees_more_of_them_released_than_the_share(
    lives: list[tuple[int, set[str]]], percent: int, linger: int
) -> None:
    """The users who were on the list at any time of a window, and those of them who lost their seat in it."""
    limits = {"maxReleasePercent": percent, "minUsers": 5}
    stored, memory, now = GuardStatus(), PoolMemory.empty(), 0
    rules = PoolRules(seats=24, linger=timedelta(seconds=linger))
    lists: list[tuple[int, frozenset[str]]] = [(-10_000, frozenset())]
    for seconds, active in [(0, set(USERS)), *lives]:
        now += seconds
        needs = {user: Need(user, later(now)) for user in active}
        made = plan(
            guarded(stored, **limits),
            [Question(pool(), rules, needs, memory)],
            others={},
            may_release=True,
            now=later(now),
        )
        stored, memory = made.guard.status, made.answers[LAB].memory
        lists.append((now, frozenset(made.answers[LAB].users)))
        begun = max(index for index, (at, _) in enumerate(lists) if at <= now - 600)
        were_there = frozenset().union(*(users for _, users in lists[begun:]))
        lost = were_there - lists[-1][1]
        just_released = {gone.user for gone in made.answers[LAB].released}
        if just_released and len(were_there) >= 5:
            assert len(lost) * 100 <= percent * len(were_there)
