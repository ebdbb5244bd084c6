"""The replay asks `allocate` about few; asked about everybody at every change it says the same."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.domain.rules import Order, PoolRules, Priority, ReassignmentBudget, Reservation
from seatpool.planner.past_demand import PastDemand, past_demand
from seatpool.planner.plain_replay import replay_plainly
from seatpool.planner.replay import replay
from seatpool.planner.replay_result import ReplayResult

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
USERS = ("ann", "bob", "carl", "dora", "eve", "fred", "x-gil", "x-hana")
MINUTE = timedelta(minutes=1)

periods = st.lists(
    st.tuples(st.sampled_from(USERS), st.integers(0, 120), st.integers(1, 40)).map(
        lambda one: (one[0], (START + one[1] * MINUTE, START + (one[1] + one[2]) * MINUTE))
    ),
    max_size=30,
)
lengths = st.sampled_from([0, 0, 0, 1, 5, 20, 60]).map(lambda minutes: minutes * MINUTE)
few = st.lists(st.sampled_from(USERS), max_size=2, unique=True)


@st.composite
def some_rules(draw: st.DrawFn) -> PoolRules:
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
