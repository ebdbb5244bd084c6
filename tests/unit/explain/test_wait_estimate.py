"""When a range is given to a waiting user, how wide it is, and which message stands in its place if there is none."""

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
from seatpool.explain.wait_estimate import Holder, WaitEstimate, describe_wait, estimate_wait

THREE_HOURS = SeatDurations(57, (3 * 3600.0,) * 11)
EVENLY = SeatDurations(57, tuple(1800.0 * step for step in range(11)))
"""From nothing to five hours, each duration as often as any other."""
NO_BLOCK = timedelta(0)


def works(minutes: float, *, not_before: float = 0) -> Holder:
    return Holder(since=at(-minutes), not_before=at(not_before), works=True)


def stopped(not_before: float) -> Holder:
    return Holder(since=at(-HOUR), not_before=at(not_before), works=False)


CERTAIN = {
    "a seat that is always held for three hours comes after the rest of them": ([works(60)], 1, 120),
    "a seat that has lingered to its end comes at that time": ([stopped(10)], 1, 10),
    "the first in line gets the first seat": ([works(60), stopped(10)], 1, 10),
    "the second in line gets the second seat": ([works(60), stopped(10)], 2, 120),
    "a seat cannot come before a stop would free it": ([works(60, not_before=150)], 1, 150),
}


@pytest.mark.parametrize("name", CERTAIN)
def test_without_chance_the_range_is_one_time(name: str) -> None:
    holders, position, minutes = CERTAIN[name]
    found = estimate_wait(holders, position=position, durations=THREE_HOURS, blocked=NO_BLOCK, now=NOW)
    assert found == WaitEstimate(begin=at(minutes), end=at(minutes), seats=57)


def test_a_cool_down_moves_the_whole_range() -> None:
    found = estimate_wait([works(60)], position=1, durations=THREE_HOURS, blocked=timedelta(minutes=30), now=NOW)
    assert found == WaitEstimate(begin=at(150), end=at(150), seats=57)


def test_the_range_leaves_out_a_tenth_on_either_side_and_is_the_same_each_time() -> None:
    """One seat, free at any time of the next four hours: a tenth by 24 minutes, nine tenths by 216."""
    first, second = (
        estimate_wait([works(60)], position=1, durations=EVENLY, blocked=NO_BLOCK, now=NOW) for _ in range(2)
    )
    assert first is not None
    assert first == second
    assert at(14) < first.begin < at(34)
    assert at(206) < first.end < at(226)


NO_ESTIMATE = {
    "a seat that has been held for longer than any before": ([works(200)], 1),
    "a position behind the last holder": ([works(60)], 2),
    "a pool without holders": ([], 1),
    "the second seat, if the second holder has stayed longer than any before": ([works(60), works(200)], 2),
}


@pytest.mark.parametrize("name", NO_ESTIMATE)
def test_there_is_no_estimate_for(name: str) -> None:
    holders, position = NO_ESTIMATE[name]
    assert estimate_wait(holders, position=position, durations=THREE_HOURS, blocked=NO_BLOCK, now=NOW) is None


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
        "Likely between 11:00 and 11:00, eight times of ten, if the seats that are taken are held as long as the last 57 "
        "were.",
    ),
    "a cool-down moves the range": (
        {"seatCoolDown": "1h"},
        "Likely between 12:00 and 12:00, eight times of ten, if the seats that are taken are held as long as the last 57 "
        "were.",
    ),
    "nineteen ended seats are too few": (
        {"seats_known": 19},
        "A likely range cannot be given yet: it takes 20 seats that have ended, and of lab/matlab 19 are known.",
    ),
    "no ended seat is too few": (
        {"known": False},
        "A likely range cannot be given yet: it takes 20 seats that have ended, and of lab/matlab 0 are known.",
    ),
    "a reservation may keep the freed seat from the line": (
        {"reservations": [{"name": "phd", "userPattern": "phd-*", "seats": 1}]},
        "A likely range cannot be given: spec.reservations of lab/matlab decides too, and not only how long seats are held.",
    ),
    "a budget that the line uses up may keep the freed seat": (
        {"maxReassignments": {"count": 1, "window": "365d"}},
        "A likely range cannot be given: spec.maxReassignments of lab/matlab decides too, and not only how long seats are "
        "held.",
    ),
    "a budget that is enough for the line does not matter": (
        {"maxReassignments": {"count": 2, "window": "365d"}},
        "Likely between 11:00 and 11:00, eight times of ten, if the seats that are taken are held as long as the last 57 "
        "were.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
def test_the_message_gives_the_range_or_says_why_there_is_none(name: str) -> None:
    settings, text = MESSAGES[name]
    simulation = waiting_for(**settings)
    (place,) = simulation.answer.waiting
    estimate, messages = describe_wait(simulation, place, expected=None, times=TIMES)
    assert texts(messages) == [text]
    assert (estimate is not None) is text.startswith("Likely")


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
