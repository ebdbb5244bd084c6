"""When a seat comes if no workbench starts or stops, and whose stop brings it sooner."""

from dataclasses import dataclass

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
from seatpool.explain.simulation import Simulation, Stop


def simulate(*objects: Raw, may_release: bool = True) -> Simulation:
    cluster = seen(server(), *objects)
    found = pool_in(cluster)
    return Simulation(
        pool=found, rules=cluster.store.rules[found.key], needs=cluster.demand([found]).needs(found.key),
        memory=cluster.memory(found.key) or PoolMemory.empty(), now=NOW, server=server_in(cluster), may_release=may_release,
    )  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What there is, who waits at which position, when the seat comes by time alone, and the stop that helps."""

    objects: tuple[Raw, ...]
    minutes: float | None
    stop: Stop | None
    position: int = 1


TWO_WORK = ledger(assigned={"ann": 20, "bob": 2 * HOUR}, waiting={"dora": 5})

CASES = {
    "a free seat comes at once and needs no stop": Case(
        (pool(seats=3), TWO_WORK, *workbenches("ann", "bob", "dora")), 0, None
    ),
    "in a full pool only a stop helps, and each holder's is enough": Case(
        (pool(), TWO_WORK, *workbenches("ann", "bob", "dora")), None, Stop(("bob", "ann"), NOW, any_of_them=True)
    ),
    "only a holder outside minimum hold can free a seat at once": Case(
        (pool(minimumHold="1h"), TWO_WORK, *workbenches("ann", "bob", "dora")), None,
        Stop(("bob",), NOW, any_of_them=True),
    ),
    "a stop frees the seat only after linger": Case(
        (pool(linger="15m"), TWO_WORK, *workbenches("ann", "bob", "dora")), None,
        Stop(("bob", "ann"), at(15), any_of_them=True),
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
        None, Stop(("bob", "ann"), NOW, any_of_them=False), position=2,
    ),
    "a protected holder is never asked to stop": Case(
        (pool(protectedUsers=["bob"]), TWO_WORK, *workbenches("ann", "bob", "dora")), None,
        Stop(("ann",), NOW, any_of_them=True),
    ),
    "a cool-down is waited for after a stop": Case(
        (pool(seatCoolDown="1h"), TWO_WORK, *workbenches("ann", "bob", "dora")), None,
        Stop(("bob", "ann"), at(60), any_of_them=True),
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
    assert simulate(*case.objects).seat_at("dora") == (None if case.minutes is None else at(case.minutes))


@pytest.mark.parametrize("name", CASES)
def test_the_fewest_stops_that_bring_the_seat_sooner(name: str) -> None:
    case = CASES[name]
    assert simulate(*case.objects).find_stop("dora", position=case.position) == case.stop


def test_while_no_seat_may_be_released_time_and_stops_do_not_help() -> None:
    lingering = ledger(assigned={"ann": 2 * HOUR}, idle={"ann": HOUR}, waiting={"dora": 5})
    objects = (pool(seats=1, linger="15m"), lingering, *workbenches("dora"))
    assert simulate(*objects).seat_at("dora") == NOW
    held = simulate(*objects, may_release=False)
    assert held.seat_at("dora") is None
    assert held.find_stop("dora", position=1) is None


def test_the_end_of_a_seat_is_that_of_its_stronger_rule() -> None:
    simulation = simulate(pool(minimumHold="1h", linger="15m"), TWO_WORK, *workbenches("ann", "bob"))
    ends = {user: simulation.end_if_stopped(grant) for user, grant in simulation.memory.assigned.items()}
    assert ends == {"ann": at(40), "bob": at(15)}
