"""Whether a glob can match a word at all, against trying every short word."""

from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.domain.globs import can_match

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
