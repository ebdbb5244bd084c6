"""While nobody may be released, nobody is; seats go on being given."""

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.unit.control.objects import NOW, later, needs_of, pool, server

from seatpool.api.annotations import APPROVE_CHANGE
from seatpool.api.licenseserver import LicenseServer
from seatpool.domain.memory import Grant, PoolMemory
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules
from seatpool.policy.plan import Plan, Question, adopted, plan

KEY = "lab/matlab"
PEOPLE = [f"user{n:02}" for n in range(12)]


def question(memory: PoolMemory, *, needs: list[str], seats: int = 20, linger: float = 0) -> Question:
    rules = PoolRules(seats=seats, linger=timedelta(seconds=linger))
    return Question(pool=pool(), rules=rules, needs=needs_of(needs), memory=memory)


def ask(
    one: Question, *, at: float = 0, may_release: bool = True, guarded: LicenseServer | None = None, others: int = 0
) -> Plan:
    return plan(guarded or server(), [one], others_present=others, may_release=may_release, now=later(at))


def seated(users: list[str]) -> PoolMemory:
    memory = ask(question(PoolMemory.empty(), needs=users)).answers[KEY].memory
    assert sorted(memory.assigned) == users
    return memory


def test_without_a_reason_to_hold_the_answer_is_that_of_the_domain() -> None:
    made = ask(question(seated(PEOPLE[:3]), needs=PEOPLE[:2]), at=5)
    assert made.held is None
    assert made.answers[KEY].users == ("user00", "user01")


def test_while_an_account_is_unknown_nobody_is_released_and_newcomers_are_seated() -> None:
    made = ask(question(seated(PEOPLE), needs=["newcomer"]), at=5, may_release=False)
    assert made.held is None
    assert made.answers[KEY].users == ("newcomer", *PEOPLE)
    assert made.answers[KEY].released == ()


def test_a_change_that_is_held_releases_nobody_and_seats_newcomers() -> None:
    made = ask(question(seated(PEOPLE), needs=["newcomer"]), at=5)
    assert made.held is not None
    assert (made.held.leaving, made.held.present) == (12, 12)
    assert made.answers[KEY].users == ("newcomer", *PEOPLE)


def test_a_change_that_is_held_believes_no_instant_of_the_future() -> None:
    ahead = replace(PoolMemory.empty(), assigned={"ann": Grant("ann", later(9_000), later(9_500), Reason.GRANTED)})
    made = ask(question(ahead, needs=[], linger=60), at=5, may_release=False)
    assert made.answers[KEY].memory.assigned["ann"] == Grant("ann", later(5), later(5), Reason.GRANTED)


def test_an_approved_change_is_made() -> None:
    one = question(seated(PEOPLE), needs=[])
    held = ask(one, at=5).held
    assert held is not None
    made = ask(one, at=6, guarded=server(annotations={APPROVE_CHANGE: held.token}))
    assert made.held is None
    assert made.answers[KEY].users == ()


def test_a_held_change_stays_the_same_change_although_people_linger_before_they_leave() -> None:
    one = question(seated(PEOPLE), needs=[], linger=60)
    lingering = ask(one, at=5)
    assert lingering.held is None
    assert lingering.answers[KEY].users == tuple(PEOPLE)
    memory = lingering.answers[KEY].memory
    tokens = []
    for at in (65, 66, 200):
        made = ask(replace(one, memory=memory), at=at)
        assert made.held is not None, f"not held any more after {at} s"
        assert made.answers[KEY].memory == memory, "being held is nothing to remember"
        tokens.append(made.held.token)
    assert len(set(tokens)) == 1


def test_an_unknown_account_does_not_make_anybody_linger_anew() -> None:
    one = question(seated(PEOPLE[:3]), needs=[], linger=60)
    memory = ask(one, at=5).answers[KEY].memory
    unknown = ask(replace(one, memory=memory), at=40, may_release=False).answers[KEY].memory
    assert ask(replace(one, memory=unknown), at=65).answers[KEY].users == ()


def test_somebody_who_comes_back_while_a_change_is_held_is_not_idle_any_more() -> None:
    one = question(seated(PEOPLE), needs=[], linger=60)
    idle = ask(one, at=5).answers[KEY].memory
    back = replace(one, memory=idle, needs=needs_of(["user03"]))
    made = ask(back, at=65)
    assert made.held is not None
    assigned = made.answers[KEY].memory.assigned
    assert assigned["user03"].idle_since is None
    assert assigned["user04"].idle_since == later(5)


def test_fewer_seats_are_no_mistake_to_hold_back() -> None:
    made = ask(question(seated(PEOPLE), needs=PEOPLE, seats=2), at=5)
    assert made.held is None
    assert made.answers[KEY].users == ("user00", "user01")


def test_a_list_is_never_longer_than_its_seats_even_while_a_change_is_held() -> None:
    made = ask(question(seated(PEOPLE), needs=["user07"], seats=10), at=5)
    assert made.held is not None
    assert len(made.answers[KEY].users) == 10
    assert "user07" in made.answers[KEY].users


@pytest.mark.parametrize(("others", "is_held"), [(0, True), (12, False)])
def test_people_of_pools_that_are_not_asked_about_count_as_present(others: int, is_held: bool) -> None:
    made = ask(question(seated(PEOPLE), needs=[]), at=5, others=others)
    assert (made.held is not None) is is_held


def test_who_is_adopted_keeps_the_seat_until_it_is_seen_that_nobody_needs_it() -> None:
    memory = adopted(["ann", "zoe"], now=NOW)
    assert {grant.reason for grant in memory.assigned.values()} == {Reason.ADOPTED}
    answer = ask(question(memory, needs=["ann"], linger=60), at=5).answers[KEY]
    assert answer.users == ("ann", "zoe")
    again = ask(question(answer.memory, needs=["ann"], linger=60), at=65).answers[KEY]
    assert again.users == ("ann",)
