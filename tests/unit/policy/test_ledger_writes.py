"""A crash between two writes of a pool's shares loses nobody and forgets no change of the budget."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.control.objects import NOW, pool

from seatpool.api.seatledger import SeatLedgerSpec
from seatpool.domain.allocate import allocate
from seatpool.domain.memory import Grant, Left, PoolMemory, Reassignment, Vacated
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.domain.rules import PoolRules, ReassignmentBudget
from seatpool.policy.ledger_codec import changed_shares, from_specs, share_of, to_specs
from seatpool.policy.ledger_writes import order_writes

Shares = dict[int, SeatLedgerSpec]
PEOPLE = [f"user{n}" for n in range(24)]


def shares_of(memory: PoolMemory, count: int) -> Shares:
    return dict(enumerate(to_specs(memory, pool=pool("matlab"), shares=count)))


def crashes(before: Shares, after: Shares) -> Iterator[Shares]:
    """Yields what is stored if the process ends at any point: after any of the writes of a step, in any order."""
    specs = tuple(after.values())
    writes = order_writes(before, specs, changed=changed_shares(before, specs))
    for spec in (*writes.first.values(), *writes.then.values()):
        assert (spec.holders, spec.waiters) == (len(spec.assigned), len(spec.waiting))
    stored = dict(before)
    for step in (writes.first, writes.then):
        for count in range(len(step) + 1):
            for some in combinations(step, count):
                yield stored | {index: step[index] for index in some}
        stored |= step
    for count in range(len(writes.last) + 1):
        yield {index: spec for index, spec in stored.items() if index not in writes.last[:count]}
    assert {index: spec for index, spec in stored.items() if index not in writes.last} == after


def memory_of(holders: list[str], *, freed: list[str] | None = None) -> PoolMemory:
    return replace(
        PoolMemory.empty(),
        assigned={user: Grant(user, NOW - timedelta(hours=1), None, Reason.GRANTED) for user in holders},
        vacated=tuple(Vacated(user, NOW - timedelta(minutes=9)) for user in freed or ()),
        left={user: Left(NOW - timedelta(minutes=9), Reason.WORKBENCHES_STOPPED) for user in freed or ()},
    )


@pytest.mark.parametrize(("before", "after"), [(1, 2), (2, 3), (2, 5), (3, 2), (4, 1)])
def test_a_crash_while_the_number_of_shares_changes_loses_nothing(before: int, after: int) -> None:
    memory = memory_of(PEOPLE[:16], freed=PEOPLE[16:])
    states = list(crashes(shares_of(memory, before), shares_of(memory, after)))
    assert len(states) > 2
    assert all(from_specs(state.values()) == memory for state in states)


@settings(max_examples=150, deadline=None)
@given(
    needed=st.sets(st.sampled_from(PEOPLE)),
    freed=st.sets(st.sampled_from(PEOPLE[12:]), max_size=4),
    shares=st.tuples(st.integers(2, 3), st.integers(2, 3)),
    budget=st.integers(0, 6),
)
def test_whatever_is_stored_after_a_crash_gives_no_seat_that_the_budget_does_not_permit(
    needed: set[str], freed: set[str], shares: tuple[int, int], budget: int
) -> None:
    rules = PoolRules(seats=16, max_reassignments=ReassignmentBudget(budget, timedelta(days=1)))
    before = memory_of(PEOPLE[:12], freed=sorted(freed))
    after = allocate(rules, {user: Need(user, NOW) for user in needed}, before, NOW)
    for state in crashes(shares_of(before, shares[0]), shares_of(after.memory, shares[1])):
        found = from_specs(state.values())
        assert found.assigned.keys() >= before.assigned.keys() & after.memory.assigned.keys()
        kept = found.assigned.keys() & after.memory.assigned.keys()
        passed = {change for change in after.memory.reassignments if change.user in kept}
        assert passed <= set(found.reassignments), "a seat is stored, and the change that it cost is not"
        assert len(found.assigned) + len(found.vacated) >= len(before.assigned) + len(before.vacated)
        later = allocate(rules, {user: Need(user, NOW) for user in PEOPLE}, found, NOW + timedelta(minutes=1))
        assert later.reassignments_used <= budget
        assert len(later.users) <= rules.seats


def test_one_changed_share_is_written_once() -> None:
    before = shares_of(memory_of(PEOPLE), 3)
    user = PEOPLE[0]
    gone = memory_of(PEOPLE[1:], freed=[user])
    specs = to_specs(gone, pool=pool("matlab"), shares=3)
    writes = order_writes(before, specs, changed=changed_shares(before, specs))
    assert writes.first == {share_of(user, 3): specs[share_of(user, 3)]}
    assert (writes.then, writes.last) == ({}, ())


def test_a_seat_that_passes_between_shares_is_given_before_it_is_freed() -> None:
    one = next(user for user in PEOPLE if share_of(user, 2) == 0)
    other = next(user for user in PEOPLE if share_of(user, 2) == 1)
    passed = replace(memory_of([other]), reassignments=(Reassignment(NOW, other),), left={one: Left(NOW, None)})
    before, specs = shares_of(memory_of([one]), 2), to_specs(passed, pool=pool("matlab"), shares=2)
    writes = order_writes(before, specs, changed=changed_shares(before, specs))
    assert (list(writes.first), list(writes.then)) == ([1], [0])
