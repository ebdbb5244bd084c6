"""What an answer tells beside the list: until when, since when, how long, and when to ask again."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation, Granted, InLine, Released, Seat
from seatpool.domain.memory import Grant, Left, PoolMemory, Reassignment, Vacated, Waiting
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import Order, PoolRules, Priority, ReassignmentBudget, Reservation

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
AGES = timedelta(days=999_999)
EMPTY = PoolMemory.empty()


def at(minute: float) -> datetime:
    return START + timedelta(minutes=minute)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def needs(**since: float) -> dict[str, Need]:
    return {user: Need(user, at(minute)) for user, minute in since.items()}


def holding(*users: str, since: float = 0, idle: float | None = None, reason: Reason = Reason.GRANTED) -> PoolMemory:
    idle_since = None if idle is None else at(idle)
    return replace(EMPTY, assigned={user: Grant(user, at(since), idle_since, reason) for user in users})


def passed(*at_minutes: float, user: str = "bob") -> tuple[Reassignment, ...]:
    names = (user.split() * len(at_minutes))[: len(at_minutes)]
    return tuple(Reassignment(at(minute), name) for minute, name in zip(at_minutes, names, strict=True))


def reasons(answer: Allocation) -> dict[str, Reason]:
    return {place.user: place.reason for place in answer.waiting}


def earliest(answer: Allocation) -> dict[str, datetime | None]:
    return {place.user: place.earliest for place in answer.waiting}


def test_a_first_answer_is_complete() -> None:
    rules = PoolRules(seats=1, linger=minutes(5), denied=frozenset({"eve"}))
    answer = allocate(rules, needs(ann=-3, bob=-2, eve=-9), EMPTY, START)
    assert answer == Allocation(
        memory=PoolMemory(
            assigned={"ann": Grant("ann", START, None, Reason.GRANTED)},
            waiting={"bob": Waiting("bob", at(-2))},
            vacated=(),
            left={},
            reassignments=(),
        ),
        users=("ann",),
        seats={"ann": Seat("ann", START, Reason.GRANTED, None)},
        waiting=(InLine("bob", 1, at(-2), Reason.POOL_FULL, None),),
        newly_waiting=(InLine("bob", 1, at(-2), Reason.POOL_FULL, None),),
        denied=("eve",),
        granted=(Granted("ann", Reason.GRANTED, timedelta(0)),),
        released=(),
        next_change=None,
        reassignments_used=0,
    )


def test_nothing_is_needed_and_nothing_known() -> None:
    answer = allocate(PoolRules(seats=3), {}, EMPTY, START)
    assert (answer.users, answer.waiting, answer.memory, answer.next_change) == ((), (), EMPTY, None)


def test_a_lingering_seat_tells_its_end_and_that_is_when_the_answer_changes() -> None:
    rules = PoolRules(seats=1, linger=minutes(15))
    answer = allocate(rules, needs(bob=2), holding("ann"), at(2))
    assert answer.seats["ann"] == Seat("ann", START, Reason.LINGERING, at(17))
    assert answer.memory.assigned["ann"].idle_since == at(2)
    assert (answer.next_change, earliest(answer)) == (at(17), {"bob": at(17)})


def test_a_release_tells_how_long_the_seat_was_held() -> None:
    answer = allocate(PoolRules(seats=1), {}, holding("ann"), at(7))
    assert answer.released == (Released("ann", Reason.WORKBENCHES_STOPPED, minutes(7)),)


@pytest.mark.parametrize(
    "rules",
    [PoolRules(seats=1, minimum_hold=minutes(15)), PoolRules(seats=1, linger=minutes(15))],
    ids=["hold", "linger"],
)
def test_a_seat_is_kept_to_the_last_microsecond_and_not_longer(rules: PoolRules) -> None:
    memory = holding("ann", idle=0)
    assert allocate(rules, {}, memory, at(15) - INSTANT).users == ("ann",)
    assert allocate(rules, {}, memory, at(15)).users == ()


def test_a_cool_down_ends_on_the_microsecond() -> None:
    rules = PoolRules(seats=1, seat_cool_down=minutes(15))
    memory = replace(EMPTY, vacated=(Vacated("ann", START),))
    early = allocate(rules, needs(bob=0), memory, at(15) - INSTANT)
    assert (early.users, early.next_change, earliest(early)) == ((), at(15), {"bob": at(15)})
    assert allocate(rules, needs(bob=0), memory, at(15)).users == ("bob",)


def test_a_readmission_block_ends_on_the_microsecond() -> None:
    rules = PoolRules(seats=1, readmit_after=minutes(15))
    memory = replace(EMPTY, left={"ann": Left(START, None)})
    early = allocate(rules, needs(ann=0), memory, at(15) - INSTANT)
    assert (early.users, early.next_change, earliest(early)) == ((), at(15), {"ann": at(15)})
    after = allocate(rules, needs(ann=0), memory, at(15))
    assert (after.users, after.memory.left) == (("ann",), {})


def test_a_reassignment_leaves_the_window_on_the_microsecond() -> None:
    rules = PoolRules(seats=1, max_reassignments=ReassignmentBudget(1, minutes(15)))
    memory = replace(EMPTY, vacated=(Vacated("ann", START),), reassignments=passed(0))
    early = allocate(rules, needs(bob=0), memory, at(15) - INSTANT)
    assert (early.users, early.reassignments_used) == ((), 1)
    assert (early.next_change, earliest(early)) == (at(15), {"bob": at(15)})
    later = allocate(rules, needs(bob=0), memory, at(15))
    assert (later.users, later.reassignments_used) == (("bob",), 1)
    assert later.memory.reassignments == passed(0, 15)


@pytest.mark.parametrize(
    "rules",
    [PoolRules(seats=1, minimum_hold=timedelta.max), PoolRules(seats=1, linger=timedelta.max)],
    ids=["hold", "linger"],
)
def test_an_absurd_duration_keeps_a_seat_for_ever(rules: PoolRules) -> None:
    answer = allocate(rules, {}, holding("ann", idle=0), START + AGES)
    assert (answer.users, answer.seats["ann"].until, answer.next_change) == (("ann",), None, None)


def test_a_very_long_duration_that_ends_within_the_calendar_is_taken_at_its_word() -> None:
    rules = PoolRules(seats=1, minimum_hold=AGES)
    answer = allocate(rules, {}, holding("ann", idle=0), at(1))
    assert answer.seats["ann"].until == START + AGES
    assert allocate(rules, {}, answer.memory, START + AGES).users == ()


def test_absurd_durations_of_the_other_rules_block_for_ever() -> None:
    blocked = PoolRules(seats=1, readmit_after=timedelta.max)
    left = allocate(blocked, {}, holding("ann"), at(1))
    assert reasons(allocate(blocked, needs(ann=2), left.memory, START + AGES)) == {"ann": Reason.READMISSION_BLOCKED}
    cooling = PoolRules(seats=1, seat_cool_down=timedelta.max)
    left = allocate(cooling, {}, holding("ann"), at(1))
    answer = allocate(cooling, needs(bob=2), left.memory, START + AGES)
    assert (reasons(answer), answer.next_change) == ({"bob": Reason.SEATS_COOLING_DOWN}, None)
    budget = PoolRules(seats=1, max_reassignments=ReassignmentBudget(1, timedelta.max))
    spent = replace(EMPTY, vacated=(Vacated("ann", START),), reassignments=passed(0))
    answer = allocate(budget, needs(bob=2), spent, START + AGES)
    assert (reasons(answer), earliest(answer)) == ({"bob": Reason.REASSIGNMENT_BUDGET_SPENT}, {"bob": None})


def test_a_place_in_line_survives_that_the_first_workbench_stops() -> None:
    waiting = allocate(PoolRules(seats=1), needs(ann=0, bob=1, cid=2), holding("ann"), at(3))
    moved = allocate(PoolRules(seats=1), needs(ann=0, bob=4, cid=2), waiting.memory, at(5))
    assert [(place.user, place.position, place.since) for place in moved.waiting] == [
        ("bob", 1, at(1)),
        ("cid", 2, at(2)),
    ]


def test_an_older_need_that_becomes_known_late_improves_the_place() -> None:
    waiting = allocate(PoolRules(seats=1), needs(ann=0, bob=1, cid=2), holding("ann"), at(3))
    moved = allocate(PoolRules(seats=1), needs(ann=0, bob=1, cid=0), waiting.memory, at(5))
    assert [place.user for place in moved.waiting] == ["cid", "bob"]


def test_people_found_on_the_list_linger_from_the_first_answer_on() -> None:
    rules = PoolRules(seats=2, linger=minutes(15))
    answer = allocate(rules, needs(bob=0), holding("ann", "bob", reason=Reason.ADOPTED), at(1))
    assert answer.seats["ann"] == Seat("ann", START, Reason.LINGERING, at(16))
    assert answer.seats["bob"] == Seat("bob", START, Reason.ADOPTED, None)
    assert allocate(rules, needs(bob=0), answer.memory, at(16)).users == ("bob",)


def test_more_people_found_on_the_list_than_seats_are_shed_at_once() -> None:
    answer = allocate(PoolRules(seats=1, linger=minutes(15)), needs(cid=0), holding("ann", "bob", "cid"), at(1))
    assert answer.users == ("cid",)
    assert {gone.reason for gone in answer.released} == {Reason.SEATS_REDUCED}


def test_a_banned_holder_is_on_the_list_and_not_yet_among_the_denied() -> None:
    rules = PoolRules(seats=1, minimum_hold=minutes(9), denied=frozenset({"eve"}))
    answer = allocate(rules, needs(eve=0), holding("eve"), at(1))
    assert answer.seats["eve"] == Seat("eve", START, Reason.MINIMUM_HOLD, at(9))
    assert (answer.denied, answer.next_change) == ((), at(9))
    assert allocate(rules, needs(eve=0), answer.memory, at(9)).denied == ("eve",)


def test_who_was_shed_may_return_no_sooner_than_readmission_allows() -> None:
    rules = PoolRules(seats=0, readmit_after=minutes(9))
    assert allocate(rules, needs(ann=0), holding("ann"), at(1)).memory.left == {
        "ann": Left(at(1), Reason.SEATS_REDUCED)
    }


def test_the_line_looks_as_far_as_the_rules_do() -> None:
    rules = PoolRules(
        seats=1, linger=minutes(5), seat_cool_down=minutes(10), max_reassignments=ReassignmentBudget(1, minutes(100))
    )
    idle = holding("ann", idle=0)
    assert earliest(allocate(rules, needs(bob=1), idle, at(1))) == {"bob": at(15)}
    spent = replace(idle, reassignments=passed(-50))
    answer = allocate(rules, needs(bob=1), spent, at(1))
    assert (earliest(answer), answer.next_change) == ({"bob": at(50)}, at(5))
    never = replace(rules, max_reassignments=ReassignmentBudget(0, minutes(100)))
    assert earliest(allocate(never, needs(bob=1), idle, at(1))) == {"bob": None}


def test_who_waits_for_reserved_seats_sees_when_one_more_has_cooled() -> None:
    rules = PoolRules(
        seats=2, seat_cool_down=minutes(10), reservations=(Reservation("z", frozenset({"zoe"}), None, 1),)
    )
    memory = replace(EMPTY, vacated=(Vacated("ann", START),))
    answer = allocate(rules, needs(bob=1), memory, at(1))
    assert (reasons(answer), earliest(answer)) == ({"bob": Reason.SEATS_COOLING_DOWN}, {"bob": at(10)})
    assert allocate(rules, needs(bob=1), answer.memory, at(10)).users == ("bob",)


def test_a_reservation_keeps_seats_and_leaves_the_budget_to_others() -> None:
    rules = PoolRules(
        seats=3,
        max_reassignments=ReassignmentBudget(2, minutes(100)),
        reservations=(Reservation("z", frozenset({"zoe"}), None, 1),),
    )
    vacated = tuple(Vacated(user, START) for user in ("ann", "bob", "cid"))
    answer = allocate(rules, needs(dan=1), replace(EMPTY, vacated=vacated, reassignments=passed(-50)), at(1))
    assert answer.users == ("dan",)
    answer = allocate(rules, needs(dan=1, eve=2), answer.memory, at(2))
    assert (reasons(answer), answer.next_change) == ({"eve": Reason.REASSIGNMENT_BUDGET_SPENT}, at(50))
    assert earliest(answer) == {"eve": at(50)}
    answer = allocate(rules, needs(dan=1, eve=2), answer.memory, at(50))
    assert answer.users == ("dan", "eve")
    answer = allocate(rules, needs(dan=1, eve=2, fay=3), answer.memory, at(101))
    assert reasons(answer) == {"fay": Reason.SEATS_RESERVED}


def test_the_end_of_a_minimum_hold_that_lets_a_protected_person_in_is_announced() -> None:
    rules = PoolRules(seats=1, minimum_hold=minutes(10), protected=("vip",))
    answer = allocate(rules, needs(ann=0, bob=0), holding("ann"), at(1))
    assert (answer.next_change, earliest(answer)) == (at(10), {"vip": at(10), "bob": None})


def test_the_budget_that_lets_a_protected_person_in_is_announced() -> None:
    rules = PoolRules(seats=1, max_reassignments=ReassignmentBudget(1, minutes(100)), protected=("vip",))
    answer = allocate(rules, needs(ann=0), replace(holding("ann"), reassignments=passed(-50)), at(1))
    assert (answer.next_change, earliest(answer)) == (at(50), {"vip": at(50)})
    assert allocate(rules, needs(ann=0), answer.memory, at(50)).users == ("vip",)


def test_without_anybody_in_line_only_seats_that_end_are_waited_for() -> None:
    rules = PoolRules(seats=2, linger=minutes(30), seat_cool_down=minutes(10), readmit_after=minutes(5))
    memory = replace(holding("ann", idle=0), vacated=(Vacated("bob", START),), left={"bob": Left(START, None)})
    assert allocate(rules, {}, memory, at(1)).next_change == at(30)


@pytest.mark.parametrize("late", [0, 1, 45])
def test_only_time_in_the_line_is_a_wait_and_it_counts_from_the_need(late: int) -> None:
    rules = PoolRules(seats=1)
    first = allocate(rules, needs(ann=0, bob=0), EMPTY, at(late))
    assert first.granted == (Granted("ann", Reason.GRANTED, timedelta(0)),)
    served = allocate(rules, needs(bob=0), first.memory, at(late + 10))
    assert served.granted == (Granted("bob", Reason.GRANTED, minutes(late + 10)),)


def test_a_clock_that_went_back_gives_no_negative_times() -> None:
    shed = allocate(PoolRules(seats=0), needs(ann=9), holding("ann", since=9), START)
    assert shed.released == (Released("ann", Reason.SEATS_REDUCED, timedelta(0)),)
    answer = allocate(PoolRules(seats=1), needs(ann=9), shed.memory, START)
    assert answer.granted == (Granted("ann", Reason.GRANTED, timedelta(0)),)


def test_a_seat_vacated_twice_by_one_person_stays_two_seats() -> None:
    rules = PoolRules(seats=2, seat_cool_down=minutes(10))
    memory = replace(EMPTY, vacated=(Vacated("ann", at(-1)), Vacated("ann", START)))
    answer = allocate(rules, needs(ann=1, bob=1), memory, at(1))
    assert (answer.users, answer.memory.vacated) == (("ann",), (Vacated("ann", at(-1)),))
    assert reasons(answer) == {"bob": Reason.SEATS_COOLING_DOWN}


def test_what_was_reserved_and_whose_turn_it_is_are_decided_by_weight_and_kept_in_the_line() -> None:
    rules = PoolRules(seats=0, order=Order.PRIORITY, priorities=(Priority("b*", 3),))
    answer = allocate(rules, needs(ann=0, bob=5, ben=6), EMPTY, at(7))
    assert [(place.position, place.user) for place in answer.waiting] == [(1, "bob"), (2, "ben"), (3, "ann")]
    assert list(answer.memory.waiting) == ["bob", "ben", "ann"]


def test_a_grant_to_a_protected_person_says_so() -> None:
    rules = PoolRules(seats=2, protected=("vip",))
    answer = allocate(rules, needs(ann=0), holding("ann", "bob"), at(1))
    assert answer.granted == (Granted("vip", Reason.PROTECTED, timedelta(0)),)
    full = allocate(rules, needs(ann=0, bob=0), holding("ann", "bob"), at(1))
    assert full.granted == (Granted("vip", Reason.PROTECTED, timedelta(0)),)
    assert full.memory.assigned["vip"] == Grant("vip", at(1), at(1), Reason.PROTECTED)


def test_reassignments_stay_in_the_order_of_time_when_a_clock_went_back() -> None:
    rules = PoolRules(seats=1, max_reassignments=ReassignmentBudget(2, minutes(15)))
    memory = replace(EMPTY, vacated=(Vacated("ann", START),), reassignments=passed(3))
    assert allocate(rules, needs(bob=0), memory, at(1)).memory.reassignments == passed(1, 1, user="bob bob")


def test_seats_passed_on_at_one_instant_are_each_remembered() -> None:
    rules = PoolRules(seats=2, max_reassignments=ReassignmentBudget(2, minutes(15)))
    answer = allocate(rules, needs(cid=1, dan=1), holding("ann", "bob"), at(1))
    assert (answer.memory.reassignments, answer.reassignments_used) == (passed(1, 1, user="cid dan"), 2)


def test_after_a_budget_was_lowered_all_that_is_too_much_has_to_leave_the_window() -> None:
    rules = PoolRules(seats=1, max_reassignments=ReassignmentBudget(1, minutes(15)))
    memory = replace(EMPTY, vacated=(Vacated("ann", START),), reassignments=passed(0, 4))
    answer = allocate(rules, needs(bob=0), memory, at(5))
    assert (earliest(answer), answer.next_change, answer.reassignments_used) == ({"bob": at(19)}, at(19), 2)
    nothing = replace(rules, max_reassignments=ReassignmentBudget(0, minutes(15)))
    answer = allocate(nothing, needs(bob=0), memory, at(5))
    assert (earliest(answer), answer.next_change) == ({"bob": None}, None)


def test_a_protected_person_is_promised_no_room_where_a_freed_seat_would_cool_down() -> None:
    rules = PoolRules(seats=1, minimum_hold=minutes(10), seat_cool_down=minutes(5), protected=("vip",))
    answer = allocate(rules, needs(ann=0), holding("ann"), at(1))
    assert (answer.next_change, earliest(answer)) == (None, {"vip": None})


def test_the_last_of_the_budget_is_enough_to_make_room() -> None:
    budget = ReassignmentBudget(1, minutes(100))
    rules = PoolRules(seats=1, minimum_hold=minutes(10), max_reassignments=budget, protected=("vip",))
    answer = allocate(rules, needs(ann=0), holding("ann"), at(1))
    assert (answer.next_change, earliest(answer)) == (at(10), {"vip": at(10)})


def test_the_first_seat_that_cools_down_is_announced() -> None:
    rules = PoolRules(seats=2, seat_cool_down=minutes(10))
    memory = replace(EMPTY, vacated=(Vacated("ann", at(0)), Vacated("bob", at(3))))
    answer = allocate(rules, needs(cid=4, dan=4), memory, at(4))
    assert (answer.next_change, earliest(answer)) == (at(10), {"cid": at(10), "dan": at(10)})


def test_the_own_seat_is_there_with_the_last_of_the_budget_and_leaves_it_unspent() -> None:
    rules = PoolRules(seats=1, max_reassignments=ReassignmentBudget(1, minutes(100)))
    answer = allocate(rules, needs(ann=1), replace(EMPTY, vacated=(Vacated("ann", START),)), at(1))
    assert (answer.users, answer.reassignments_used, answer.memory.vacated) == (("ann",), 0, ())


def test_the_own_seat_is_refused_when_it_is_the_one_that_a_reservation_could_have_now() -> None:
    rules = PoolRules(
        seats=2,
        seat_cool_down=minutes(10),
        max_reassignments=ReassignmentBudget(1, minutes(100)),
        reservations=(Reservation("z", frozenset({"zoe"}), None, 1),),
    )
    memory = replace(EMPTY, vacated=(Vacated("ann", at(-20)), Vacated("bob", at(-1))))
    assert reasons(allocate(rules, needs(ann=0), memory, START)) == {"ann": Reason.SEATS_COOLING_DOWN}
    assert allocate(rules, needs(bob=0), memory, START).users == ("bob",)


def test_a_vacated_seat_that_is_written_down_twice_is_one_seat() -> None:
    rules = PoolRules(seats=2, seat_cool_down=minutes(10))
    memory = replace(EMPTY, vacated=(Vacated("ann", START), Vacated("ann", START)))
    first = allocate(rules, needs(ann=1), memory, at(1))
    assert (first.users, first.memory.vacated) == (("ann",), ())
    assert allocate(rules, needs(ann=1, bob=1), memory, at(1)).users == ("ann", "bob")


def test_the_first_of_several_seats_that_end_is_announced() -> None:
    rules = PoolRules(seats=2, linger=minutes(15))
    memory = replace(EMPTY, assigned=holding("ann", idle=0).assigned | holding("bob", idle=5).assigned)
    answer = allocate(rules, needs(cid=6, dan=6), memory, at(6))
    assert (answer.next_change, earliest(answer)) == (at(15), {"cid": at(15), "dan": at(15)})
