"""A clock that was wrong leaves nothing behind: no rule takes longer than its own length after the clock is right again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import Grant, Left, PoolMemory, Reassignment, Vacated, Waiting
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules, ReassignmentBudget

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
TOMORROW = START + timedelta(days=1)
HOUR = timedelta(hours=1)
USERS = ("ann", "bob", "cid", "dan")
LENGTHS = st.sampled_from([0, 0, 10, 60]).map(lambda count: timedelta(minutes=count))
RULES = st.builds(
    PoolRules,
    seats=st.integers(1, 3),
    minimum_hold=LENGTHS,
    linger=LENGTHS,
    seat_cool_down=LENGTHS,
    readmit_after=LENGTHS,
    max_reassignments=st.none() | st.builds(ReassignmentBudget, st.integers(0, 2), LENGTHS),
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(USERS),
        st.one_of(st.integers(0, 30), st.integers(-24 * 60, 24 * 60)).map(lambda count: timedelta(minutes=count)),
    ),
    max_size=25,
)


def instants(memory: PoolMemory) -> list[datetime]:
    found = [grant.since for grant in memory.assigned.values()]
    found += [grant.idle_since for grant in memory.assigned.values() if grant.idle_since is not None]
    found += [place.since for place in memory.waiting.values()]
    found += [seat.at for seat in memory.vacated]
    return found + [gone.at for gone in memory.left.values()] + [change.at for change in memory.reassignments]


def longest(rules: PoolRules) -> timedelta:
    window = rules.max_reassignments.window if rules.max_reassignments is not None else timedelta(0)
    rest = rules.seat_cool_down + rules.readmit_after + window
    return max(rules.minimum_hold, rules.linger) + rest


@settings(max_examples=400, deadline=None)
@given(rules=RULES, steps=STEPS)
def test_no_clock_step_leaves_an_instant_of_the_future(rules: PoolRules, steps: list[tuple[str, timedelta]]) -> None:
    memory, needs, now = PoolMemory.empty(), dict[str, Need](), START
    for user, step in steps:
        now += step
        if needs.pop(user, None) is None:
            needs[user] = Need(user, now)
        answer = allocate(rules, needs, memory, now)
        memory = answer.memory
        assert all(instant <= now for instant in instants(memory))
        assert all(seat.until is None or seat.until <= now + longest(rules) for seat in answer.seats.values())
        assert all(place.earliest is None or place.earliest <= now + longest(rules) for place in answer.waiting)
        assert answer.next_change is None or now < answer.next_change <= now + longest(rules)


def ahead(**parts: object) -> PoolMemory:
    """Returns a memory that was written while the clock was a day ahead."""
    return replace(PoolMemory.empty(), **parts)  # type: ignore[arg-type]


def _granted_tomorrow(idle: datetime | None) -> PoolMemory:
    return ahead(assigned={"ann": Grant("ann", TOMORROW, idle, Reason.GRANTED)})


def _after_an_hour(rules: PoolRules, memory: PoolMemory, *users: str) -> Allocation:
    needs = {user: Need(user, START) for user in users}
    answer = allocate(rules, needs, memory, START)
    return allocate(rules, needs, answer.memory, START + HOUR)


@pytest.mark.parametrize(
    ("rules", "memory"),
    [
        (PoolRules(seats=1, minimum_hold=HOUR), _granted_tomorrow(None)),
        (PoolRules(seats=1, linger=HOUR), _granted_tomorrow(TOMORROW)),
        (PoolRules(seats=1, seat_cool_down=HOUR), ahead(vacated=(Vacated("ann", TOMORROW),))),
        (PoolRules(seats=1, readmit_after=HOUR), ahead(left={"bob": Left(TOMORROW, None)})),
        (
            PoolRules(seats=1, max_reassignments=ReassignmentBudget(1, HOUR)),
            ahead(vacated=(Vacated("ann", START),), reassignments=(Reassignment(TOMORROW, "ann"),)),
        ),
    ],
    ids=["minimumHold", "linger", "seatCoolDown", "readmitAfter", "maxReassignments"],
)
def test_a_rule_of_an_hour_takes_an_hour_after_the_clock_is_right_again(rules: PoolRules, memory: PoolMemory) -> None:
    assert _after_an_hour(rules, memory, "bob").users == ("bob",)


def test_a_wait_that_began_tomorrow_begins_now() -> None:
    memory = ahead(waiting={"ann": Waiting("ann", TOMORROW)})
    answer = allocate(PoolRules(seats=0), {"ann": Need("ann", TOMORROW)}, memory, START)
    assert answer.memory.waiting == {"ann": Waiting("ann", START)}
    later = allocate(PoolRules(seats=0), {"ann": Need("ann", TOMORROW)}, answer.memory, START + HOUR)
    assert later.memory.waiting == {"ann": Waiting("ann", START)}
