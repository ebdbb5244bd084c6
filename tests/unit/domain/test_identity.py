"""Owners' names become user ids that every license server can take, or are refused."""

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.domain.errors import SeatpoolError
from seatpool.domain.identity import InvalidUser, check_user, normalise

KELVIN = "\u212a"
DOTLESS_I = "\u0131"


def user(
    owner: str, *, strip_domain: bool = True, fold_case: bool = True, mapping: Mapping[str, str] | None = None
) -> str:
    return normalise(owner, strip_domain=strip_domain, fold_case=fold_case, mapping=mapping or {})


@pytest.mark.parametrize(
    "owner", ["ann", "ANN", r"CORP\ann", r"Corp\Ann", "ann@corp.example", r"CORP\ann@corp.example"]
)
def test_all_spellings_of_a_person_are_one_user_id(owner: str) -> None:
    assert user(owner) == "ann"


def test_domains_stay_when_they_are_not_to_be_stripped() -> None:
    assert user("Ann@Corp", strip_domain=False) == "ann@corp"


def test_case_stays_when_it_is_not_to_be_folded() -> None:
    assert user(r"CORP\Ann", fold_case=False) == "Ann"


def test_the_mapping_sees_what_stripping_and_folding_left_and_is_asked_once() -> None:
    mapping = {"ann": "a.smith", "a.smith": "nobody", "ANN": "nobody"}
    assert user(r"CORP\ANN", mapping=mapping) == "a.smith"


@pytest.mark.parametrize("owner", [KELVIN + "im", DOTLESS_I + "da", "stra\u00dfe", "\uff41nn"])
def test_folding_never_turns_a_foreign_letter_into_somebody_elses_name(owner: str) -> None:
    assert user(owner) == owner
    with pytest.raises(InvalidUser):
        check_user(user(owner))


@pytest.mark.parametrize("name", ["a", "7", "ann", "Ann.Lee", "a_b-c+d@e.f", "a" * 128])
def test_ordinary_user_ids_pass(name: str) -> None:
    check_user(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ann",
        "ann ",
        "ann\n",
        "a b",
        ".ann",
        "-rf",
        "@corp",
        "a" * 129,
        "a\x00",
        "a;b",
        "$(x)",
        "a,b",
        "\u00e9va",
        "\u0661",
    ],
)
def test_what_a_list_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(InvalidUser):
        check_user(name)


def test_a_refusal_shows_the_value_escaped_and_says_what_is_right() -> None:
    with pytest.raises(SeatpoolError) as caught:
        check_user("a\n\x1b[31m\u202e")
    message = str(caught.value)
    assert r"'a\n\x1b[31m\u202e'" in message
    assert "1 to 128" in message
    assert "begin with a letter or digit" in message


@given(st.text(min_size=1, max_size=5000))
def test_a_refusal_is_one_short_line_of_ascii_whatever_the_value(name: str) -> None:
    try:
        check_user(name)
    except InvalidUser as error:
        message = str(error)
        assert message.isascii()
        assert message.isprintable()
        assert len(message) < 320
        shown = re.match(r"user id (.*) cannot be put on a list", message)
        assert shown is not None
        assert len(shown[1]) <= 80
    else:
        assert name.isascii()
        assert name == name.strip()


@pytest.mark.parametrize("owner", ["seatpool-placeholder", "SEATPOOL-Placeholder", r"CORP\seatpool-placeholder@corp"])
def test_the_placeholder_is_no_user_in_any_spelling(owner: str) -> None:
    with pytest.raises(InvalidUser, match="is no user: it stands for an empty list"):
        check_user(user(owner))
    with pytest.raises(InvalidUser, match="is no user"):
        check_user(user(owner, fold_case=False))
