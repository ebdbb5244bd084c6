"""Rules answer for each person, and refuse what cannot be computed with."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from seatpool.domain.rules import InvalidRules, Order, PoolRules, Priority, ReassignmentBudget, Reservation

MINUTE = timedelta(minutes=1)


def test_a_person_belongs_to_the_first_reservation_that_names_or_matches() -> None:
    named = Reservation("named", frozenset({"ann"}), None, 1)
    phd = Reservation("phd", frozenset(), "phd-*", 1)
    rules = PoolRules(seats=3, reservations=(phd, named, Reservation("all", frozenset(), "*", 1)))
    assert [rules.reservation_of(user) for user in ("phd-x", "ann", "bob", "phd-x")] == [0, 1, 2, 0]
    assert PoolRules(seats=3, reservations=(named,)).reservation_of("bob") is None


def test_the_first_pattern_that_matches_gives_the_weight() -> None:
    priorities = (Priority("ops-a*", 5), Priority("ops-*", 9))
    rules = PoolRules(seats=1, order=Order.PRIORITY, priorities=priorities)
    assert [rules.weight_of(user) for user in ("ops-ann", "ops-bob", "cid")] == [5, 9, 0]


def test_weights_do_not_count_where_the_first_to_come_is_served_first() -> None:
    assert PoolRules(seats=1, priorities=(Priority("*", 5),)).weight_of("ann") == 0


def test_a_ban_is_stronger_than_protection() -> None:
    assert PoolRules(seats=1, protected=("ann", "bob"), denied=frozenset({"ann"})).always == {"bob"}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"seats": -1}, "seats is -1"),
        ({"reservations": (Reservation("phd", frozenset(), "*", -2),)}, "seats of reservation phd is -2"),
        ({"minimum_hold": -MINUTE}, "minimum_hold is -1 day"),
        ({"linger": -MINUTE}, "linger is"),
        ({"seat_cool_down": -MINUTE}, "seat_cool_down is"),
        ({"readmit_after": -MINUTE}, "readmit_after is"),
        ({"max_reassignments": ReassignmentBudget(-1, MINUTE)}, "max_reassignments.count is -1"),
        ({"max_reassignments": ReassignmentBudget(1, -MINUTE)}, "max_reassignments.window is"),
    ],
)
def test_a_negative_amount_is_refused_by_name(fields: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRules, match=named.replace(".", r"\.")):
        replace(PoolRules(seats=1), **fields)
