"""A judge that never finds anything is worth nothing: each fault is shown to be found, and each excuse to hold."""

from tests.unit.sim_demo.happenings import arriving, empty_at, event, journal, known

from seatpool.sim.demo.record import Records
from seatpool.sim.demo.verdict import SETTLE, QueueChecks, final_faults, violations

ALWAYS_EMPTY = empty_at(*range(1000))
LATER = SETTLE + 10


def found(known_: object, records: Records, *, looks: QueueChecks = ALWAYS_EMPTY, linger: float = 0.0) -> list[str]:
    return violations(known_, records, looks, linger=linger)  # type: ignore[arg-type]


def test_what_follows_from_the_events_is_right() -> None:
    events = arriving((10, 1, "ann", "running"), (11, 2, "bob", "running"), (40, 1, "ann", "stopped"))
    assert found(events, journal((10.5, "ann"), (11.5, "ann bob"), (40.5, "bob"))) == []


def test_a_rejected_overwrite_is_wrong() -> None:
    events = arriving((10, 1, "ann", "running"))
    (told,) = found(events, journal((10.5, "ann"), rejected=[(11, "ann bob carl")]))
    assert "a list of 3 was rejected" in told


def test_a_list_longer_than_the_seats_is_wrong_even_for_an_instant() -> None:
    events = arriving((10, 1, "ann", "running"), (10, 2, "bob", "running"), (11, 1, "ann", "stopped"), seats=1)
    told = found(events, journal((10.5, "ann bob"), (10.625, "bob")))
    assert any("2 people on the list" in one and "only 1 seats" in one for one in told)


def test_a_stranger_on_the_list_is_wrong() -> None:
    told = found(arriving((10, 1, "ann", "running")), journal((10.5, "ann mallory"), (20, "ann")))
    assert [one for one in told if "mallory was on the list without a need" in one]


def test_somebody_who_stays_on_the_list_long_after_leaving_is_wrong() -> None:
    events = arriving((10, 1, "ann", "running"), (20, 1, "ann", "stopped"))
    assert found(events, journal((10.5, "ann"), (20 + SETTLE - 1, ""))) == []
    (told,) = found(events, journal((10.5, "ann"), (20 + LATER, "")))
    assert "ann was on the list without a need" in told


def test_lingering_is_allowed_for_as_long_as_the_pool_says() -> None:
    events = arriving((10, 1, "ann", "running"), (20, 1, "ann", "stopped"))
    late = journal((10.5, "ann"), (20 + LATER, ""))
    assert found(events, late, linger=20) == []


def test_an_event_that_is_still_in_the_queue_binds_nobody() -> None:
    events = arriving((10, 1, "ann", "running"), (20, 1, "ann", "stopped"))
    late = journal((10.5, "ann"), (20 + LATER, ""))
    assert found(events, late, looks=empty_at(5, 20 + LATER - 1)) == []


def test_a_grant_that_comes_before_its_event_is_wrong() -> None:
    (told,) = found(arriving((10, 1, "ann", "running")), journal((5, "ann")))
    assert "ann was on the list without a need" in told


def test_in_the_end_everybody_who_fits_has_to_be_on_the_list() -> None:
    (told,) = found(arriving((10, 1, "ann", "running"), (11, 2, "bob", "running")), journal((10.5, "ann")))
    assert "not on the list in the end, although there is room: bob" in told


def test_in_the_end_a_contested_list_has_exactly_as_many_people_as_seats() -> None:
    needs = frozenset({"ann", "bob", "carl"})
    assert final_faults("cad", ["ann", "carl"], needs, seats=2) == []
    assert "1 people" in final_faults("cad", ["ann"], needs, seats=2)[0]
    assert "eve" in final_faults("cad", ["ann", "eve"], needs, seats=2)[0]
    assert "twice" in final_faults("cad", ["ann", "ann", "bob"], needs, seats=2)[0]


def test_somebody_who_loses_a_seat_while_needing_it_was_wronged() -> None:
    events = arriving((10, 1, "ann", "running"), (90, 2, "bob", "running"), seats=1)
    told = found(events, journal((10.5, "ann"), (90.5, "bob"), (91, "ann")))
    assert [one for one in told if "ann lost the seat" in one]


def test_a_seat_that_is_taken_and_given_again_during_a_quick_restart_wrongs_nobody() -> None:
    events = arriving((10, 1, "ann", "running"), (40, 1, "ann", "stopped"), (40.25, 1, "ann", "running"))
    assert found(events, journal((10.5, "ann"), (40.5, ""), (41, "ann"))) == []


def test_a_start_that_was_read_before_the_stop_that_arrived_before_it_excuses_the_list() -> None:
    swapped = [(20, event(1, "ann", "stopped", 20)), (21, event(1, "ann", "running", 10))]
    briefly, long = journal((22, "ann"), (30, "")), journal((22, "ann"), (21 + LATER, ""))
    assert found(known(swapped), briefly) == []
    assert len(found(known(swapped), long)) == 1
    assert found(known(swapped), long, looks=empty_at(21 + LATER)) == []


def test_a_stop_that_was_read_before_another_workbenchs_start_excuses_a_release() -> None:
    events = arriving((10, 1, "ann", "running"), (40, 2, "ann", "running"), (40.25, 1, "ann", "stopped"))
    assert found(events, journal((10.5, "ann"), (40.5, ""), (41, "ann"))) == []


def test_a_later_arrival_who_is_served_before_somebody_who_waits_is_wrong() -> None:
    events = arriving(
        (10, 1, "ann", "running"),
        (20, 2, "bob", "running"),
        (60, 3, "carl", "running"),
        (90, 1, "ann", "stopped"),
        seats=1,
    )
    assert found(events, journal((10.5, "ann"), (90.5, "bob"))) == []
    (told,) = found(events, journal((10.5, "ann"), (90.5, "carl")))
    assert told.startswith("cad: carl (since")
    assert "while bob waited" in told


def test_who_is_first_among_people_who_come_together_is_open() -> None:
    events = arriving(
        (10, 1, "ann", "running"),
        (20, 2, "bob", "running"),
        (21, 3, "carl", "running"),
        (24, 1, "ann", "stopped"),
        seats=1,
    )
    assert found(events, journal((10.5, "ann"), (24.5, "carl"))) == []


def test_somebody_whose_break_nobody_need_have_noticed_keeps_the_older_place() -> None:
    events = arriving(
        (10, 1, "ann", "running"), (12, 2, "carl", "running"), (20, 3, "bob", "running"),
        (40, 2, "carl", "stopped"), (40.5, 2, "carl", "running"), (90, 1, "ann", "stopped"), seats=1,
    )  # fmt: skip
    assert found(events, journal((10.5, "ann"), (90.5, "carl"))) == []


def test_a_break_that_everybody_must_have_noticed_costs_the_place() -> None:
    events = arriving(
        (10, 1, "ann", "running"), (12, 2, "carl", "running"), (20, 3, "bob", "running"),
        (40, 2, "carl", "stopped"), (80, 2, "carl", "running"), (120, 1, "ann", "stopped"), seats=1,
    )  # fmt: skip
    assert [one for one in found(events, journal((10.5, "ann"), (120.5, "carl"))) if "while bob waited" in one]


def test_the_order_in_line_is_that_of_the_events_own_time_and_not_of_their_arrival() -> None:
    events = known(
        [(10, event(1, "ann", "running", 1)), (20, event(2, "bob", "running", 30)), (50, event(3, "carl", "running", 20)),
         (90, event(1, "ann", "stopped", 90))],
        seats=1,
    )  # fmt: skip
    assert found(events, journal((10.5, "ann"), (90.5, "carl"))) == []
    assert "carl waited" in found(events, journal((10.5, "ann"), (90.5, "bob")))[0]


def test_products_that_are_not_judged_are_left_alone() -> None:
    events = arriving((10, 1, "ann", "running"))
    assert violations(events, journal(), ALWAYS_EMPTY, products=()) == []


def test_no_more_than_a_hundred_faults_are_told_one_by_one() -> None:
    events = arriving(*((10, n, f"u{n}", "running") for n in range(2)))
    told = found(events, journal((10.5, "u0 u1"), rejected=[(11 + n, "a b c") for n in range(150)]))
    assert len(told) == 101
    assert told[-1] == "and 50 more"
