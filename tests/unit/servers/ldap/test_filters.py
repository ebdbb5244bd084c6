"""Filters: whatever a name is, the filter asks for that name and for nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.operation.search import MATCH_EQUAL, MATCH_SUBSTRING, parse_filter
from ldap3.protocol.convert import prepare_filter_for_sending

from seatpool.servers.ldap.distinguished_names import parse
from seatpool.servers.ldap.filters import any_of, any_user_filter, both, entry_filter, has_no_mark_filter, user_filter

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


def read(text: str) -> Any:
    """Returns the filter as the library sends it."""
    return parse_filter(text, None, False, False, None, False).elements[0]


@given(TEXT.filter(lambda text: text == text.strip()))
def test_a_name_is_only_a_value(name: str) -> None:
    node = read(user_filter("(uid={user})", name))
    assert node.tag == MATCH_EQUAL
    assert node.assertion["attr"] == "uid"
    assert bytes(prepare_filter_for_sending(node.assertion["value"])) == name.encode()


@given(st.lists(TEXT.filter(str.strip), min_size=1, max_size=5))
def test_a_filter_of_several_names_has_as_many_parts(names: list[str]) -> None:
    node = read(any_of([user_filter("(&(objectClass=person)(uid={user}))", name) for name in names]))
    parts = node.elements if len(names) > 1 else [node]
    assert len(parts) == len(names)
    assert all([one.assertion["attr"] for one in part.elements] == ["objectClass", "uid"] for part in parts)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("(uid={user})", "(uid=*)"),
        ("uid={user}", "(uid=*)"),
        ("(&(objectCategory=person)(sAMAccountName={user}))", "(&(objectCategory=person)(sAMAccountName=*))"),
        ("(mail={user}@example.com)", "(mail=*@example.com)"),
        ("(uid:caseExactMatch:={user})", "(objectClass=*)"),
    ],
)
def test_the_filter_that_finds_every_user(template: str, expected: str) -> None:
    assert any_user_filter(template) == expected
    read(expected)


def test_an_entry_is_found_by_the_parts_of_its_own_level() -> None:
    assert entry_filter(parse("uid=a*(b)+cn=x\\,y,dc=z")[0]) == "(&(cn=x,y)(uid=a\\2a\\28b\\29))"
    assert entry_filter(parse("cn=#61,dc=z")[0]) is None
    assert entry_filter(parse("cn=\\ff,dc=z")[0]) is None
    assert entry_filter(parse("cn=,dc=z")[0]) is None


def test_the_filter_of_a_first_mark() -> None:
    node = read(both("(cn=a)", has_no_mark_filter("description", "seatpool:")))
    assert node.elements[1].elements[0].tag == MATCH_SUBSTRING
