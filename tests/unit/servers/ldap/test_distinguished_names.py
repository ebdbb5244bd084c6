"""Names of entries: what is written comes back, equal names are equal, and no value leaves its place."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.servers.ldap.distinguished_names import BadName, compared, escape_value, is_below, parse

VALUES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20)
TYPES = st.sampled_from(["cn", "uid", "ou", "CN", "2.5.4.3", "x-own-type"])
NAMES = st.lists(st.lists(st.tuples(TYPES, VALUES), min_size=1, max_size=2), min_size=1, max_size=4)


def written(name: list[list[tuple[str, str]]], *, before: str = "", between: str = ",") -> str:
    return between.join("+".join(f"{before}{kind}={escape_value(value)}" for kind, value in level) for level in name)


@given(NAMES)
def test_what_is_written_comes_back(name: list[list[tuple[str, str]]]) -> None:
    levels = parse(written(name))
    assert len(levels) == len(name)
    for level, expected in zip(levels, name, strict=True):
        assert sorted((part.type, part.value) for part in level) == sorted(
            (kind.lower(), value) for kind, value in expected
        )


@given(NAMES)
def test_blanks_letters_and_order_within_a_level_do_not_count(name: list[list[tuple[str, str]]]) -> None:
    turned = [[(kind.swapcase(), value) for kind, value in reversed(level)] for level in name]
    assert compared(written(name)) == compared(written(turned, before="  ", between=" ; "))


@given(NAMES, st.lists(st.lists(st.tuples(TYPES, VALUES), min_size=1, max_size=2), max_size=3))
def test_what_is_below_a_base(name: list[list[tuple[str, str]]], more: list[list[tuple[str, str]]]) -> None:
    entry, base = parse(written([*more, *name])), parse(written(name))
    assert is_below(entry, base, one_level=False)
    assert is_below(entry, base, one_level=True) == (len(more) == 1)
    assert not is_below(base, parse(written([*name, [("dc", "further")]])), one_level=False)


@given(VALUES, VALUES)
def test_a_value_stays_in_its_place(product: str, other: str) -> None:
    levels = parse(f"cn=licensed-{escape_value(product)},ou=groups,dc=x")
    assert [[part.value for part in level] for level in levels] == [[f"licensed-{product}"], ["groups"], ["x"]]
    same = compared(f"cn={escape_value(product)},dc=x") == compared(f"cn={escape_value(other)},dc=x")
    assert same == (
        parse(f"cn={escape_value(product)}")[0][0].compared == parse(f"cn={escape_value(other)}")[0][0].compared
    )


@given(st.text(max_size=40))
def test_any_text_is_a_name_or_is_refused_and_is_equal_to_itself(text: str) -> None:
    assert compared(text) == compared(text)
    with contextlib.suppress(BadName):
        parse(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cn=Ann Example,dc=x", "CN=ann   example, DC=X"),
        ("cn=Doe\\, John,dc=x", "cn=Doe\\2C John,dc=x"),
        ("cn=\\20a,dc=x", "cn=\\ a,dc=x"),
        ("cn=caf\\c3\\a9,dc=x", "cn=caf\u00e9,dc=x"),
        ("cn=Stra\u00dfe", "cn=STRASSE"),
        ("cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x"),
        ("commonName=a,domainComponent=x", "cn=a,dc=x"),
        ("OID.2.5.4.3=a", "2.5.4.3=a"),
        ("cn=a;dc=x", "cn=a,dc=x"),
        ("cn=#616E6E", "cn=#616e6e"),
    ],
)
def test_two_ways_of_writing_one_name(one: str, other: str) -> None:
    assert compared(one) == compared(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cn=a,dc=x", "cn=a,dc=y"),
        ("cn=a\\,dc\\=x", "cn=a,dc=x"),
        ("cn=a,ou=b,dc=x", "cn=a,dc=x"),
        ("cn=a+uid=b", "cn=a,uid=b"),
        ("cn=a", "uid=a"),
        ("cn=#61", "cn=a"),
        ("no name", "NO NAME"),
    ],
)
def test_two_names(one: str, other: str) -> None:
    assert compared(one) != compared(other)


@pytest.mark.parametrize("text", ["ann", "=a", "cn", "cn=a,", "cn=a,,dc=x", "cn=a+", "cn=a\\", "c n=a", "cn=a,b"])
def test_what_is_no_name(text: str) -> None:
    with pytest.raises(BadName):
        parse(text)


def test_the_name_of_nothing_is_the_root() -> None:
    assert parse("") == ()
    assert is_below(parse("cn=a"), (), one_level=True)
