"""Whether a glob can match a word at all, against trying every short word."""

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.domain.globs import can_match, covers, words_of

FIRST, REST = "ab", "ab-"
PIECES = ["*", "?", "a", "b", "-", "Z", "[", "]", "[a]", "[!a]", "[!ab-]", "[a-b]", "[Z]", "[]a]", "[!]"]
WORDS = ["".join(word) for length in range(1, 5) for word in product(REST, repeat=length) if word[0] in FIRST]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join))
def test_a_glob_can_match_if_some_word_does(pattern: str) -> None:
    found = any(fnmatchcase(word, pattern) for word in WORDS)
    assert can_match(pattern, first=FIRST, rest=REST, longest=4) is found


@pytest.mark.parametrize(("pattern", "can"), [("????", True), ("?????", False), ("*????", True), ("*-???", False)])
def test_the_longest_word_counts(pattern: str, can: bool) -> None:
    assert can_match(pattern, first=FIRST, rest=REST, longest=4) is can


GLOBS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join)


def matched(pattern: str) -> set[str]:
    return {word for word in WORDS if fnmatchcase(word, pattern)}


@settings(max_examples=500)
@given(st.lists(GLOBS, max_size=3), GLOBS)
def test_globs_cover_another_if_no_word_of_it_is_left(patterns: list[str], pattern: str) -> None:
    """Globs of at most three parts differ in a word of at most four letters, if they differ at all."""
    left = matched(pattern).difference(*map(matched, patterns))
    assert covers(patterns, pattern, first=FIRST, rest=REST) is (bool(patterns) and not left)


@settings(max_examples=500)
@given(GLOBS)
def test_the_words_of_a_glob_are_all_that_it_matches(pattern: str) -> None:
    found = words_of(pattern, first=FIRST, rest=REST, most=20)
    assert found in (None, matched(pattern))
    assert words_of(pattern, first=FIRST, rest=REST, most=0) in (None, frozenset())


def test_two_globs_can_cover_together_what_neither_covers_alone() -> None:
    assert covers(["a*", "b*", "[!ab]*"], "*", first=FIRST, rest=REST)
    assert not covers(["a*", "b?*"], "*", first=FIRST, rest=REST)


def test_globs_with_too_many_places_to_try_are_not_said_to_cover() -> None:
    hard = ["*a" + "?" * number + "*b" for number in range(60)]
    assert not covers(hard, "*a*a*b", first=FIRST, rest=REST)
