"""The message of a rule has the pool's own numbers, and every rule names a field of the spec."""

import pytest
from tests.unit.explain.cluster import HOUR, NOW, TIMES, Raw, ago, at, ledger, pool, pool_in, seen, server

from seatpool.api.licensepool import LicensePoolSpec
from seatpool.domain.allocate import allocate
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.reasons import Reason
from seatpool.explain.rule_text import field_of, rule_message

FIELDS = {field.alias for field in LicensePoolSpec.model_fields.values()}


@pytest.mark.parametrize("reason", Reason)
def test_every_rule_names_a_field_of_the_spec(reason: Reason) -> None:
    assert field_of(reason) in FIELDS


BUDGET = {"count": 4, "window": "365d"}
PHD = {"name": "phd", "userPattern": "phd-*", "seats": 2}
CASES: dict[str, tuple[Reason, Raw, Raw, str]] = {
    "an active workbench is named": (
        Reason.GRANTED, pool(), ledger(), "An active workbench needs the product: i-1, i-2.",
    ),
    "minimum hold is spelled as in the spec": (
        Reason.MINIMUM_HOLD, pool(minimumHold="90m"), ledger(),
        "The seat is not needed any more; spec.minimumHold (1h30m) keeps it until 10:00.",
    ),
    "linger is spelled as in the spec": (
        Reason.LINGERING, pool(linger="15m"), ledger(),
        "No workbench is active; spec.linger (15m) keeps the seat until 10:00.",
    ),
    "a readmission block has its duration": (
        Reason.READMISSION_BLOCKED, pool(readmitAfter="1d"), ledger(),
        "ann left the list lately: spec.readmitAfter (1d) permits no return before 10:00.",
    ),
    "a full pool has its number of seats": (Reason.POOL_FULL, pool(seats=7), ledger(), "All 7 seats are taken."),
    "the next of the cooling seats decides the time": (
        Reason.SEATS_COOLING_DOWN, pool(seats=3, seatCoolDown="1h"),
        ledger(assigned={"eve": HOUR}, vacated=[{"user": "bob", "at": ago(10)}, {"user": "cem", "at": ago(40)}]),
        "2 of 3 seats are free, but others had them lately: spec.seatCoolDown (1h) blocks the next of them until 09:20.",
    ),
    "a cool-down that binds is named beside what is kept": (
        Reason.SEATS_COOLING_DOWN, pool(seats=2, seatCoolDown="1h", reservations=[PHD | {"seats": 1}]),
        ledger(vacated=[{"user": "bob", "at": ago(40)}]),
        "2 of 2 seats are free, but others had them lately or they are kept for others (1 for reservation phd): "
        "spec.seatCoolDown (1h) blocks the next of them until 09:20.",
    ),
    "a seat that has cooled down is not the next one": (
        Reason.SEATS_COOLING_DOWN, pool(seats=2, seatCoolDown="1h", maxReassignments={"count": 9, "window": "365d"}),
        ledger(vacated=[{"user": "bob", "at": ago(90)}, {"user": "cem", "at": ago(40)}]),
        "2 of 2 seats are free, but others had them lately: spec.seatCoolDown (1h) blocks the next of them until 09:20.",
    ),
    "a budget has count, window and what is used": (
        Reason.REASSIGNMENT_BUDGET_SPENT, pool(seats=3, maxReassignments=BUDGET),
        ledger(reassignments=[{"user": "bob", "at": ago(10)}, {"user": "eve", "at": ago(20)}]),
        "3 of 3 seats are free, but others had them: 2 of the 4 changes that spec.maxReassignments permits in 365d are used.",
    ),
    "a reservation counts only the seats that are still open": (
        Reason.SEATS_RESERVED, pool(seats=3, reservations=[PHD]), ledger(assigned={"phd-eve": HOUR}),
        "2 of 3 seats are free, and kept for others: 1 for reservation phd.",
    ),
    "seats kept for protected users name those who have none": (
        Reason.SEATS_RESERVED, pool(seats=3, protectedUsers=["zoe", "yan"], readmitAfter="1h"),
        ledger(left=[{"user": "zoe", "at": ago(30)}, {"user": "yan", "at": ago(30)}]),
        "3 of 3 seats are free, and kept for others: 2 for protectedUsers yan, zoe.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_message(name: str) -> None:
    reason, raw_pool, raw_ledger, text = CASES[name]
    cluster = seen(server(), raw_pool, raw_ledger)
    found = pool_in(cluster)
    rules = cluster.store.rules[found.key]
    memory = cluster.memory(found.key) or PoolMemory.empty()
    needs = {user: Need(user, grant.since) for user, grant in memory.assigned.items()}
    answer = allocate(rules, needs, memory, NOW)
    result = rule_message(
        reason,
        pool=found,
        rules=rules,
        answer=answer,
        user="ann",
        keys=["lab/i-1", "lab/i-2"],
        until=at(60),
        times=TIMES,
    )
    assert (result.id, result.text) == (reason, text)
