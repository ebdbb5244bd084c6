"""Patterns and the owners of the mapping follow the rules of owners."""

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seatpool.api.identity import IdentitySettings
from seatpool.domain.identity import InvalidUser

NAMES = st.text("abzABZ019._+-", min_size=1, max_size=6).map(lambda text: f"a{text}")


@pytest.mark.parametrize("spelt", ["Ann", "CORP\\ann", "ann@corp.example", "ANN"])
def test_an_owner_of_the_mapping_may_be_spelt_in_any_way(spelt: str) -> None:
    assert IdentitySettings(mapping={spelt: "u1001"}).user("CORP\\Ann") == "u1001"


def test_an_owner_of_the_mapping_is_spelt_exactly_where_domain_and_case_count() -> None:
    exact = IdentitySettings(strip_domain=False, fold_case=False, mapping={"CORP\\Ann": "u1001"})
    assert exact.mapping == {"CORP\\Ann": "u1001"}


@pytest.mark.parametrize(
    ("mapping", "told"),
    [
        ({"Ann": "u1", "CORP\\ann": "u2"}, "are the same owner and have two users, u1 and u2"),
        ({"@corp": "u1"}, "is no owner"),
        ({"CORP\\": "u1"}, "is no owner"),
    ],
)
def test_a_mapping_that_says_two_things_or_of_nobody_is_refused(mapping: dict[str, str], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        IdentitySettings(mapping=mapping)


SPELT = st.text("abAB01._+@", min_size=1, max_size=4).map(lambda text: f"u{text}")


@given(st.dictionaries(NAMES, SPELT, max_size=4), st.booleans(), st.booleans(), st.data())
def test_an_owner_that_is_spelt_like_a_user_of_the_mapping_is_that_user(
    mapping: dict[str, str], strip: bool, fold: bool, data: st.DataObject
) -> None:
    try:
        identity = IdentitySettings(strip_domain=strip, fold_case=fold, mapping=mapping)
    except ValidationError:
        return  # two spellings of one owner
    plain = IdentitySettings(strip_domain=strip, fold_case=fold)
    users = sorted(identity.mapping.values())
    for owner, user in identity.mapping.items():
        assert identity.user(owner) == user
    for user in users:
        if plain.user(user) in identity.mapping:
            continue  # it is the owner of another user too, which counts
        if len({one for one in users if one.lower() == user.lower()}) > 1 and fold:
            continue  # nothing says which of them it is
        spelling = data.draw(st.sampled_from([user, user.upper(), user.lower()])) if fold else user
        assert identity.user(spelling) == user
    other = data.draw(SPELT)
    if plain.user(other) not in identity.mapping and other.lower() not in {one.lower() for one in users}:
        assert identity.user(other) == plain.user(other), "all others are read as before"


def test_settings_that_are_changed_keep_nothing_of_before() -> None:
    before = IdentitySettings(mapping={"ann": "U1"})
    assert (before.user("u1"), before.user("u2")) == ("U1", "u2")
    after = before.changed(mapping={"ann": "U2"})
    assert (after.user("u1"), after.user("u2")) == ("u1", "U2")
    assert after.fingerprint != before.fingerprint


@given(NAMES, st.booleans())
def test_a_pattern_matches_the_user_of_every_owner_that_it_is_written_for(name: str, fold: bool) -> None:
    identity = IdentitySettings(fold_case=fold)
    for pattern in (name, name + "*", name[:-1] + "?", "*" + name[1:]):
        for owner in (name, f"CORP\\{name}", f"{name}@corp.example"):
            assert fnmatchcase(identity.user(owner), identity.user_pattern(pattern))


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("*@corp.example", "strip_domain is set"),
        ("oncall-*@*", "strip_domain is set"),
        ("-*", "begin with a letter or digit"),
        ("[!a-z0-9]", "begin with a letter or digit"),
        ("ann[", "can match no user id"),
        ("[Z-a]nn", "can match no user id"),
    ],
)
def test_a_pattern_that_can_match_no_user_is_refused_with_the_reason(pattern: str, told: str) -> None:
    with pytest.raises(InvalidUser, match=told):
        IdentitySettings().user_pattern(pattern)


def test_a_pattern_with_a_domain_is_right_where_domains_stay() -> None:
    assert IdentitySettings(strip_domain=False).user_pattern("*@Corp.example") == "*@corp.example"


def test_a_pattern_that_matches_a_user_of_the_mapping_stays_as_it_is() -> None:
    identity = IdentitySettings(mapping={"ann": "U1001", "bob": "boss@corp"})
    assert identity.user_pattern("U1*") == "U1*"
    assert identity.user_pattern("*@corp") == "*@corp"
    assert identity.user_pattern("ONCALL-*") == "oncall-*"
