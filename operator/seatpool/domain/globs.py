"""Compiles shell globs once, because every event and every allocation matches against them."""

import math
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase, translate
from functools import lru_cache
from itertools import product

_IS_GLOB = re.compile(r"[*?\[]")
_PART = re.compile(r"\[!?\]?[^\]]*\]|.", re.DOTALL)
"""A character of a glob, or a set of characters. A bracket without its end is a character."""
_MOST_STEPS = 5_000
"""Steps of `covers`, some milliseconds."""


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


def words_of(pattern: str, *, first: str, rest: str, most: int) -> frozenset[str] | None:
    """Returns every word that a glob matches, as in `can_match`. None: they are more than `most`, or without end."""
    parts = _PART.findall(pattern)
    if not parts or "*" in parts:
        return None if "*" in parts else frozenset()
    choices = [
        [letter for letter in (rest if number else first) if fnmatchcase(letter, part)]
        for number, part in enumerate(parts)
    ]
    if math.prod(map(len, choices)) > most:
        return None
    return frozenset(map("".join, product(*choices)))


def covers(patterns: Iterable[str], pattern: str, *, first: str, rest: str) -> bool:
    """Whether every word that `pattern` matches is matched by one of `patterns`, as in `can_match`.

    All words are tried together: a state is a place in `pattern`, and the places in `patterns` to which the same letters lead.
    False also if that takes too many steps.
    """
    wanted, others = _Places([pattern]), _Places(patterns)
    letters = _kinds_of_letters((*wanted.parts, *others.parts), first=first, rest=rest)
    begin = (wanted.begin, others.begin, first)
    todo, known, steps = deque([begin]), {begin}, 0
    while todo:
        here, there, allowed = todo.popleft()
        for letter in letters:
            if letter not in allowed or not (moved := wanted.after(here, letter)):
                continue
            steps += 1 + len(there)
            found = (moved, others.after(there, letter), rest)
            if wanted.is_end(found[0]) and not others.is_end(found[1]):
                return False
            if found not in known:
                known.add(found)
                todo.append(found)
        if steps > _MOST_STEPS:
            return False
    return bool(others.globs)


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


def _kinds_of_letters(parts: Iterable[str], *, first: str, rest: str) -> list[str]:
    """Returns one letter for all letters that no part of the globs tells apart."""
    told = set(parts) - {"*", "?"}
    sets = sorted(part for part in told if len(part) > 1)
    kinds: dict[tuple[object, ...], str] = {}
    for letter in rest:
        alike = (letter,) if letter in told else (letter in first, *(_takes(part, letter) for part in sets))
        kinds.setdefault(alike, letter)
    return list(kinds.values())
