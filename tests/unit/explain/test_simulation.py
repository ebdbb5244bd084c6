"""When a seat comes if no workbench starts or stops, and whose stop brings it sooner."""

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product

import pytest
from tests.unit.explain.cluster import (
    DAY,
    HOUR,
    NOW,
    Raw,
    ago,
    at,
    ledger,
    pool,
    pool_in,
    seen,
    server,
    server_in,
    workbenches,
)

from seatpool.domain.memory import PoolMemory
from seatpool.explain.simulation import Arrival, Group, Simulation, Stops, _splits


def simulate(*objects: Raw, may_release: bool = True) -> Simulation:
    cluster = seen(server(), *objects)
    found = pool_in(cluster)
    return Simulation(
        pool=found, rules=cluster.store.rules[found.key], needs=cluster.demand([found]).needs(found.key),
        memory=cluster.memory(found.key) or PoolMemory.empty(), now=NOW, server=server_in(cluster), may_release=may_release,
    )  # fmt: skip


def one_of(*users: str, at: datetime) -> Stops:
    return Stops(1, at, ((Group(1, users),),), all_tried=True)


@dataclass(frozen=True)
class Case:
    """What there is, who waits at which position, when the seat comes by time alone, and the stop that helps."""

    objects: tuple[Raw, ...]
    minutes: float | None
    stop: Stops | None
    position: int = 1


TWO_WORK = ledger(assigned={"ann": 20, "bob": 2 * HOUR}, waiting={"dora": 5})

CASES = {
    "a free seat comes at once and needs no stop": Case(
        (pool(seats=3), TWO_WORK, *workbenches("ann", "bob", "dora")), 0, None
    ),
    "in a full pool only a stop helps, and each holder's is enough": Case(
        (pool(), TWO_WORK, *workbenches("ann", "bob", "dora")), None, one_of("bob", "ann", at=NOW)
    ),
    "only a holder outside minimum hold can free a seat at once": Case(
        (pool(minimumHold="1h"), TWO_WORK, *workbenches("ann", "bob", "dora")), None,
        one_of("bob", at=NOW),
    ),
    "a stop frees the seat only after linger": Case(
        (pool(linger="15m"), TWO_WORK, *workbenches("ann", "bob", "dora")), None,
        one_of("bob", "ann", at=at(15)),
    ),
    "a lingering seat comes by time, and the stop of another holder brings none sooner": Case(
        (
            pool(linger="15m"), ledger(assigned={"ann": 20, "bob": HOUR}, idle={"bob": 10}, waiting={"dora": 5}),
            *workbenches("ann", "dora"),
        ),
        5, None,
    ),
    "the second in line needs both holders to stop": Case(
        (
            pool(), ledger(assigned={"ann": 20, "bob": 2 * HOUR}, waiting={"eve": 9, "dora": 5}),
            *workbenches("ann", "bob", "dora", "eve"),
        ),
        None, Stops(2, NOW, ((Group(2, ("bob", "ann")),),), all_tried=True), position=2,
    ),
    "a protected holder is never asked to stop": Case(
        (pool(protectedUsers=["bob"]), TWO_WORK, *workbenches("ann", "bob", "dora")), None,
        one_of("ann", at=NOW),
    ),
    "a cool-down is waited for after a stop": Case(
        (pool(seatCoolDown="1h"), TWO_WORK, *workbenches("ann", "bob", "dora")), None,
        one_of("bob", "ann", at=at(60)),
    ),
    "a spent budget ends with its window": Case(
        (
            pool(seats=1, maxReassignments={"count": 1, "window": "10d"}),
            ledger(
                waiting={"dora": 5}, vacated=[{"user": "ann", "at": ago(10)}],
                reassignments=[{"user": "bob", "at": ago(9 * DAY)}],
            ),
            *workbenches("dora"),
        ),
        DAY, None,
    ),
    "no one's stop helps a user who may not return yet": Case(
        (
            pool(readmitAfter="1d"),
            ledger(assigned={"ann": 20}, waiting={"dora": 5}, left=[{"user": "dora", "at": ago(DAY - 60)}]),
            *workbenches("ann", "dora"),
        ),
        60, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_seat_comes_by_time_alone(name: str) -> None:
    case = CASES[name]
    assert simulate(*case.objects).seat_at("dora") == Arrival(None if case.minutes is None else at(case.minutes))


@pytest.mark.parametrize("name", CASES)
def test_the_fewest_stops_that_bring_the_seat_sooner(name: str) -> None:
    case = CASES[name]
    simulation = simulate(*case.objects)
    assert simulation.find_stops("dora", otherwise=simulation.seat_at("dora").instant) == case.stop


def test_while_no_seat_may_be_released_time_and_stops_do_not_help() -> None:
    lingering = ledger(assigned={"ann": 2 * HOUR}, idle={"ann": HOUR}, waiting={"dora": 5})
    objects = (pool(seats=1, linger="15m"), lingering, *workbenches("dora"))
    assert simulate(*objects).seat_at("dora") == Arrival(NOW)
    held = simulate(*objects, may_release=False)
    assert held.seat_at("dora") == Arrival(None)
    assert held.find_stops("dora", otherwise=None) is None


def test_any_two_of_four_are_told_as_such() -> None:
    four = {"ann": 4 * HOUR, "bob": 3 * HOUR, "carl": 2 * HOUR, "dan": HOUR}
    found = simulate(
        pool(seats=4), ledger(assigned=four, waiting={"eve": 9, "dora": 5}), *workbenches(*four, "eve", "dora")
    ).find_stops("dora", otherwise=None)
    assert found == Stops(2, NOW, ((Group(2, ("ann", "bob", "carl", "dan")),),), all_tried=True)


def test_a_set_that_is_no_prefix_of_the_holders_is_found() -> None:
    """The reservation keeps the seats of its own users, however many of them stop."""
    found = simulate(
        pool(seats=3, reservations=[{"name": "phd", "userPattern": "phd-*", "seats": 2}]),
        ledger(assigned={"phd-1": 4 * HOUR, "phd-2": 3 * HOUR, "ann": HOUR}, waiting={"dora": 5}),
        *workbenches("phd-1", "phd-2", "ann", "dora"),
    ).find_stops("dora", otherwise=None)
    assert found == one_of("ann", at=NOW)


def test_one_user_and_any_of_the_others_are_told_as_such() -> None:
    """Two seats are kept for phd, who has both. So ann has to stop, and one of the two who wait is a phd."""
    found = simulate(
        pool(seats=4, reservations=[{"name": "phd", "userPattern": "phd-*", "seats": 2}]),
        ledger(
            assigned={"phd-1": 4 * HOUR, "phd-2": 3 * HOUR, "ann": HOUR, "bob": HOUR},
            waiting={"carl": 9, "phd-3": 8, "dora": 5},
        ),
        *workbenches("phd-1", "phd-2", "ann", "bob", "carl", "phd-3", "dora"),
    ).find_stops("dora", otherwise=None)
    assert found == Stops(3, NOW, ((Group(1, ("phd-1", "phd-2")), Group(2, ("ann", "bob"))),), all_tried=True)


def test_every_change_of_a_long_line_is_looked_at() -> None:
    """A seat ends each minute for a hundred minutes, and dora is the hundredth in line."""
    holders = {f"h{number:03}": 2 * HOUR for number in range(100)}
    waiting = {f"w{number:03}": 200.0 - number for number in range(99)}
    simulation = simulate(
        pool(seats=100, linger="2h"),
        ledger(
            assigned=holders,
            idle={user: 119.0 - number for number, user in enumerate(holders)},
            waiting=waiting | {"dora": 5},
        ),
        *workbenches(*waiting, "dora"),
    )
    assert simulation.seat_at("dora") == Arrival(at(100))


def test_a_search_that_is_cut_short_says_so() -> None:
    simulation = simulate(pool(minimumHold="1h"), TWO_WORK, *workbenches("ann", "bob", "dora"))
    assert simulation.find_stops("dora", otherwise=None) == one_of("bob", at=NOW)
    assert replace(simulation, max_work=0).find_stops("dora", otherwise=None) is False
    assert replace(simulation, max_work=0).seat_at("dora") == Arrival(None, is_known=False, seen_until=NOW)
    known = replace(simulation, max_work=12).find_stops("dora", otherwise=None)
    assert known == Stops(1, NOW, ((Group(1, ("bob",)),),), all_tried=False)


@pytest.mark.parametrize(("count", "sizes"), [(0, [2]), (1, [1, 1, 1]), (3, [2, 1, 3]), (4, [1, 1, 1]), (2, [])])
def test_splits_are_all_ways_to_take_so_many(count: int, sizes: list[int]) -> None:
    every = [one for one in product(*(range(size + 1) for size in sizes)) if sum(one) == count]
    found = list(_splits(count, sizes)) if count <= sum(sizes) else []
    assert found == sorted(every, reverse=True)


def test_the_end_of_a_seat_is_that_of_its_stronger_rule() -> None:
    simulation = simulate(pool(minimumHold="1h", linger="15m"), TWO_WORK, *workbenches("ann", "bob"))
    ends = {user: simulation.end_if_stopped(grant) for user, grant in simulation.memory.assigned.items()}
    assert ends == {"ann": at(40), "bob": at(15)}
