"""People edit pools while others work: what holds even when every answer is given under other rules.

With rules that change, a block may be shortened and a seat shed; but a list never exceeds its seats, an answer is final
for its instant, and a seat inside its minimum hold is given up only where there is no seat left for it.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.domain.allocate import allocate
from seatpool.domain.memory import Grant, Left, PoolMemory, Reassignment, Vacated, Waiting
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import Order, PoolRules, Priority, ReassignmentBudget, Reservation

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
USERS = st.sampled_from(["ann", "bob", "cid", "dan", "eve", "ops-a", "ops-b"])
INSTANTS = st.integers(-30, 5).map(lambda minute: START + timedelta(minutes=minute))
DURATIONS = st.sampled_from([timedelta(0), timedelta(minutes=2), timedelta(minutes=10), timedelta.max])
GROUPS = st.builds(
    Reservation, st.just("group"), st.frozensets(USERS, max_size=2), st.sampled_from([None, "ops-*"]), st.integers(1, 3)
)
RULES = st.builds(
    PoolRules,
    seats=st.integers(0, 5),
    order=st.sampled_from(Order),
    reservations=st.lists(GROUPS, max_size=2).map(tuple),
    priorities=st.sampled_from([(), (Priority("ops-*", 2),)]),
    protected=st.lists(USERS, max_size=2, unique=True).map(tuple),
    denied=st.frozensets(USERS, max_size=1),
    unlistable=st.frozensets(USERS, max_size=2),
    minimum_hold=DURATIONS,
    linger=DURATIONS,
    seat_cool_down=DURATIONS,
    readmit_after=DURATIONS,
    max_reassignments=st.none() | st.builds(ReassignmentBudget, st.integers(0, 2), DURATIONS),
)
NEEDS = st.dictionaries(USERS, INSTANTS).map(lambda found: {user: Need(user, since) for user, since in found.items()})
GRANTS = st.dictionaries(
    USERS,
    st.tuples(INSTANTS, st.none() | INSTANTS, st.sampled_from([Reason.GRANTED, Reason.ADOPTED, Reason.PROTECTED])),
).map(lambda found: {user: Grant(user, *fields) for user, fields in found.items()})
MEMORIES = st.builds(
    PoolMemory,
    assigned=GRANTS,
    waiting=st.dictionaries(USERS, INSTANTS).map(
        lambda found: {user: Waiting(user, since) for user, since in found.items()}
    ),
    vacated=st.lists(st.builds(Vacated, USERS, INSTANTS), max_size=4).map(tuple),
    left=st.dictionaries(USERS, st.builds(Left, INSTANTS, st.none())),
    reassignments=st.lists(st.builds(Reassignment, INSTANTS, USERS), max_size=3).map(
        lambda found: tuple(sorted(found))
    ),
)


@settings(max_examples=400)
@given(rules=RULES, needs=NEEDS, memory=MEMORIES)
def test_any_memory_under_any_rules_gives_a_sound_answer(
    rules: PoolRules, needs: dict[str, Need], memory: PoolMemory
) -> None:
    answer = allocate(rules, needs, memory, START)
    assert allocate(rules, needs, answer.memory, START) == replace(answer, granted=(), released=(), newly_waiting=())
    assert list(answer.users) == sorted(answer.seats) == sorted(answer.memory.assigned)
    assert len(answer.users) <= rules.seats
    waiting = [place.user for place in answer.waiting]
    assert waiting == list(answer.memory.waiting)
    protected = set(rules.protected) - rules.barred
    assert not rules.unlistable & {*answer.users, *waiting}
    assert sorted([*answer.seats, *waiting, *answer.denied]) == sorted(
        {*answer.seats, *waiting, *answer.denied} | needs.keys() | protected
    )
    assert set(answer.users) == (
        (memory.assigned.keys() | {entry.user for entry in answer.granted})
        - ({entry.user for entry in answer.released} - {entry.user for entry in answer.granted})
    )
    for entry in answer.released:
        grant = memory.assigned[entry.user]
        if entry.user in rules.unlistable:
            assert entry.reason is Reason.NOT_LISTABLE
        elif entry.reason is not Reason.SEATS_REDUCED:
            assert START - min(grant.since, START) >= rules.minimum_hold
            assert entry.user not in protected
    if answer.next_change is not None:
        assert answer.next_change > START


@settings(max_examples=400)
@given(rules=RULES, needs=NEEDS, memory=MEMORIES, part=st.floats(0, 1))
def test_nothing_changes_by_itself_before_it_is_announced(
    rules: PoolRules, needs: dict[str, Need], memory: PoolMemory, part: float
) -> None:
    answer = allocate(rules, needs, memory, START)
    end = answer.next_change or START + timedelta(days=99_999)
    later = START + (end - START - timedelta(microseconds=1)) * part
    then = allocate(rules, needs, answer.memory, later)
    assert (then.seats, then.waiting, then.denied) == (answer.seats, answer.waiting, answer.denied)


@settings(max_examples=200)
@given(rules=RULES, needs=NEEDS, memory=MEMORIES, data=st.data())
def test_the_order_of_what_is_given_does_not_matter(
    rules: PoolRules, needs: dict[str, Need], memory: PoolMemory, data: st.DataObject
) -> None:
    shuffled = replace(
        memory,
        assigned=dict(data.draw(st.permutations(list(memory.assigned.items())))),
        waiting=dict(data.draw(st.permutations(list(memory.waiting.items())))),
        left=dict(data.draw(st.permutations(list(memory.left.items())))),
        vacated=tuple(data.draw(st.permutations(memory.vacated))),
    )
    mixed = dict(data.draw(st.permutations(list(needs.items()))))
    one, other = allocate(rules, needs, memory, START), allocate(rules, mixed, shuffled, START)
    assert one == other
    assert list(one.memory.assigned) == list(other.memory.assigned)
    assert list(one.memory.waiting) == list(other.memory.waiting)
    assert list(one.memory.left) == list(other.memory.left)
