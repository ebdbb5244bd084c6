"""Without any rule but the number of seats the answer is what a simple queue says."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from seatpool.domain.allocate import allocate
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
USERS = ["ann", "bob", "cid", "dan", "eve", "fay"]


def queue(seats: int, rounds: list[dict[str, datetime]]) -> list[tuple[list[str], list[str]]]:
    """The oracle: lists of holders and of those who wait, after each round of needs."""
    holders: list[str] = []
    line: list[tuple[datetime, str]] = []
    answers = []
    for needed in rounds:
        holders = [user for user in holders if user in needed]
        line = [(since, user) for since, user in line if user in needed]
        known = {*holders, *(user for _, user in line)}
        line = sorted(line + [(since, user) for user, since in needed.items() if user not in known])
        while line and len(holders) < seats:
            holders.append(line.pop(0)[1])
        answers.append((sorted(holders), [user for _, user in line]))
    return answers


@given(
    seats=st.integers(0, 4),
    present=st.lists(st.sets(st.sampled_from(USERS)), min_size=1, max_size=12),
    ages=st.lists(st.integers(0, 3), min_size=len(USERS), max_size=len(USERS)),
)
def test_it_serves_as_a_simple_queue_does(seats: int, present: list[set[str]], ages: list[int]) -> None:
    rounds: list[dict[str, datetime]] = []
    for number, users in enumerate(present):
        now = START + timedelta(minutes=number)
        before = rounds[-1] if rounds else {}
        began = {user: now - timedelta(minutes=age) for user, age in zip(USERS, ages, strict=True)}
        rounds.append({user: before.get(user, began[user]) for user in users})
    memory = PoolMemory.empty()
    for number, (needed, expected) in enumerate(zip(rounds, queue(seats, rounds), strict=True)):
        needs = {user: Need(user, since) for user, since in needed.items()}
        answer = allocate(PoolRules(seats=seats), needs, memory, START + timedelta(minutes=number))
        assert (list(answer.users), [place.user for place in answer.waiting]) == expected
        memory = answer.memory
