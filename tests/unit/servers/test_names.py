"""Names on a license server and user ids are two ways of one value."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.list_names import LetterCase, ListNames
from seatpool.servers.names import PLAIN, NameRendering, Unlistable

USERS = st.text(string.ascii_letters + string.digits + "._@+-", min_size=1, max_size=12)
PARTS = st.text(string.ascii_letters + "@.-", max_size=5)
NAMES = st.builds(
    lambda before, after, case: ListNames(template=f"{before}{{user}}{after}", case=case),
    PARTS,
    PARTS,
    st.sampled_from(LetterCase),
)


@given(NAMES, USERS, st.booleans())
def test_a_name_comes_back_as_the_user_that_it_was_made_of_or_is_refused(
    names: ListNames, user: str, ignores_case: bool
) -> None:
    rendering = NameRendering.of(names, ignores_case=ignores_case)
    if rendering.case is not LetterCase.AS_IS and user != user.lower():
        with pytest.raises(Unlistable, match=r"has capital letters"):
            rendering.name(user)
        return
    name = rendering.name(user)
    assert rendering.user(name) == user
    if rendering.case is not LetterCase.AS_IS:
        assert rendering.user(name.swapcase()) == user


@given(NAMES, USERS, USERS)
def test_two_users_have_two_names(names: ListNames, one: str, other: str) -> None:
    rendering = NameRendering.of(names)
    try:
        same = rendering.name(one) == rendering.name(other)
    except Unlistable:
        return
    assert same is (one == other)


@pytest.mark.parametrize(
    ("template", "case", "user", "name"),
    [
        ("{user}", LetterCase.AS_IS, "ann", "ann"),
        ("{user}@example.com", LetterCase.AS_IS, "ann", "ann@example.com"),
        ("{user}@example.com", LetterCase.UPPER, "ann", "ANN@example.com"),
        ("CORP.{user}", LetterCase.LOWER, "ann", "CORP.ann"),
    ],
)
def test_the_name_of_a_user(template: str, case: LetterCase, user: str, name: str) -> None:
    assert NameRendering.of(ListNames(template=template, case=case)).name(user) == name


@pytest.mark.parametrize("name", ["bob", "bob@example.org", "@example.com", ""])
def test_a_name_of_another_form_is_no_user_of_ours(name: str) -> None:
    assert NameRendering.of(ListNames(template="{user}@example.com")).user(name) is None


def test_a_server_that_ignores_case_is_read_in_lower_case() -> None:
    rendering = NameRendering.of(ListNames(), ignores_case=True)
    assert (rendering.user("ANN"), rendering.name("ann")) == ("ann", "ann")
    assert not rendering.is_plain
    assert PLAIN.is_plain
