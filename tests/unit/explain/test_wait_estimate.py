"""When a range is given to a waiting user, how wide it is, and which message stands in its place if there is none."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from tests.unit.explain.cluster import (
    HOUR,
    NOW,
    TIMES,
    Raw,
    ago,
    at,
    ledger,
    pool,
    pool_in,
    seen,
    server,
    server_in,
    texts,
    workbenches,
)

from seatpool.domain.memory import PoolMemory
from seatpool.domain.seat_durations import SeatDurations
from seatpool.explain.simulation import Simulation
from seatpool.explain.wait_estimate import describe_wait
from seatpool.policy.wait_estimate import Holder, WaitEstimate, estimate_waits

THREE_HOURS = SeatDurations(57, (3 * 3600.0,) * 11)
EVENLY = SeatDurations(57, tuple(1800.0 * step for step in range(11)))
"""From nothing to five hours, each duration as often as any other."""
MANY_EVENLY = SeatDurations(100_000, EVENLY.seconds)
NO_BLOCK = timedelta(0)


def works(minutes: float, *, not_before: float = 0) -> Holder:
    return Holder(since=at(-minutes), not_before=at(not_before), works=True)


def stopped(not_before: float) -> Holder:
    return Holder(since=at(-HOUR), not_before=at(not_before), works=False)


def estimate(
    holders: Sequence[Holder], position: int, durations: SeatDurations = THREE_HOURS, blocked: timedelta = NO_BLOCK
) -> WaitEstimate | None:
    return estimate_waits(holders, positions=position, durations=durations, blocked=blocked, now=NOW)[-1]


CERTAIN = {
    "a seat that is always held for three hours comes after the rest of them": ([works(60)], 1, 120),
    "a seat that has lingered to its end comes at that time": ([stopped(10)], 1, 10),
    "the first in line gets the first seat": ([works(60), stopped(10)], 1, 10),
    "the second in line gets the second seat": ([works(60), stopped(10)], 2, 120),
    "the third in line gets the seat of the first, who holds it for three hours": ([works(60), stopped(10)], 3, 190),
    "a position beyond the seats comes later": ([works(60)], 2, 300),
    "a seat cannot come before a stop would free it": ([works(60, not_before=150)], 1, 150),
}


@pytest.mark.parametrize("name", CERTAIN)
def test_without_chance_the_range_is_one_time(name: str) -> None:
    holders, position, minutes = CERTAIN[name]
    assert estimate(holders, position) == WaitEstimate(begin=at(minutes), end=at(minutes), seats=57)


def test_a_cool_down_moves_the_whole_range() -> None:
    found = estimate([works(60)], 1, blocked=timedelta(minutes=30))
    assert found == WaitEstimate(begin=at(150), end=at(150), seats=57)


def test_the_range_leaves_out_a_tenth_on_either_side_and_is_the_same_each_time() -> None:
    """One seat, free at any time of the next four hours: a tenth by 24 minutes, nine tenths by 216."""
    first, second = (estimate([works(60)], 1, MANY_EVENLY) for _ in range(2))
    assert first is not None
    assert first == second
    assert at(14) < first.begin < at(34)
    assert at(206) < first.end < at(226)


NO_ESTIMATE = {
    "a seat that has been held for longer than any before": ([works(200)], 1),
    "a pool without holders": ([], 1),
    "seats that have all been held for longer than any before": ([works(200), works(200)], 2),
}


@pytest.mark.parametrize("name", NO_ESTIMATE)
def test_there_is_no_estimate_for(name: str) -> None:
    holders, position = NO_ESTIMATE[name]
    assert estimate(holders, position) is None


def waiting_for(**settings: object) -> Simulation:
    """A full pool of two seats, each held for an hour, and dora waits."""
    status = {"seatLengths": {"seats": settings.pop("seats_known", 57), "seconds": [3 * 3600] * 11}}
    objects: list[Raw] = [
        server(),
        pool(status=status if settings.pop("known", True) else {}, **settings),  # type: ignore[arg-type]
        ledger(
            assigned={"ann": HOUR, "bob": HOUR},
            waiting={"dora": 5},
            reassignments=[{"user": "bob", "at": ago(2 * HOUR)}],
        ),
        *workbenches("ann", "bob", "dora"),
    ]
    cluster = seen(*objects)
    found = pool_in(cluster)
    memory = cluster.memory(found.key)
    return Simulation(
        pool=found, rules=cluster.store.rules[found.key], needs=cluster.demand([found]).needs(found.key),
        memory=memory or PoolMemory.empty(), now=NOW, server=server_in(cluster),
    )  # fmt: skip


MESSAGES = {
    "full seats and known durations give a range": (
        {},
        "Probably at 11:00, going by the last 57 seats.",
    ),
    "a cool-down moves the range": (
        {"seatCoolDown": "1h"},
        "Probably at 12:00, going by the last 57 seats.",
    ),
    "nineteen ended seats are too few": (
        {"seats_known": 19},
        "No estimate yet: lab/matlab has 19 finished seats; 20 are needed.",
    ),
    "no ended seat is too few": (
        {"known": False},
        "No estimate yet: lab/matlab has 0 finished seats; 20 are needed.",
    ),
    "a reservation may keep the freed seat from the line": (
        {"reservations": [{"name": "phd", "userPattern": "phd-*", "seats": 1}]},
        "No estimate: spec.reservations of lab/matlab also decides.",
    ),
    "users of a higher priority may come and pass": (
        {"order": "Priority", "priorities": [{"userPattern": "oncall-*", "weight": 1}]},
        "No estimate: spec.priorities of lab/matlab also decides.",
    ),
    "nobody can pass the highest priority": (
        {"order": "Priority", "priorities": [{"userPattern": "dora", "weight": 1}, {"userPattern": "x*", "weight": -1}]},
        "Probably at 11:00, going by the last 57 seats.",
    ),
    "a budget that the line uses up may keep the freed seat": (
        {"maxReassignments": {"count": 1, "window": "365d"}},
        "No estimate: spec.maxReassignments of lab/matlab also decides.",
    ),
    "a budget that is enough for the line does not matter": (
        {"maxReassignments": {"count": 2, "window": "365d"}},
        "Probably at 11:00, going by the last 57 seats.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_the_message_gives_the_range_or_says_why_there_is_none(name: str) -> None:
    settings, text = MESSAGES[name]
    simulation = waiting_for(**settings)
    (place,) = simulation.answer.waiting
    estimate, messages = describe_wait(simulation, place, expected=None, times=TIMES)
    assert texts(messages) == [text]
    assert (estimate is not None) is text.startswith("Probably")


def test_a_certain_time_ends_the_range() -> None:
    simulation = waiting_for()
    (place,) = simulation.answer.waiting
    assert describe_wait(simulation, place, expected=at(30), times=TIMES) == (None, ())


def test_no_range_and_no_message_while_no_seat_may_be_released() -> None:
    simulation = waiting_for()
    held = Simulation(
        pool=simulation.pool, rules=simulation.rules, needs=simulation.needs, memory=simulation.memory, now=NOW,
        server=simulation.server, may_release=False,
    )  # fmt: skip
    (place,) = held.answer.waiting
    assert describe_wait(held, place, expected=None, times=TIMES) == (None, ())
