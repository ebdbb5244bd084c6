"""Compiles shell globs once, because every event and every allocation matches against them."""

import re
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase, translate
from functools import lru_cache
from typing import TypeAlias

_IS_GLOB = re.compile(r"[*?\[]")
_PART = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)
"""A character of a glob, or a set of characters. A bracket without its end is a character."""
_MOST_STEPS = 5_000
"""Steps of `count_not_covered`, some milliseconds."""

_State: TypeAlias = tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]], str]


def matcher(patterns: Iterable[str]) -> Callable[[str], bool]:
    """Returns a test that is True if a text matches any of the globs, as in `fnmatch.fnmatchcase`."""
    every = tuple(patterns)
    literal = frozenset(pattern for pattern in every if not _IS_GLOB.search(pattern))
    compiled = [re.compile(translate(pattern)).match for pattern in every if pattern not in literal]
    if not compiled:
        return literal.__contains__
    return lambda text: text in literal or any(match(text) is not None for match in compiled)


def can_match(pattern: str, *, first: str, rest: str, longest: int) -> bool:
    """Whether a glob matches any word of 1 to `longest` characters that begins with one of `first` and goes on in `rest`.

    `rest` has all characters of `first`.
    """
    parts = [part for part in _PART.findall(pattern) if part != "*"]
    begins_free = pattern.startswith("*")
    allowed = [any(fnmatchcase(one, part) for one in rest) for part in parts]
    if not parts:
        return begins_free
    can_begin = any(fnmatchcase(one, parts[0]) for one in first)
    if not all(allowed) or len(parts) > longest:
        return False
    return can_begin or (begins_free and len(parts) < longest)


def count_not_covered(patterns: Iterable[str], pattern: str, *, first: str, rest: str, most: int) -> int:
    """Returns how many words `pattern` matches, as in `can_match`, that none of `patterns` matches. At most `most`.

    All words are tried together: a state is a place in `pattern`, and the places in `patterns` to which the same letters lead.
    `most` also if that takes too many steps.
    """
    wanted, others = _Places([pattern]), _Places(patterns)
    letters = _kinds_of_letters((*wanted.parts, *others.parts), first=first, rest=rest)
    begin = (wanted.begin, others.begin, first)
    moves: dict[_State, Counter[_State]] = {}
    todo, steps = deque([begin]), 0
    while todo:
        state = todo.popleft()
        if state in moves:
            continue
        here, there, allowed = state
        moves[state] = Counter()
        for letter, alike in letters.items():
            if letter not in allowed or not (moved := wanted.after(here, letter)):
                continue
            steps += 1 + len(there)
            moves[state][moved, others.after(there, letter), rest] += alike
        todo.extend(moves[state])
        if steps > _MOST_STEPS:
            return most
    ends = {state for state in moves if wanted.is_end(state[0]) and not others.is_end(state[1])}
    useful = _leading_to(ends, moves)
    total, at = 0, Counter({begin: 1})
    for _ in moves:
        after = Counter[_State]()
        for state, words in at.items():
            for then, alike in moves[state].items():
                if then in useful:
                    after[then] += words * alike
        total, at = total + sum(words for state, words in after.items() if state in ends), after
        if total >= most:
            return most
    return most if at else total


def _leading_to(ends: set[_State], moves: Mapping[_State, Iterable[_State]]) -> set[_State]:
    """Returns the states from which one of `ends` can be reached, and these."""
    before = defaultdict[_State, list[_State]](list)
    for state, following in moves.items():
        for then in following:
            before[then].append(state)
    found, todo = set(ends), deque(ends)
    while todo:
        new = [state for state in before[todo.popleft()] if state not in found]
        found.update(new)
        todo.extend(new)
    return found


class _Places:
    """The places in some globs that a word can have come to. A place is a glob and a number of its parts."""

    def __init__(self, patterns: Iterable[str]) -> None:
        self.globs = [_PART.findall(pattern) for pattern in patterns]
        self.parts = frozenset(part for parts in self.globs for part in parts)
        self.begin = frozenset(place for index in range(len(self.globs)) for place in self._closed(index, 0))

    def after(self, places: frozenset[tuple[int, int]], letter: str) -> frozenset[tuple[int, int]]:
        """Returns the places after one more letter."""
        found = set[tuple[int, int]]()
        for index, at in places:
            parts = self.globs[index]
            if at < len(parts) and (parts[at] == "*" or _takes(parts[at], letter)):
                found.update(self._closed(index, at if parts[at] == "*" else at + 1))
        return frozenset(found)

    def is_end(self, places: frozenset[tuple[int, int]]) -> bool:
        """Whether one of the globs matches what came so far."""
        return any(at == len(self.globs[index]) for index, at in places)

    def _closed(self, index: int, at: int) -> Iterator[tuple[int, int]]:
        """Yields a place, and those that are reached from it without a letter."""
        parts = self.globs[index]
        yield index, at
        while at < len(parts) and parts[at] == "*":
            at += 1
            yield index, at


@lru_cache(maxsize=1 << 14)
def _takes(part: str, letter: str) -> bool:
    """Whether a part of a glob matches a letter."""
    return fnmatchcase(letter, part)


def _kinds_of_letters(parts: Iterable[str], *, first: str, rest: str) -> dict[str, int]:
    """Returns one letter for all letters that no part of the globs tells apart, and how many they are."""
    told = set(parts) - {"*", "?"}
    sets = sorted(part for part in told if len(part) > 1)
    kinds: dict[tuple[object, ...], list[str]] = {}
    for letter in rest:
        alike = (letter,) if letter in told else (letter in first, *(_takes(part, letter) for part in sets))
        kinds.setdefault(alike, []).append(letter)
    return {letters[0]: len(letters) for letters in kinds.values()}
