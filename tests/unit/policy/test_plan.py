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
    elsewhere = {"lab/cad": adopted([f"other{number}" for number in range(others)], now=NOW)}
    return plan(guarded or server(), [one], others=elsewhere, may_release=may_release, now=later(at))


def approving(made: Plan) -> LicenseServer:
    """The server that holds this change back, and whose admin approves it."""
    held = made.guard.held
    assert held is not None
    found = server(annotations={APPROVE_CHANGE: str(held.token)})
    return found.model_copy(update={"status": found.status.model_copy(update={"guard": made.guard.status})})


def seated(users: list[str]) -> PoolMemory:
    memory = ask(question(PoolMemory.empty(), needs=users)).answers[KEY].memory
    assert sorted(memory.assigned) == users
    return memory


def test_without_a_reason_to_hold_the_answer_is_that_of_the_domain() -> None:
    made = ask(question(seated(PEOPLE[:3]), needs=PEOPLE[:2]), at=5)
    assert made.guard.held is None
    assert made.answers[KEY].users == ("user00", "user01")


def test_while_an_account_is_unknown_nobody_is_released_and_newcomers_are_seated() -> None:
    made = ask(question(seated(PEOPLE), needs=["newcomer"]), at=5, may_release=False)
    assert made.guard.held is None
    assert made.answers[KEY].users == ("newcomer", *PEOPLE)
    assert made.answers[KEY].released == ()


def test_a_change_that_is_held_releases_nobody_and_seats_newcomers() -> None:
    made = ask(question(seated(PEOPLE), needs=["newcomer"]), at=5)
    assert made.guard.held is not None
    assert (len(made.guard.held.leaving), made.guard.held.present) == (12, 12)
    assert made.answers[KEY].users == ("newcomer", *PEOPLE)


def test_a_change_that_is_held_believes_no_instant_of_the_future() -> None:
    ahead = replace(PoolMemory.empty(), assigned={"ann": Grant("ann", later(9_000), later(9_500), Reason.GRANTED)})
    made = ask(question(ahead, needs=[], linger=60), at=5, may_release=False)
    assert made.answers[KEY].memory.assigned["ann"] == Grant("ann", later(5), later(5), Reason.GRANTED)


def test_an_approved_change_is_made() -> None:
    one = question(seated(PEOPLE), needs=[])
    held = ask(one, at=5)
    one = replace(one, memory=held.answers[KEY].memory)
    made = ask(one, at=6, guarded=approving(held))
    assert made.guard.held is None
    assert made.answers[KEY].users == ()


def test_a_held_change_stays_the_same_change_although_people_linger_before_they_leave() -> None:
    one = question(seated(PEOPLE), needs=[], linger=60)
    lingering = ask(one, at=5)
    assert lingering.guard.held is None
    assert lingering.answers[KEY].users == tuple(PEOPLE)
    memory = lingering.answers[KEY].memory
    tokens = []
    for at in (65, 66, 200):
        made = ask(replace(one, memory=memory), at=at)
        assert made.guard.held is not None, f"not held any more after {at} s"
        assert made.answers[KEY].memory == memory, "being held is nothing to remember"
        tokens.append(made.guard.held.token)
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
    assert made.guard.held is not None
    assigned = made.answers[KEY].memory.assigned
    assert assigned["user03"].idle_since is None
    assert assigned["user04"].idle_since == later(5)


def test_fewer_seats_are_no_mistake_to_hold_back() -> None:
    made = ask(question(seated(PEOPLE), needs=PEOPLE, seats=2), at=5)
    assert made.guard.held is None
    assert made.answers[KEY].users == ("user00", "user01")


def test_a_list_is_never_longer_than_its_seats_even_while_a_change_is_held() -> None:
    made = ask(question(seated(PEOPLE), needs=["user07"], seats=10), at=5)
    assert made.guard.held is not None
    assert len(made.answers[KEY].users) == 10
    assert "user07" in made.answers[KEY].users


@pytest.mark.parametrize(("others", "is_held"), [(0, True), (9, False)])
def test_users_of_pools_that_are_not_asked_about_count_as_present(others: int, is_held: bool) -> None:
    made = ask(question(seated(PEOPLE[:9]), needs=[]), at=5, others=others, guarded=server(guard={"minUsers": 9}))
    assert made.guard.held is not None, "the pool itself loses all"
    made = ask(question(seated(PEOPLE[:9]), needs=[]), at=5, others=others, guarded=server(guard={"minUsers": 10}))
    assert made.guard.held is None
    made = ask(
        question(seated(PEOPLE[:5]), needs=[]), at=5, others=others, guarded=server(guard={"minUsers": 5 + others})
    )
    assert (made.guard.held is not None) is is_held


def test_since_when_a_held_user_needs_no_seat_is_stored_also_without_linger() -> None:
    """Else the change would be another one in each pass, and nobody could approve it."""
    one = question(seated(PEOPLE), needs=[])
    first = ask(one, at=5)
    assert {grant.idle_since for grant in first.answers[KEY].memory.assigned.values()} == {later(5)}
    second = ask(replace(one, memory=first.answers[KEY].memory), at=50)
    assert first.guard.held is not None
    assert second.guard.held is not None
    assert first.guard.held.token == second.guard.held.token


def test_what_a_pool_releases_goes_on_while_another_one_is_held() -> None:
    cad = Question(pool("cad"), PoolRules(seats=90), needs_of(PEOPLE[:1]), adopted(PEOPLE[:3], now=NOW))
    big = Question(
        pool("ansys"),
        PoolRules(seats=90),
        needs_of([f"a{n}" for n in range(60)]),
        adopted([f"a{n}" for n in range(60)], now=NOW),
    )
    wiped = question(seated(PEOPLE), needs=[])
    made = plan(server(), [cad, big, wiped], others={}, may_release=True, now=later(5))
    assert made.guard.held is not None
    assert made.guard.held.pools == (KEY,)
    assert made.answers["lab/cad"].users == ("user00",)
    assert made.answers[KEY].users == tuple(PEOPLE)


def test_who_is_adopted_keeps_the_seat_until_it_is_seen_that_nobody_needs_it() -> None:
    memory = adopted(["ann", "zoe"], now=NOW)
    assert {grant.reason for grant in memory.assigned.values()} == {Reason.ADOPTED}
    answer = ask(question(memory, needs=["ann"], linger=60), at=5).answers[KEY]
    assert answer.users == ("ann", "zoe")
    again = ask(question(answer.memory, needs=["ann"], linger=60), at=65).answers[KEY]
    assert again.users == ("ann",)


def test_users_whom_a_server_suddenly_does_not_know_are_released_only_if_they_are_few() -> None:
    one = question(seated(PEOPLE), needs=PEOPLE)
    few = ask(replace(one, rules=replace(one.rules, unlistable=frozenset(PEOPLE[:2]))), at=5)
    assert few.guard.held is None
    assert few.answers[KEY].users == tuple(PEOPLE[2:])
    assert {gone.reason for gone in few.answers[KEY].released} == {Reason.NOT_LISTABLE}
    all_gone = ask(replace(one, rules=replace(one.rules, unlistable=frozenset(PEOPLE))), at=5)
    assert all_gone.guard.held is not None
    assert len(all_gone.guard.held.leaving) == len(PEOPLE)
    assert all_gone.answers[KEY].users == tuple(PEOPLE)


def test_a_user_whom_the_server_does_not_know_gets_no_seat_and_the_next_one_does() -> None:
    one = question(PoolMemory.empty(), needs=["ann", "bob"], seats=1)
    made = ask(replace(one, rules=replace(one.rules, unlistable=frozenset({"ann"}))))
    assert (made.answers[KEY].users, made.answers[KEY].denied, made.answers[KEY].waiting) == (("bob",), ("ann",), ())
