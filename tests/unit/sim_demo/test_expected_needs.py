"""Who needs a seat, made out from events alone."""

import random
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.sim_demo.happenings import arriving, event, known

from seatpool.sim.demo.event_file import WorkbenchEvent
from seatpool.sim.demo.expected_needs import ExpectedNeeds, PoolFacts, life_of, user_of


@st.composite
def lives(draw: st.DrawFn) -> list[WorkbenchEvent]:
    """Instances that start and stop in turn, now and then within the same second."""
    events = []
    for instance in range(draw(st.integers(1, 4))):
        user, at = draw(st.sampled_from("abc")), 0
        states = ["running", "stopped"] * 3
        second_is_taken = False
        for state in states[: draw(st.integers(1, 6))]:
            pause = draw(st.integers(1 if second_is_taken else 0, 3)) if at else draw(st.integers(1, 3))
            second_is_taken = pause == 0
            at += pause
            events.append(event(instance, user, state, at))
    return events


@given(lives(), st.randoms())
def test_neither_order_nor_repetition_of_events_changes_who_needs_a_seat(
    events: list[WorkbenchEvent], rng: random.Random
) -> None:
    damaged = events + rng.choices(events, k=3)
    rng.shuffle(damaged)
    now: dict[str, tuple[str, str]] = {}
    for one in events:
        assert one.owner is not None
        now[one.instance] = (one.owner, one.state)
    assert known(enumerate(damaged)).needs("cad") == {user for user, state in now.values() if state == "running"}


def test_somebody_with_two_workbenches_needs_the_seat_until_both_have_stopped() -> None:
    told = [(1, 1, "ann", "running"), (2, 2, "ann", "running"), (3, 1, "ann", "stopped")]
    assert arriving(*told).needs("cad") == {"ann"}
    assert arriving(*told, (4, 2, "ann", "stopped")).needs("cad") == frozenset()


def test_two_spellings_are_one_person() -> None:
    one = arriving((1, 1, "CORP\\Ann", "running"), (2, 2, "ann@corp.example", "running"))
    assert one.needs("cad") == {"ann"}


@pytest.mark.parametrize("owner", ["$(touch x)", "a b", "", "-rf", "x" * 129, "ann\n"])
def test_an_owner_that_no_list_can_hold_needs_nothing(owner: str) -> None:
    assert user_of(owner) is None


@pytest.mark.parametrize("state", ["shutting-down", "terminated"])
def test_nothing_comes_back_from_the_end_of_an_instance(state: str) -> None:
    life = life_of([event(1, "ann", state, 5), event(1, "ann", "running", 9)])
    assert not life.active


def test_within_a_second_one_that_was_active_has_stopped_and_started_again() -> None:
    earlier = event(1, "ann", "running", 1)
    pair = [event(1, "ann", "running", 5), event(1, "ann", "stopped", 5)]
    assert life_of([earlier, *pair]).active
    assert not life_of(pair).active


def test_an_event_that_does_not_say_whose_it_is_counts_after_one_that_does() -> None:
    told = [(1.0, event(1, "ann", "running", 1)), (2.0, event(1, None, "stopped", 2))]
    assert known(told).needs("cad") == frozenset()
    assert known(reversed(told)).needs("cad") == {"ann"}


def test_a_workbench_that_changes_hands_gives_its_need_to_the_new_owner() -> None:
    assert arriving((1, 1, "ann", "running"), (2, 1, "bob", "running")).needs("cad") == {"bob"}


def test_a_type_is_served_by_the_pools_whose_pattern_it_matches() -> None:
    both = ExpectedNeeds({"cad": PoolFacts(1, ("vew-cad*",)), "all": PoolFacts(1, ("vew-*",))})
    both.add(event(1, "ann", "running", 1, kind="vew-cad-3d"), 1)
    both.add(event(2, "bob", "running", 1, kind="vew-matlab"), 1)
    assert both.needs("cad") == {"ann"}
    assert both.needs("all") == {"ann", "bob"}


def test_a_spell_runs_from_the_arrival_that_began_it_to_the_one_that_ended_it() -> None:
    spells = arriving(
        (10, 1, "ann", "running"), (11, 2, "ann", "running"), (12, 1, "ann", "stopped"), (13, 2, "ann", "stopped")
    ).intervals("cad")["ann"]  # fmt: skip
    assert [(one.began, one.ended) for one in spells] == [(10, 13)]


def test_a_start_holds_until_the_first_later_event_that_ends_it_arrives_even_if_that_came_before() -> None:
    (chance,) = known([(5, event(1, "ann", "stopped", 20)), (7, event(1, "ann", "running", 10))]).possible_needs("cad")[
        "ann"
    ]
    assert (chance.arrived, chance.superseded, chance.doubted) == (7, 5, 5)


def test_a_stop_of_the_same_second_only_makes_a_start_doubtful() -> None:
    (chance,) = known([(5, event(1, "ann", "running", 10)), (7, event(1, "ann", "stopped", 10))]).possible_needs("cad")[
        "ann"
    ]
    assert (chance.superseded, chance.doubted) == (inf, 7)


def test_the_end_of_an_instance_supersedes_even_what_is_later() -> None:
    told = [(5, event(1, "ann", "terminated", 1)), (7, event(1, "ann", "running", 10))]
    assert known(told).possible_needs("cad")["ann"][0].superseded == 5


def test_a_later_owner_supersedes_an_earlier_one() -> None:
    told = [(5, event(1, "ann", "running", 1)), (7, event(1, "bob", "running", 10))]
    assert {user: one[0].superseded for user, one in known(told).possible_needs("cad").items()} == {
        "ann": 7,
        "bob": inf,
    }


def test_a_spell_that_begins_when_more_people_than_seats_need_one_is_crowded() -> None:
    spells = arriving((1, 1, "ann", "running"), (2, 2, "bob", "running"), seats=1).intervals("cad")
    assert (spells["ann"][0].crowded, spells["bob"][0].crowded) == (False, True)
