"""Reads and writes one block in the options file of a FlexNet vendor daemon. Every byte outside of the block stays.

The block of a product is

    # BEGIN seatpool PRODUCT
    GROUP group name name ...
    INCLUDE feature GROUP group
    # END seatpool PRODUCT

What is known of the grammar: a line has at most 4,000 characters; a backslash at its end continues it; lines of the same
GROUP add up; names have no blanks. A user may use a feature if no EXCLUDE names the user, and if an INCLUDE names the user
or there is no INCLUDE at all. RESERVE and MAX come before INCLUDE. So what stands outside of the block can undo it, and that
is told: `FileList.notes`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from seatpool.servers.ssm.file_text import FileList, FileText, UnreadableFile, without_end
from seatpool.text import escape_unprintable, format_names

LONGEST_LINE = 4000
"""Characters of a line with its end."""
MOST_NOTES = 10
SHOWN_OF_A_LINE = 120
_MARKER = re.compile(r"\s*#\s*(BEGIN|END)\s+seatpool\s+(\S+)\s*")
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_QUALIFIED = re.compile(r"(.+?):((?:[A-Za-z_]+)=.*)", re.DOTALL)
_BY_USER = ("USER", "GROUP", "USER_GROUP")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """What identifies the block of one product."""

    product: str
    feature: str
    """The feature as INCLUDE names it, maybe with qualifiers: `f:VERSION=2.0`, or `f VERSION=2.0` if it has colons."""
    group: str

    @property
    def include(self) -> str:
        """The line that lets the group in, and nobody else."""
        feature = f'"{self.feature}"' if " " in self.feature else self.feature
        return f"INCLUDE {feature} GROUP {self.group}"


@dataclass(frozen=True, slots=True)
class _Statement:
    number: int
    """Number of its first line, from 1."""
    words: tuple[str, ...]

    @property
    def keyword(self) -> str:
        return self.words[0].upper()

    def __str__(self) -> str:
        line = escape_unprintable(" ".join(self.words))
        return f"line {self.number} ({line[:SHOWN_OF_A_LINE]}{'…' if len(line) > SHOWN_OF_A_LINE else ''})"


def read_list(content: bytes, block: Block) -> FileList:
    """Returns the names in the block, and what undoes them. Raises UnreadableFile."""
    lines = FileText.of(content).lines
    place = _place(lines, block.product)
    everything = tuple(_statements(lines))
    ours, outside = _divided(everything, place)
    ignores_case = _ignores_case(everything)
    names: list[str] = []
    odd: list[str] = []
    includes = 0
    for statement in ours:
        if statement.keyword in ("GROUP", "USER_GROUP") and statement.words[1:2] == (block.group,):
            names += statement.words[2:]
        elif _is_include(statement, block):
            includes += 1
        else:
            odd.append(escape_unprintable(" ".join(statement.words)))
    fold = str.casefold if ignores_case else str
    return FileList(
        names=tuple(names),
        odd=tuple(odd),
        gaps=tuple(_gaps(block, place, names, includes)),
        notes=tuple(_Reader(block, frozenset(map(fold, names)), outside, fold).notes(names)),
        ignores_case=ignores_case,
    )


def write_list(content: bytes, block: Block, names: Sequence[str]) -> bytes:
    """Returns the file with these names in the block. Raises UnreadableFile.

    `names` must not be empty: a feature without any INCLUDE is open to everybody.
    """
    if not names:
        raise ValueError(f"product {block.product}: a block needs a name")
    file = FileText.of(content)
    lines = file.lines
    place = _place(lines, block.product)
    end = file.line_end
    if place is None:
        start = stop = len(lines)
        if lines:
            _refuse_continued(lines, len(lines) - 1, "the block would come right after it")
    else:
        start, stop = place
    written = "".join(f"{line}{end}" for line in _block_lines(block, names, end))
    before, after = "".join(lines[:start]), "".join(lines[stop:])
    if before and not before.endswith("\n"):
        before += end
        written = written.removesuffix(end)
    elif place is not None and not after and not lines[-1].endswith("\n"):
        written = written.removesuffix(end)
    return file.changed_to(before + written + after)


def _block_lines(block: Block, names: Sequence[str], end: str) -> Iterator[str]:
    yield f"# BEGIN seatpool {block.product}"
    line = f"GROUP {block.group}"
    empty = line
    for name in names:
        if len(line) + 1 + len(name) + len(end) > LONGEST_LINE:
            yield line
            line = empty
        line = f"{line} {name}"
    yield line
    yield block.include
    yield f"# END seatpool {block.product}"


def _place(lines: Sequence[str], product: str) -> tuple[int, int] | None:
    """Returns where the block begins, and the line after its end. None: there is none."""
    marks = [
        (number, found[1], found[2])
        for number, line in enumerate(lines)
        if (found := _MARKER.fullmatch(without_end(line))) is not None
    ]
    ours = [(number, kind) for number, kind, name in marks if name == product]
    if not ours:
        return None
    shown = ", ".join(f"{kind} in line {number + 1}" for number, kind in ours)
    if [kind for _, kind in ours] != ["BEGIN", "END"]:
        raise UnreadableFile(
            f"the block of {product} must have one BEGIN and one END below it, but there is {shown}: repair it"
        )
    (start, _), (last, _) = ours
    others = [number + 1 for number, _, _ in marks if start < number < last]
    if others:
        raise UnreadableFile(f"line {others[0]} marks another block inside of that of {product} ({shown}): take it out")
    for number in (start, last):
        if number:
            _refuse_continued(lines, number - 1, f"it continues into the mark in line {number + 1}")
    return start, last + 1


def _refuse_continued(lines: Sequence[str], number: int, why: str) -> None:
    if without_end(lines[number]).rstrip(" \t\r").endswith("\\"):
        raise UnreadableFile(f"line {number + 1} ends with a backslash and {why}: end that line")


def _statements(lines: Sequence[str]) -> Iterator[_Statement]:
    """Yields the lines that say something, joined where a backslash continues them."""
    joined, first = "", 0
    for number, line in enumerate(lines):
        text = without_end(line)
        if not joined:
            first = number
            if text.lstrip().startswith("#"):
                continue
        is_continued = text.endswith("\\")
        joined += text.removesuffix("\\") + " " if is_continued else text
        if is_continued and number + 1 < len(lines):
            continue
        words = tuple(found[1] or found[2] or "" for found in _WORD.finditer(joined))
        joined = ""
        if words:
            yield _Statement(first + 1, words)


def _divided(
    statements: Sequence[_Statement], place: tuple[int, int] | None
) -> tuple[tuple[_Statement, ...], tuple[_Statement, ...]]:
    start, stop = place or (0, 0)
    ours = tuple(statement for statement in statements if start < statement.number <= stop)
    return ours, tuple(statement for statement in statements if not start < statement.number <= stop)


def _ignores_case(statements: Sequence[_Statement]) -> bool:
    return any(
        statement.keyword == "GROUPCASEINSENSITIVE" and [word.upper() for word in statement.words[1:2]] == ["ON"]
        for statement in statements
    )


def _is_include(statement: _Statement, block: Block) -> bool:
    words = statement.words
    return statement.keyword == "INCLUDE" and words[1:] == (block.feature, "GROUP", block.group)


def _gaps(block: Block, place: tuple[int, int] | None, names: Sequence[str], includes: int) -> Iterator[str]:
    if place is None:
        yield f"the file has no block for {block.product}, so its list counts for nothing"
        return
    if not includes:
        yield f"the line {block.include} is missing"
    if includes > 1:
        yield f"the line {block.include} is there {includes} times"
    if not names:
        yield f"GROUP {block.group} has no names"


def _parts(feature: str) -> tuple[str, Mapping[str, str]]:
    """Returns the name and the qualifiers of a feature as an option line names it."""
    if " " in feature:
        name, *qualifiers = feature.split()
    elif (found := _QUALIFIED.fullmatch(feature)) is not None:
        name, qualifiers = found[1], found[2].split(":")
    else:
        return feature.casefold(), {}
    pairs = (qualifier.partition("=") for qualifier in qualifiers)
    return name.casefold(), {key.upper(): value for key, _, value in pairs}


def _overlaps(one: str, other: str) -> bool:
    """Whether two features, as option lines name them, can mean the same licenses."""
    (name, qualifiers), (other_name, other_qualifiers) = _parts(one), _parts(other)
    both = qualifiers.keys() & other_qualifiers.keys()
    return name == other_name and all(qualifiers[key] == other_qualifiers[key] for key in both)


@dataclass(slots=True)
class _Reader:
    """Reads what stands outside of the block for what it does to the list."""

    block: Block
    listed: frozenset[str]
    outside: Sequence[_Statement]
    fold: Callable[[str], str]
    _groups: dict[str, set[str]] = field(default_factory=dict, init=False)
    _excluded: set[str] = field(default_factory=set, init=False)

    def notes(self, names: Sequence[str]) -> Iterator[str]:
        """Yields sentences without their end, a limited number."""
        for statement in self.outside:
            if statement.keyword in ("GROUP", "USER_GROUP") and len(statement.words) > 1:
                members = self._groups.setdefault(statement.words[1], set())
                members.update(map(self.fold, statement.words[2:]))
        found = [note for statement in self.outside for note in self._shut_out(statement)]
        found += [note for statement in self.outside for note in self._let_in(statement)]
        found += [note for statement in self.outside for note in self._limited(statement)]
        if len(set(names)) != len(self.listed):
            found.append("GROUPCASEINSENSITIVE is ON, and the list has names that differ in capital letters only")
        yield from found[:MOST_NOTES]
        if len(found) > MOST_NOTES:
            yield f"and {len(found) - MOST_NOTES} more lines of the file do so"

    def _target(self, statement: _Statement) -> tuple[str, str] | None:
        """Returns type and name that an INCLUDE or EXCLUDE of our feature is for. None: it is for another feature."""
        words = statement.words
        if statement.keyword in ("INCLUDE", "EXCLUDE") and len(words) > 3 and _overlaps(words[1], self.block.feature):
            return words[2].upper(), words[3]
        if statement.keyword in ("INCLUDEALL", "EXCLUDEALL") and len(words) > 2:
            return words[1].upper(), words[2]
        return None

    def _members(self, kind: str, name: str) -> Collection[str]:
        if kind == "USER":
            return {self.fold(name)}
        members = self._groups.get(name, set())
        return members | self.listed if name == self.block.group else members

    def _shut_out(self, statement: _Statement) -> Iterator[str]:
        target = self._target(statement) if statement.keyword.startswith("EXCLUDE") else None
        if target is None or target[0] not in _BY_USER:
            return
        members = set(self._members(*target))
        self._excluded |= members
        if shut_out := sorted(members & self.listed):
            yield f"{statement} shuts out {_named(shut_out)}"

    def _let_in(self, statement: _Statement) -> Iterator[str]:
        words = statement.words
        if statement.keyword in ("GROUP", "USER_GROUP") and words[1:2] == (self.block.group,):
            others = {self.fold(word) for word in words[2:]} - self.listed - self._excluded
            if others:
                yield f"{statement} lets in {_named(sorted(others))}: another group name would be right there"
            return
        target = self._target(statement) if statement.keyword.startswith("INCLUDE") else None
        if target is None or (target[0] in _BY_USER and target[1] == self.block.group):
            return
        if target[0] not in _BY_USER:
            yield f"{statement} lets in users who are not on the list"
        elif others := set(self._members(*target)) - self.listed - self._excluded:
            yield f"{statement} lets in {_named(sorted(others))}"

    def _limited(self, statement: _Statement) -> Iterator[str]:
        words = statement.words
        if statement.keyword not in ("RESERVE", "MAX") or len(words) < 5 or not _overlaps(words[2], self.block.feature):
            return
        number, kind, name = words[1], words[3].upper(), words[4]
        if not number.isdecimal():
            return
        is_for_all = name in ("ALL_USERS", "ALL_GROUPS")
        if statement.keyword == "RESERVE":
            if kind not in _BY_USER or not set(self._members(kind, name)) <= self.listed:
                yield f"{statement} takes {number} licenses from the list"
        elif kind in ("GROUP", "USER_GROUP") and (name == self.block.group or is_for_all):
            if int(number) < len(self.listed):
                yield f"{statement} lets only {number} of the {len(self.listed)} on the list have a license at a time"
        elif kind == "USER" and int(number) == 0 and (is_for_all or self.fold(name) in self.listed):
            yield f"{statement} shuts out {'everybody' if is_for_all else escape_unprintable(name)}"


def _named(names: Sequence[str]) -> str:
    return format_names(map(escape_unprintable, names))
