"""What a key looks like, and what is none."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatpool.web.authentication import read_token
from seatpool.web.keys.examples import WRITE_EXAMPLES
from seatpool.web.keys.text import PATTERN, Key, looks_like_key, make_key, read_key

ALPHABET = "sp_0123456789abcdefABCXYZ\n\x00é🪑 ."
GOOD = Key(id="00112233445566aa", secret="Z" * 43).text


def test_a_new_key_is_read_back_and_no_two_are_the_same() -> None:
    made = [make_key() for _ in range(200)]
    assert len({one.secret for one in made}) == len({one.id for one in made}) == 200
    for one in made:
        assert re.fullmatch(PATTERN, one.text)
        assert read_key(one.text) == one
        assert looks_like_key(one.text)
        assert read_token(f"Bearer {one.text}") == one.text


@given(st.integers(min_value=0, max_value=len(GOOD) - 1), st.sampled_from("0aZz_"))
def test_a_typing_error_is_seen_before_anything_is_looked_up(place: int, letter: str) -> None:
    wrong = GOOD[:place] + letter + GOOD[place + 1 :]
    assert (read_key(wrong) is None) == (wrong != GOOD)


@given(st.text(ALPHABET, max_size=90) | st.text() | st.from_regex(PATTERN, fullmatch=True))
@example(GOOD + "\n")
@example(" " + GOOD)
@example(GOOD[:-1])
@example(GOOD * 2)
@example(GOOD.replace("0", "٠"))
@example("sp_" + "0" * 20_000)
def test_hostile_texts_are_no_keys(text: str) -> None:
    found = read_key(text)
    assert found is None or found.text == text


def test_neither_the_secret_nor_its_hash_is_shown_by_accident() -> None:
    key = make_key()
    for shown in (repr(key), str(key), f"{key!r}", key.prefix):
        assert key.secret not in shown
        assert key.hash not in shown
    assert key.hash != make_key().hash
    assert len(key.hash) == 64


@pytest.mark.parametrize("name", WRITE_EXAMPLES)
def test_the_keys_of_the_document_are_of_that_form(name: tuple[str, str]) -> None:
    shown = WRITE_EXAMPLES[name].get("key")
    assert shown is None or read_key(shown) is not None
