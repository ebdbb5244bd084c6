"""Vendors' rules hold over edits of the pool: an auditor who sees only lists and specs finds no breach.

The auditor never forgets. At each list it asks whether the rules in force at that moment permit what changed, given all that
ever happened in the pool.
"""

import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from seatpool.domain.allocate import allocate
from seatpool.domain.memory import REASSIGNMENTS_KEPT, VACATED_KEPT, Left, PoolMemory, Reassignment, Vacated
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules, ReassignmentBudget

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
USERS = ("ann", "bob", "cid", "dan", "eve", "fay")
SEQUENCES = 3_000
STEPS = 25


def minutes(count: int) -> timedelta:
    return timedelta(minutes=count)


@dataclass
class Auditor:
    """What the vendor could know: who was on the list when, under which rules."""

    holders: dict[str, datetime] = field(default_factory=dict)
    vacated: list[tuple[datetime, str]] = field(default_factory=list)
    left: dict[str, datetime] = field(default_factory=dict)
    passed_on: list[datetime] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)

    def sees(self, users: tuple[str, ...], rules: PoolRules, now: datetime) -> None:
        if len(users) > rules.seats:
            self.breaches.append("seats")
        for user in sorted(self.holders.keys() - set(users)):
            self.vacated.append((now, user))
            self.left[user] = now
            del self.holders[user]
        # While a pool is smaller, its seats are those that were vacated last.
        existing = sorted(self.vacated)[max(0, len(self.vacated) - (rules.seats - len(self.holders))) :]
        came = sorted(set(users) - self.holders.keys())
        owners = {user for _, user in existing}
        for user in sorted(came, key=lambda user: user not in owners):  # who returns to an own seat passes none on
            self.comes(user, existing, rules, now)

    def comes(self, user: str, existing: list[tuple[datetime, str]], rules: PoolRules, now: datetime) -> None:
        if user in self.left and now < self.left[user] + rules.readmit_after:
            self.breaches.append("readmitAfter")
        own = [seat for seat in existing if seat[1] == user]
        fresh = rules.seats - len(self.holders) - len(existing)
        self.holders[user] = now
        if existing and (own or fresh <= 0):
            seat = own[-1] if own else existing[0]
            existing.remove(seat)
            self.vacated.remove(seat)
            if not own:
                self.passes_on(seat[0], rules, now)

    def passes_on(self, freed: datetime, rules: PoolRules, now: datetime) -> None:
        if now < freed + rules.seat_cool_down:
            self.breaches.append("seatCoolDown")
        self.passed_on.append(now)
        budget = rules.max_reassignments
        if budget is not None and sum(at + budget.window > now for at in self.passed_on) > budget.count:
            self.breaches.append("maxReassignments")


def other_rules(rules: PoolRules, dice: random.Random) -> PoolRules:
    """One edit: any seats, any duration, any budget, or none."""
    length = minutes(dice.choice([0, 0, 3, 10, 60, 24 * 60]))
    match dice.randrange(5):
        case 0:
            return replace(rules, seats=dice.randint(0, 4))
        case 1:
            return replace(rules, seat_cool_down=length)
        case 2:
            return replace(rules, readmit_after=length)
        case 3:
            return replace(rules, linger=minutes(dice.choice([0, 2])))
        case _:
            budget = ReassignmentBudget(dice.randint(0, 3), minutes(dice.choice([5, 30, 24 * 60])))
            return replace(rules, max_reassignments=dice.choice([None, budget]))


def breaches(seed: int) -> list[str]:
    dice = random.Random(seed)
    rules = PoolRules(seats=dice.randint(1, 4))
    for _ in range(4):
        rules = other_rules(rules, dice)
    usual, memory, auditor, now = rules, PoolMemory.empty(), Auditor(), START
    needs: dict[str, Need] = {}
    for _ in range(STEPS):
        now += timedelta(minutes=dice.choice([0, 1, 1, 2, 5]), milliseconds=1)
        happens = dice.random()
        if happens < 0.2:
            rules = other_rules(rules, dice)
        elif happens < 0.35:
            rules = usual
        else:
            user = dice.choice(USERS)
            if needs.pop(user, None) is None:
                needs[user] = Need(user, now)
        answer = allocate(rules, needs, memory, now)
        memory = answer.memory
        auditor.sees(answer.users, rules, now)
    return auditor.breaches


def test_no_sequence_of_edits_breaches_a_rule() -> None:
    found = {seed: broken for seed in range(SEQUENCES) if (broken := breaches(seed))}
    assert found == {}


def test_the_auditor_notices_a_breach() -> None:
    rules = PoolRules(
        seats=1,
        seat_cool_down=minutes(9),
        readmit_after=minutes(9),
        max_reassignments=ReassignmentBudget(0, minutes(9)),
    )
    auditor = Auditor()
    for minute, users in enumerate([("ann",), ("bob",), ("ann",), ("ann", "bob")]):
        auditor.sees(users, rules, START + minutes(minute))
    assert {"seats", "readmitAfter", "seatCoolDown", "maxReassignments"} == set(auditor.breaches)


@pytest.mark.parametrize(("days", "remembered"), [(30, True), (32, False)])
def test_who_left_is_remembered_for_a_month(days: int, remembered: bool) -> None:
    memory = replace(PoolMemory.empty(), left={"ann": Left(START, None)})
    answer = allocate(PoolRules(seats=1), {}, memory, START + timedelta(days=days))
    assert ("ann" in answer.memory.left) is remembered
    longer = PoolRules(seats=1, readmit_after=timedelta(days=90))
    assert "ann" in allocate(longer, {}, memory, START + timedelta(days=days)).memory.left


def test_the_memory_has_limits() -> None:
    memory = replace(
        PoolMemory.empty(),
        vacated=tuple(Vacated(f"user{n}", START + timedelta(seconds=n)) for n in range(VACATED_KEPT + 10)),
        reassignments=tuple(Reassignment(START + timedelta(seconds=n), "ann") for n in range(1_100)),
    )
    now = START + timedelta(days=1)
    small = allocate(PoolRules(seats=1), {}, memory, now).memory
    assert (len(small.vacated), small.vacated[-1]) == (VACATED_KEPT, memory.vacated[-1])
    assert small.reassignments == memory.reassignments[-REASSIGNMENTS_KEPT:]
    large = PoolRules(seats=1, max_reassignments=ReassignmentBudget(1_000, timedelta(days=365)))
    answer = allocate(large, {}, memory, now)
    assert (answer.memory.reassignments, answer.reassignments_used) == (memory.reassignments[-1_000:], 1_000)
