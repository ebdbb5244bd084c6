"""The smallest number of seats, whichever way it is looked for."""

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import assume, given, settings
from tests.unit.planner.test_replay import START, demand, periods, some_rules

from seatpool.domain.rules import Order, PoolRules, Priority
from seatpool.planner.replay import replay
from seatpool.planner.replay_result import NEVER_SERVED
from seatpool.planner.search import Method, is_monotonic, search
from seatpool.planner.target import Target
from seatpool.planner.trials import Trials

MINUTE = timedelta(minutes=1)
TARGET = Target.read("p95 wait < 10m")
Some = list[tuple[str, tuple[object, object]]]


@settings(max_examples=400)
@given(periods, some_rules())
def test_where_bisection_is_used_nobody_waits_longer_because_there_is_one_seat_more(
    some: Some, rules: PoolRules
) -> None:
    simple = PoolRules(seats=rules.seats, order=rules.order, priorities=rules.priorities, linger=rules.linger)
    assert is_monotonic(simple)
    past = demand(some)
    fewer = replay(past, simple).waits
    more = replay(past, dataclasses.replace(simple, seats=simple.seats + 1)).waits
    assert all(wait <= before for wait, before in zip(more, fewer, strict=True))


def test_a_vendors_rule_can_make_one_seat_more_worse() -> None:
    # With two seats bob is served, leaves, and may not come back; with one he never had any and gets one at once.
    past = demand(
        [
            ("ann", (START, START + 50 * MINUTE)),
            ("bob", (START + 1 * MINUTE, START + 10 * MINUTE)),
            ("bob", (START + 50 * MINUTE, START + 80 * MINUTE)),
        ]
    )
    waits = {seats: replay(past, PoolRules(seats=seats, readmit_after=60 * MINUTE)).waits for seats in (1, 2)}
    assert waits[1] == (0.0, NEVER_SERVED, 0.0)
    assert waits[2] == (0.0, 0.0, 1200.0)
    assert not is_monotonic(PoolRules(seats=1, readmit_after=60 * MINUTE))


@settings(max_examples=150)
@given(periods, some_rules())
def test_bisection_and_trying_every_number_agree(some: Some, rules: PoolRules) -> None:
    assume(some)
    simple = PoolRules(seats=0, order=Order.PRIORITY, priorities=(Priority("x-*", 3),), linger=rules.linger)
    found = {
        cheap: search(
            Trials([demand(some)], simple, processes=1), simple, TARGET, lowest=1, enough=len(some) + 1, cheap=cheap
        )
        for cheap in (0, 10**9)
    }
    assert (found[0].method, found[10**9].method) == (Method.BISECTION, Method.EVERY_NUMBER)
    assert (found[0].seats, found[0].top) == (found[10**9].seats, found[10**9].top)


@settings(max_examples=150)
@given(periods, some_rules())
def test_with_any_rules_the_answer_is_the_smallest_number_that_meets_the_target(some: Some, rules: PoolRules) -> None:
    assume(some)
    past, enough = demand(some), 20
    trials = Trials([past], rules, processes=1)
    found = search(trials, rules, TARGET, lowest=1, enough=enough)
    meeting = [seats for seats in range(1, enough + 1) if trials.waits(seats).meets(TARGET)]
    if enough in meeting or found.seats is not None:
        assert found.seats == meeting[0]


def test_the_answer_is_the_same_on_several_processors() -> None:
    some = [(f"u{n:03}", (START + n * MINUTE, START + (n + 40) * MINUTE)) for n in range(120)]
    rules = PoolRules(seats=0)
    alone, shared = (Trials([demand(some)] * 40, rules, processes=processes) for processes in (1, 2))
    numbers = range(1, 50)
    assert len(numbers) * shared.changes > 400_000
    assert alone.run(numbers) == shared.run(numbers)


@pytest.mark.parametrize("rules", [PoolRules(seats=0), PoolRules(seats=0, minimum_hold=5 * MINUTE)])
def test_no_number_is_the_answer_when_none_meets_the_target(rules: PoolRules) -> None:
    past = demand([("ann", (START, START + 50 * MINUTE))])
    never = Target.read("p95 wait < 0s")
    found = search(Trials([past], rules, processes=1), rules, never, lowest=1, enough=2)
    assert found.seats is None


def test_a_past_in_which_everybody_is_denied_needs_no_more_than_one_seat() -> None:
    rules = PoolRules(seats=0, denied=frozenset({"ann"}))
    past = demand([("ann", (START, START + 50 * MINUTE))])
    assert search(Trials([past], rules, processes=1), rules, TARGET, lowest=1, enough=2).seats == 1


@settings(max_examples=100)
@given(periods, some_rules())
def test_no_number_of_the_curve_below_the_answer_meets_the_target(some: Some, rules: PoolRules) -> None:
    assume(some)
    trials = Trials([demand(some)], rules, processes=1)
    found = search(trials, rules, TARGET, lowest=1, enough=20, cheap=0, affordable=0)
    for waits in trials.tried:
        if 1 <= waits.seats < (found.seats or 0):
            assert not waits.meets(TARGET)


@settings(max_examples=100)
@given(periods, some_rules())
def test_what_can_be_afforded_is_as_exact_as_trying_every_number(some: Some, rules: PoolRules) -> None:
    assume(some)
    past = demand([one for one in some if one[0] not in rules.denied])
    found = [
        search(Trials([past], rules, processes=1), rules, TARGET, lowest=1, enough=20, cheap=cheap, affordable=10**9)
        for cheap in (0, 10**9)
    ]
    assert found[0].method in (Method.EVERY_NUMBER, Method.BISECTION)
    assert found[0].seats == found[1].seats
