"""Compares each sentence of `why` with what happens, minute by minute, in random pools.

The comparison runs the allocation at every tenth minute of the next twelve hours, for every set of holders who could stop. It
knows nothing of the times and sets that the explanation looks at. All times of the pools are multiples of ten minutes.
"""

import re
from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.explain.cluster import NOW, TIMES, Raw, ago, at, ledger, pool, pool_in, seen, server, workbenches

from seatpool.domain.allocate import allocate
from seatpool.domain.memory import PoolMemory
from seatpool.explain.messages import MessageId
from seatpool.explain.simulation import Group, Simulation
from seatpool.explain.snapshot import Snapshot
from seatpool.explain.why import Phase, PoolExplanation, why

USERS = ("ann", "bob", "carl", "phd-1", "phd-2", "phd-3", "boss")
TENS = range(10, 73 * 10, 10)
LENGTHS = st.sampled_from(["0s", "0s", "10m", "30m"])
PAST = st.integers(1, 6).map(lambda number: number * 10)
ABOUT_TIME = {MessageId.SEAT_COMES, MessageId.SOMEBODY_MUST_STOP, MessageId.SEVERAL_MUST_STOP, MessageId.NO_STOP_HELPS}
ABOUT_STOPS = {MessageId.ONE_STOP_IS_ENOUGH, MessageId.STOPS_THAT_HELP, MessageId.NO_STOP_HELPS}
ABOUT_THE_END = {
    MessageId.SEAT_STAYS, MessageId.SEAT_ENDS, MessageId.GIVES_WAY, MessageId.DENIED_SEAT_ENDS, MessageId.SEAT_OVER,
}  # fmt: skip


@st.composite
def clusters(draw: st.DrawFn) -> tuple[Raw, ...]:
    """Users who work with a seat, linger with one, wait for one, or left, and all rules that a pool can have."""
    states = {user: draw(st.sampled_from(["works", "works", "idle", "waits", "left", "away"])) for user in USERS}
    held = [user for user in USERS if states[user] in ("works", "idle")]
    seats = max(1, len(held) + draw(st.sampled_from([-1, 0, 0, 0, 1])))
    since = {user: draw(PAST) for user in held}
    idle = {user: min(since[user], draw(PAST)) for user in held if states[user] == "idle"}
    waiting = {user: draw(PAST) for user in USERS if states[user] == "waits"}
    gone = {user: draw(PAST) for user in USERS if states[user] in ("left", "waits") and draw(st.booleans())}
    vacated = [user for user in gone if draw(st.booleans())]
    passed = [draw(PAST) for _ in range(draw(st.integers(0, 2)))]
    spec: dict[str, Any] = {name: draw(LENGTHS) for name in ("minimumHold", "linger", "seatCoolDown", "readmitAfter")}
    if draw(st.booleans()):
        spec["reservations"] = [
            {"name": "phd", "userPattern": "phd-*", "seats": draw(st.integers(1, min(2, seats)))},
            {"name": "two", "users": ["ann", "bob"], "seats": 1},
        ][: draw(st.integers(1, 1 if seats < 3 else 2))]
    if draw(st.booleans()):
        spec["maxReassignments"] = {"count": draw(st.integers(0, 2)), "window": draw(st.sampled_from(["30m", "60m"]))}
    spec["protectedUsers"] = draw(st.sampled_from([[], [], ["boss"]]))
    spec["deniedUsers"] = draw(st.sampled_from([[], [], ["carl"]]))
    if draw(st.booleans()):
        spec |= {"order": "Priority", "priorities": [{"userPattern": "phd-*", "weight": 5}]}
    works = [user for user in USERS if states[user] in ("works", "waits")]
    stored = ledger(
        assigned=since,
        idle=idle,
        waiting=waiting,
        left=[{"user": user, "at": ago(minutes)} for user, minutes in gone.items()],
        vacated=[{"user": user, "at": ago(gone[user])} for user in vacated],
        reassignments=[{"user": "zoe", "at": ago(minutes)} for minutes in passed],
    )
    return (server(), pool(seats=seats, **spec), stored, *workbenches(*works))


class Future:
    """What happens at every tenth minute."""

    def __init__(self, cluster: Snapshot) -> None:
        self._pool = pool_in(cluster)
        self.rules = cluster.store.rules[self._pool.key]
        self.needs = dict(cluster.demand([self._pool]).needs(self._pool.key))
        self.memory = cluster.memory(self._pool.key) or PoolMemory.empty()
        self._lists: dict[frozenset[str], list[tuple[datetime, tuple[str, ...]]]] = {}

    def lists(self, without: Collection[str] = ()) -> list[tuple[datetime, tuple[str, ...]]]:
        """The list at each time, if these users stop now."""
        stopped = frozenset(without)
        if stopped not in self._lists:
            needs = {user: need for user, need in self.needs.items() if user not in stopped}
            memory, found = self.memory, []
            for instant in (NOW, *map(at, TENS)):
                answer = allocate(self.rules, needs, memory, instant)
                memory = answer.memory
                found.append((instant, answer.users))
            self._lists[stopped] = found
        return self._lists[stopped]

    def arrival(self, user: str, without: Collection[str] = ()) -> datetime | None:
        return next((instant for instant, users in self.lists(without) if user in users), None)

    def end(self, user: str) -> datetime | None:
        return next((instant for instant, users in self.lists() if user not in users), None)

    def stops(self, user: str) -> tuple[dict[frozenset[str], datetime], dict[frozenset[str], datetime]]:
        """All sets of holders that bring the seat sooner than time alone, and those of them that `why` should name."""
        holders = [one for one in self.lists()[0][1] if one in self.needs and one != user]
        alone = self.arrival(user)
        helps: dict[frozenset[str], datetime] = {}
        for count in range(1, len(holders) + 1):
            for chosen in combinations(holders, count):
                comes = self.arrival(user, chosen)
                if comes is not None and (alone is None or comes < alone):
                    helps[frozenset(chosen)] = comes
        if not helps:
            return {}, {}
        fewest = min(map(len, helps))
        soonest = min(comes for chosen, comes in helps.items() if len(chosen) == fewest)
        named = {chosen: comes for chosen, comes in helps.items() if len(chosen) == fewest and comes == soonest}
        return helps, named


def sets_of(ways: tuple[tuple[Group, ...], ...]) -> set[frozenset[str]]:
    """Every set of users that the ways stand for."""
    found = set()
    for way in ways:
        for chosen in product(*(combinations(group.users, group.count) for group in way)):
            found.add(frozenset(user for part in chosen for user in part))
    return found


def check_who_waits(user: str, found: PoolExplanation, said: Mapping[str, str], future: Future) -> None:
    alone = future.arrival(user)
    helps, named = future.stops(user)
    assert found.expected == alone
    told = set(said)
    if alone is not None:
        assert told & ABOUT_TIME == {MessageId.SEAT_COMES}
        assert said[MessageId.SEAT_COMES].endswith(f"{user} has a seat at {TIMES.format_time(alone)}.")
    elif not helps:
        assert told & ABOUT_TIME == {MessageId.NO_STOP_HELPS}
    else:
        count = min(map(len, helps))
        assert told & ABOUT_TIME == {MessageId.SOMEBODY_MUST_STOP if count == 1 else MessageId.SEVERAL_MUST_STOP}
        assert count == 1 or f"{count} of those who have a seat" in said[MessageId.SEVERAL_MUST_STOP]
    if not named:
        assert found.stop is None
        assert told & ABOUT_STOPS <= {MessageId.NO_STOP_HELPS}
    else:
        assert found.stop is not None
        assert found.stop.all_tried
        assert sets_of(found.stop.ways) == set(named)
        assert {found.stop.instant} == set(named.values())
        (text,) = (said[one] for one in told & ABOUT_STOPS)
        assert TIMES.format_time_or_now(found.stop.instant) in text
        shown = {one for one in USERS if re.search(rf"\b{one} \(", text)}
        assert shown == {one for chosen in named for one in chosen} or "more" in text or "other way" in text
    if MessageId.BY_TIME_ALONE in told:
        assert found.earliest is not None
        assert TIMES.format_time(found.earliest) in said[MessageId.BY_TIME_ALONE]
        assert all(comes >= found.earliest for comes in (*helps.values(), *([] if alone is None else [alone])))
    taken = len(future.lists()[0][1])
    if found.reason == "PoolFull":
        assert taken >= future.rules.seats
    if found.reason == "SeatsReserved":
        kept = sum(map(int, re.findall(r"(\d+) for ", said["SeatsReserved"])))
        assert kept >= future.rules.seats - taken > 0


def check_who_has_a_seat(user: str, found: PoolExplanation, said: Mapping[str, str], future: Future) -> None:
    end = future.end(user)
    told = set(said) & ABOUT_THE_END
    assert found.until == end
    if end is None:
        assert told == ({MessageId.SEAT_STAYS} if found.reason != "Protected" else set())
    elif end == NOW:
        assert told == {MessageId.SEAT_OVER}
    else:
        (id,) = told  # noqa: A001
        assert TIMES.format_time(end) in said[id]
        assert (id == MessageId.DENIED_SEAT_ENDS) <= (user in future.rules.denied)


@settings(max_examples=120, deadline=None)
@given(clusters())
def test_no_sentence_is_false_and_no_two_contradict(objects: tuple[Raw, ...]) -> None:
    cluster = seen(*objects)
    future = Future(cluster)
    for user in USERS:
        for found in why(cluster, user, pool=None, written={}, times=TIMES).pools:
            said = {one.id: one.text for one in found.messages}
            assert len(said) == len(found.messages)
            if found.phase is Phase.WAITING:
                check_who_waits(user, found, said, future)
            elif found.phase is Phase.ASSIGNED:
                check_who_has_a_seat(user, found, said, future)
            elif found.phase is Phase.DENIED:
                assert future.arrival(user) is None
            elif found.phase is Phase.UNDECIDED:
                assert future.arrival(user) == NOW
            else:
                assert user not in future.needs


def check_what_is_told_of_a_cut_search(
    user: str, found: PoolExplanation, told: Collection[str], future: Future
) -> None:
    """What is said is true all the same, and that not everything was tried is said."""
    alone = future.arrival(user)
    helps, _ = future.stops(user)
    assert found.expected == alone or MessageId.TIME_NOT_KNOWN in told
    assert (MessageId.NO_STOP_HELPS in told) <= (alone is None and not helps)
    assert (MessageId.SOMEBODY_MUST_STOP in told) <= (alone is None)
    if found.stop is None:
        assert not helps or {MessageId.NO_STOP_FOUND, MessageId.TIME_NOT_KNOWN, MessageId.SEAT_COMES} & set(told)
        return
    assert found.stop.all_tried is (MessageId.NOT_ALL_TRIED not in told)
    assert {future.arrival(user, chosen) for chosen in sets_of(found.stop.ways)} == {found.stop.instant}
    if found.stop.all_tried:
        assert found.stop.count == min(map(len, helps))
    assert (MessageId.SEVERAL_MUST_STOP in told) <= found.stop.all_tried


@settings(max_examples=80, deadline=None)
@given(clusters(), st.integers(0, 200))
def test_a_search_that_is_cut_short_says_nothing_false(objects: tuple[Raw, ...], work: int) -> None:
    cluster = seen(*objects)
    future = Future(cluster)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("seatpool.explain.why.Simulation", partial(Simulation, max_work=work))
        for user in USERS:
            for found in why(cluster, user, pool=None, written={}, times=TIMES).pools:
                if found.phase is Phase.WAITING:
                    check_what_is_told_of_a_cut_search(user, found, [one.id for one in found.messages], future)
