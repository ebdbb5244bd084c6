"""`earliest` is a lower bound: nobody gets a seat by time alone before it, whatever the rules."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.domain.test_allocate_rules_change import GROUPS, USERS

from seatpool.domain.allocate import allocate
from seatpool.domain.memory import Grant, Left, PoolMemory, Reassignment, Vacated
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import Order, PoolRules, ReassignmentBudget, Reservation

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
CHANGES = 30


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


PAST = st.integers(-90, 0).map(at)
LENGTHS = st.sampled_from([0, 0, 5, 20, 60]).map(lambda count: timedelta(minutes=count))
BUDGETS = st.none() | st.builds(
    ReassignmentBudget, st.integers(0, 2), st.sampled_from([30, 100]).map(lambda count: timedelta(minutes=count))
)
RULES = st.builds(
    PoolRules,
    seats=st.integers(1, 5),
    order=st.sampled_from(Order),
    reservations=st.lists(GROUPS, max_size=2).map(tuple),
    protected=st.lists(USERS, max_size=2, unique=True).map(tuple),
    minimum_hold=LENGTHS,
    linger=LENGTHS,
    seat_cool_down=LENGTHS,
    readmit_after=LENGTHS,
    max_reassignments=BUDGETS,
)
MEMORIES = st.builds(
    PoolMemory,
    assigned=st.dictionaries(USERS, st.tuples(PAST, st.none() | PAST), max_size=4).map(
        lambda found: {user: Grant(user, *times, Reason.GRANTED) for user, times in found.items()}
    ),
    waiting=st.just({}),
    vacated=st.lists(st.builds(Vacated, USERS, PAST), max_size=4).map(tuple),
    left=st.dictionaries(USERS, st.builds(Left, PAST, st.none())),
    reassignments=st.lists(st.builds(Reassignment, PAST, USERS), max_size=3).map(lambda found: tuple(sorted(found))),
)
NEEDS = st.dictionaries(USERS, PAST).map(lambda found: {user: Need(user, since) for user, since in found.items()})

OF_PHD = Reservation("phd", frozenset(), "ops-*", 2)
OF_STAFF = Reservation("staff", frozenset({"ann", "bob", "cid"}), None, 2)


@settings(max_examples=1_500, deadline=None)
@given(rules=RULES, needs=NEEDS, memory=MEMORIES)
@example(  # a seat that ends opens a reservation, and another seat is there at once
    rules=PoolRules(
        seats=3,
        reservations=(replace(OF_PHD, seats=1), OF_STAFF),
        linger=timedelta(hours=1),
        seat_cool_down=timedelta(hours=4),
    ),
    needs={"ops-b": Need("ops-b", at(0))},
    memory=replace(PoolMemory.empty(), assigned={"ops-a": Grant("ops-a", at(-60), at(-30), Reason.GRANTED)}),
)
def test_nobody_gets_a_seat_by_time_alone_before_the_earliest(
    rules: PoolRules, needs: dict[str, Need], memory: PoolMemory
) -> None:
    first = answer = allocate(rules, needs, memory, START)
    told = {place.user: place.earliest for place in first.waiting}
    now = START
    for _ in range(CHANGES):
        for user in [user for user in told if user in answer.seats]:
            earliest = told.pop(user)
            assert earliest is not None, f"{user} has a seat at {now}, and was told that somebody has to stop first"
            assert earliest <= now, f"{user} has a seat at {now}, and was told {earliest}"
        if answer.next_change is None:
            break
        now = answer.next_change
        answer = allocate(rules, needs, answer.memory, now)
