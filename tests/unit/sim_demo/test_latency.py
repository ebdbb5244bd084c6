"""What is measured from an event to the list, and what is not."""

import pytest
from tests.unit.sim_demo.happenings import arriving, journal

from seatpool.sim.demo.expected_needs import ExpectedNeeds
from seatpool.sim.demo.latency import latencies, latency_of, percentiles
from seatpool.sim.demo.record import Records


def measured(known: ExpectedNeeds, records: Records, *, lingers: bool = False) -> list[float]:
    return sorted(latencies(known, records, lingers=lingers))


def test_a_start_and_a_stop_are_measured_to_the_overwrite_that_shows_them() -> None:
    known = arriving((10, 1, "ann", "running"), (20, 1, "ann", "stopped"))
    assert measured(known, journal((10.5, "ann"), (20.25, ""))) == [0.25, 0.5]


def test_somebody_who_waits_has_no_latency() -> None:
    known = arriving((10, 1, "ann", "running"), (11, 2, "bob", "running"), (20, 1, "ann", "stopped"), seats=1)
    assert measured(known, journal((10.5, "ann"), (20.25, "bob"))) == [0.25, 0.5]


def test_a_stop_that_is_superseded_by_a_start_in_the_same_batch_has_none() -> None:
    known = arriving((10, 1, "ann", "running"), (20, 1, "ann", "stopped"), (20.25, 1, "ann", "running"))
    assert measured(known, journal((10.5, "ann"), (21, "ann bob"))) == [0.5]


def test_a_start_that_is_superseded_before_anything_was_written_has_none() -> None:
    known = arriving(
        (10, 1, "ann", "running"), (10.125, 1, "ann", "stopped"), (30, 1, "ann", "running"), (40, 1, "ann", "stopped")
    )
    assert measured(known, journal((30.5, "ann"), (40.25, ""))) == [0.25, 0.5]


def test_a_second_workbench_of_the_same_person_changes_nothing() -> None:
    known = arriving((10, 1, "ann", "running"), (11, 2, "ann", "running"), (12, 2, "ann", "stopped"))
    assert measured(known, journal((10.5, "ann"))) == [0.5]


def test_a_slow_release_that_makes_room_late_is_not_excused_as_waiting() -> None:
    known = arriving((10, 1, "ann", "running"), (20, 1, "ann", "stopped"), (20.5, 2, "bob", "running"), seats=1)
    assert measured(known, journal((10.5, "ann"), (28, "bob"))) == [0.5, 7.5, 8]


def test_somebody_who_found_the_list_full_after_arriving_has_waited() -> None:
    known = arriving((10, 1, "ann", "running"), (20, 1, "ann", "stopped"), (20.5, 2, "bob", "running"), seats=1)
    assert measured(known, journal((10.5, "ann"), (21, "ann"), (28, "bob"))) == [0.5, 8]


def test_releases_are_not_measured_while_seats_linger() -> None:
    known = arriving((10, 1, "ann", "running"), (20, 1, "ann", "stopped"))
    assert measured(known, journal((10.5, "ann"), (29, "")), lingers=True) == [0.5]


def test_while_it_goes_on_a_change_is_measured_from_the_last_event_of_its_direction() -> None:
    known = arriving((10, 1, "ann", "running"), (20, 1, "ann", "stopped"))
    assert latency_of(known, "cad", "ann", on=True, at=10.5) == 0.5
    assert latency_of(known, "cad", "ann", on=False, at=20.25) == 0.25
    assert latency_of(known, "cad", "eve", on=True, at=20.25) is None


@pytest.mark.parametrize(
    ("seconds", "p50", "p95", "most"), [([0.1], 100, 100, 100), ([n / 1000 for n in range(1, 101)], 50, 95, 100)]
)
def test_percentiles_are_measured_values(seconds: list[float], p50: float, p95: float, most: float) -> None:
    found = percentiles(seconds)
    assert (found.p50, found.p95, found.max) == (p50, p95, most)


def test_of_nothing_there_are_no_percentiles() -> None:
    assert percentiles([]).p50 is None
