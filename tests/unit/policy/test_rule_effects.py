"""Which rules of a pool are told to have no effect, in which words, and against trying every user."""

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePoolSpec
from seatpool.domain.rules import Order, PoolRules
from seatpool.policy.pool_rules import pool_rules
from seatpool.policy.rule_effects import ineffective_rules


def found(*, identity: IdentitySettings | None = None, **others: object) -> list[str]:
    spec = LicensePoolSpec.model_validate(
        {"serverRef": {"name": "s"}, "product": "matlab", "seats": 3, "workbenchTypes": ["vew-*"], **others}
    )
    identity = identity or IdentitySettings()
    return [str(one) for one in ineffective_rules(spec, pool_rules(spec, identity), identity)]


def reservation(name: str, seats: int, who: list[str] | str) -> dict[str, object]:
    return {"name": name, "seats": seats, "userPattern" if isinstance(who, str) else "users": who}


CASES: dict[str, tuple[dict[str, object], list[str]]] = {
    "rules that all count": (
        {
            "protectedUsers": ["boss"], "deniedUsers": ["guest"],
            "reservations": [reservation("phd", 1, "phd-*"), reservation("lab", 1, ["ann", "bob"])],
        },
        [],
    ),
    "protected users and reservations that claim more than there is": (
        {"protectedUsers": ["ann", "bob"], "reservations": [reservation("phd", 3, "phd-*")]},
        [
            "reservations: they keep 3 seats free, and protectedUsers who belong to none take 2 more, of 3 seats in all: the "
            "reservations can never be full"
        ],
    ),
    "a protected user who takes a seat of a reservation": (
        {"protectedUsers": ["phd-1", "phd-2"], "reservations": [reservation("phd", 3, "PHD-*")]}, []
    ),
    "a user in two reservations": (
        {"reservations": [reservation("first", 1, ["ann"]), reservation("second", 1, ["Ann", "bob"])]},
        ["reservations second: ann is in an earlier reservation, which counts: first"],
    ),
    "a user who is protected and denied in two spellings": (
        {"protectedUsers": ["Solo"], "deniedUsers": ["solo"]},
        ["protectedUsers: solo is also in deniedUsers, which is stronger"],
    ),
    "a reservation for one user with two spellings": (
        {"reservations": [reservation("lab", 2, ["ann", "ANN"])]},
        ["reservations lab: it keeps 2 seats free, and only 1 user can have one of them"],
    ),
    "a reservation for more seats than users": (
        {"reservations": [reservation("lab", 2, ["ann"])]},
        ["reservations lab: it keeps 2 seats free, and only 1 user can have one of them"],
    ),
    "a reservation for denied users": (
        {"reservations": [reservation("lab", 1, ["ann"])], "deniedUsers": ["ann"]},
        [
            "reservations lab: ann is in deniedUsers, which is stronger",
            "reservations lab: it keeps 1 seat free, and no user can have one of them",
        ],
    ),
    "a pattern of which an earlier one leaves one user": (
        {"reservations": [reservation("all", 1, "a?*"), reservation("lab", 2, "a*")]},
        ["reservations lab: it keeps 2 seats free, and only 1 user can have one of them"],
    ),
    "a pattern that is one user": (
        {"reservations": [reservation("lab", 2, "ann")]},
        ["reservations lab: it keeps 2 seats free, and only 1 user can have one of them"],
    ),
    "a reservation that comes after one for everybody": (
        {"reservations": [reservation("all", 1, "*"), reservation("phd", 1, "phd-*")]},
        ["reservations phd: every user that its userPattern matches is matched by an earlier one, which counts, or "
            "is in deniedUsers"],
    ),
    "a priority that comes after a wider one": (
        {
            "order": "Priority",
            "priorities": [{"userPattern": "phd-*", "weight": 1}, {"userPattern": "PHD-a*", "weight": 9}],
        },
        ["priorities phd-a*: every user that it matches is matched by an earlier one, which counts, or is in deniedUsers"],
    ),
    "a priority of a denied user": (
        {"order": "Priority", "priorities": [{"userPattern": "eve", "weight": 1}], "deniedUsers": ["eve"]},
        ["priorities eve: every user that it matches is matched by an earlier one, which counts, or is in deniedUsers"],
    ),
    "a type that cannot be": ({"workbenchTypes": ["vew-*", "vew-[z-a]"]}, ["workbenchTypes: vew-[z-a] can match no type"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_rule_without_effect_is_told_with_the_reason(name: str) -> None:
    others, told = CASES[name]
    assert found(**others) == told


def test_a_user_who_is_written_as_the_mapping_writes_it_is_told() -> None:
    identity = IdentitySettings(mapping={"olga": "E777", "e777": "u2"})
    assert found(identity=identity, deniedUsers=["E777"]) == [
        "deniedUsers: E777 is read as u2, who is another user; write olga, whom the mapping turns into E777"
    ]
    assert found(identity=IdentitySettings(mapping={"olga": "E777"}), deniedUsers=["e777"]) == []
    assert found(identity=identity, deniedUsers=["olga"]) == []


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
EVERYBODY = [
    *LETTERS,
    *map("".join, product(LETTERS, LETTERS + "._@+-")),
    *map("".join, product("ab", "ab-", "ab-")),
]
PATTERNS = st.sampled_from(["*", "a*", "*a", "a", "b", "ab", "?", "a?", "[ab]", "[ab]*", "b*", "a?*"])
USERS = st.sampled_from(["a", "b", "ab", "ba", "boss"])
RESERVATIONS = st.lists(
    st.tuples(st.integers(1, 3), st.one_of(PATTERNS, st.lists(USERS, min_size=1, max_size=3, unique=True))), max_size=3
)


@settings(max_examples=150, deadline=None)
@given(RESERVATIONS, st.lists(USERS, max_size=2, unique=True), st.lists(PATTERNS, max_size=3))
def test_a_rule_is_told_if_and_only_if_no_user_shows_an_effect(
    reservations: list[tuple[int, str | list[str]]], denied: list[str], patterns: list[str]
) -> None:
    spec = LicensePoolSpec.model_validate(
        {
            "serverRef": {"name": "s"}, "product": "matlab", "seats": 9, "workbenchTypes": ["*"],
            "deniedUsers": denied, "order": "Priority",
            "reservations": [reservation(f"r{number}", *one) for number, one in enumerate(reservations)],
            "priorities": [{"userPattern": one, "weight": number + 1} for number, one in enumerate(patterns)],
        }
    )  # fmt: skip
    identity = IdentitySettings(fold_case=False, strip_domain=False)
    rules = pool_rules(spec, identity)
    told = {one.field for one in ineffective_rules(spec, rules, identity)}
    for index, one in enumerate(rules.reservations):
        can = [
            user for user in {*EVERYBODY, "boss"} if rules.reservation_of(user) == index and user not in rules.denied
        ]
        unused = {user for user in one.users if user in rules.denied or rules.reservation_of(user) != index}
        assert (f"reservations {one.name}" in told) is (len(can) < one.seats or bool(unused))
    for pattern in {one.pattern for one in rules.priorities}:
        at = [index for index, one in enumerate(rules.priorities) if one.pattern == pattern]
        works = all(_has_effect(rules, index) for index in at)
        assert (f"priorities {pattern}" in told) is not works


def _has_effect(rules: PoolRules, index: int) -> bool:
    """Whether a user of the line would have another weight without this priority."""
    without = PoolRules(
        seats=rules.seats,
        order=Order.PRIORITY,
        priorities=tuple(one for number, one in enumerate(rules.priorities) if number != index),
    )
    return any(rules.weight_of(user) != without.weight_of(user) for user in EVERYBODY if user not in rules.denied)
