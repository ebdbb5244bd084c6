"""Whether a glob can match a word at all, against trying every short word."""

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.domain.globs import can_match, count_not_covered

FIRST, REST = "ab", "ab-"
PIECES = ["*", "?", "a", "b", "-", "Z", "[", "]", "[a]", "[!a]", "[!ab-]", "[a-b]", "[Z]", "[]a]", "[!]"]
LONG_WORDS = ["".join(word) for length in range(1, 7) for word in product(REST, repeat=length) if word[0] in FIRST]
WORDS = [word for word in LONG_WORDS if len(word) <= 4]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=4).map("".join))
def test_a_glob_can_match_if_some_word_does(pattern: str) -> None:
    found = any(fnmatchcase(word, pattern) for word in WORDS)
    assert can_match(pattern, first=FIRST, rest=REST, longest=4) is found


@pytest.mark.parametrize(("pattern", "can"), [("????", True), ("?????", False), ("*????", True), ("*-???", False)])
def test_the_longest_word_counts(pattern: str, can: bool) -> None:
    assert can_match(pattern, first=FIRST, rest=REST, longest=4) is can


GLOBS = st.lists(st.sampled_from(PIECES), min_size=1, max_size=3).map("".join)
MOST = 30


def matched(pattern: str) -> set[str]:
    return {word for word in LONG_WORDS if fnmatchcase(word, pattern)}


def count(patterns: list[str], pattern: str, most: int = MOST) -> int:
    return count_not_covered(patterns, pattern, first=FIRST, rest=REST, most=most)


@settings(max_examples=500)
@given(st.lists(GLOBS, max_size=3), GLOBS, st.integers(1, MOST))
def test_the_words_that_globs_leave_of_another_are_counted(patterns: list[str], pattern: str, most: int) -> None:
    """If globs of at most three parts leave a word of five letters, they leave words without end."""
    left = matched(pattern).difference(*map(matched, patterns))
    endless = any(len(word) > 4 for word in left)
    assert count(patterns, pattern, most) == (most if endless else min(most, len(left)))


def test_two_globs_can_cover_together_what_neither_covers_alone() -> None:
    assert count(["a*", "b*", "[!ab]*"], "*") == 0
    assert count(["a*", "b?*"], "*") == 1
    assert count(["*b*", "*-*"], "*") == MOST


def test_globs_with_too_many_places_to_try_are_not_said_to_cover() -> None:
    hard = ["*a" + "?" * number + "*b" for number in range(60)]
    assert count(hard, "*a*a*b") == MOST
