"""The replay asks `allocate` about few; asked about everybody at every change it says the same."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.domain.rules import Order, PoolRules, Priority, ReassignmentBudget, Reservation
from seatpool.planner.past_demand import PastDemand, past_demand
from seatpool.planner.plain_replay import replay_plainly
from seatpool.planner.replay import replay
from seatpool.planner.replay_result import NEVER_SERVED, ReplayResult

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
USERS = ("ann", "bob", "carl", "dora", "eve", "fred", "x-gil", "x-hana")
MINUTE = timedelta(minutes=1)

periods = st.lists(
    st.tuples(st.sampled_from(USERS), st.integers(0, 120), st.integers(1, 40)).map(
        lambda one: (one[0], (START + one[1] * MINUTE, START + (one[1] + one[2]) * MINUTE))
    ),
    max_size=30,
)
few = st.lists(st.sampled_from(USERS), max_size=2, unique=True)


MINUTES = st.sampled_from([0, 0, 0, 1, 5, 20, 60])


@st.composite
def some_rules(draw: st.DrawFn, minutes: st.SearchStrategy[int] = MINUTES) -> PoolRules:
    lengths = minutes.map(lambda count: count * MINUTE)
    budgets = st.builds(
        ReassignmentBudget, count=st.integers(0, 4), window=st.sampled_from([30 * MINUTE, 100 * MINUTE])
    )
    reservation = st.builds(
        Reservation,
        name=st.just("r"),
        users=few.map(frozenset),
        pattern=st.sampled_from([None, "x-*"]),
        seats=st.integers(0, 2),
    )
    return PoolRules(
        seats=draw(st.integers(0, 6)),
        order=draw(st.sampled_from(Order)),
        reservations=tuple(draw(st.lists(reservation, max_size=1))),
        priorities=draw(st.sampled_from([(), (Priority("x-*", 3), Priority("a*", -1))])),
        protected=tuple(draw(st.one_of(st.just([]), few))),
        denied=frozenset(draw(st.one_of(st.just([]), few))),
        minimum_hold=draw(lengths),
        linger=draw(lengths),
        seat_cool_down=draw(lengths),
        readmit_after=draw(lengths),
        max_reassignments=draw(st.one_of(st.none(), budgets)),
    )


def demand(some: list[tuple[str, tuple[datetime, datetime]]]) -> PastDemand:
    by_user: dict[str, list[tuple[datetime, datetime]]] = {}
    for user, period in some:
        by_user.setdefault(user, []).append(period)
    return past_demand("p", by_user.items(), since=START, until=START + 170 * MINUTE)


def plainly(past: PastDemand, rules: PoolRules) -> ReplayResult:
    return replay_plainly(past, rules)


@settings(max_examples=600)
@given(periods, some_rules())
def test_asking_about_few_says_the_same_as_asking_about_everybody(
    some: list[tuple[str, tuple[datetime, datetime]]], rules: PoolRules
) -> None:
    past = demand(some)
    assert replay(past, rules) == plainly(past, rules)


def test_whose_block_ends_when_another_starts_is_served_first() -> None:
    # ann left at 5 and may be back from 10 on; she asks at 6, and bob starts at 10, when there is one free seat.
    past = demand(
        [
            ("ann", (START, START + 5 * MINUTE)),
            ("ann", (START + 6 * MINUTE, START + 40 * MINUTE)),
            ("bob", (START + 10 * MINUTE, START + 60 * MINUTE)),
        ]
    )
    rules = PoolRules(seats=1, readmit_after=5 * MINUTE)
    assert replay(past, rules) == plainly(past, rules)
    assert replay(past, rules).waits == (0.0, 240.0, 1800.0)


crowded = st.lists(
    st.tuples(st.sampled_from(USERS), st.integers(0, 12), st.integers(1, 4)).map(
        lambda one: (one[0], (START + one[1] * MINUTE, START + (one[1] + one[2]) * MINUTE))
    ),
    max_size=40,
)


@settings(max_examples=400)
@given(crowded, some_rules(st.sampled_from([0, 0, 1, 2, 3, 5])))
def test_changes_of_one_instant_are_decided_as_allocate_decides_them(
    some: list[tuple[str, tuple[datetime, datetime]]], rules: PoolRules
) -> None:
    past = demand(some)
    assert replay(past, rules) == plainly(past, rules)


def test_the_seat_that_was_vacated_first_is_passed_on_first() -> None:
    # ann and then bob leave; carl gets ann's seat, which spends the budget. So bob returns to his own, and ann waits.
    past = demand(
        [
            ("ann", (START, START + 5 * MINUTE)),
            ("bob", (START, START + 6 * MINUTE)),
            ("carl", (START + 10 * MINUTE, START + 60 * MINUTE)),
            ("ann", (START + 12 * MINUTE, START + 30 * MINUTE)),
            ("bob", (START + 12 * MINUTE, START + 40 * MINUTE)),
        ]
    )
    rules = PoolRules(seats=2, max_reassignments=ReassignmentBudget(count=1, window=100 * MINUTE))
    assert replay(past, rules) == plainly(past, rules)
    assert replay(past, rules).waits == (0.0, 0.0, 0.0, NEVER_SERVED, 0.0)
