"""Reads and writes a list that is a part of a file. Every byte outside of the list stays.

| format | the list | what a write changes |
| --- | --- | --- |
| Lines | every line but blank ones and those that begin with # | takes out lines, and adds lines below the last one |
| Ini | the keys of one section | takes out keys with their values, and adds keys below the last one |
| Json | an array of strings | the array alone is written anew, in the way it was: one line, or one line a name |
| Csv | one column | takes out whole rows, and adds rows that have the name alone |

A name that stays keeps its place and its line. A file that cannot be read for sure is refused.
"""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from json.decoder import JSONDecodeError, JSONDecoder

from seatpool.api.list_backends import ListFileFormat
from seatpool.servers.ssm.file_text import FileList, FileText, UnreadableFile, lines_of, without_end
from seatpool.text import escape_unprintable

SHOWN = 80
_DELIMITERS = (",", ";", "\t")
_BLANKS = " \t\r\n"
_DECODER = JSONDecoder()
_SECTION = re.compile(r"\s*\[([^\]\n]*)\]\s*")
_COMMENT = ("#", ";")
_KEY = re.compile(r"([^=:]*?)(\s*(?:[=:].*)?)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlace:
    """Where in a file the list of one product is."""

    format: ListFileFormat
    section: str = ""
    """Ini: the name of the section."""
    keys: tuple[str, ...] = ()
    """Json: the keys that lead to the array, from the top."""
    column: str = ""
    """Csv: the name of the column in the first line."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A piece of a file: a name of the list, or what stays in any case."""

    text: str
    name: str | None = None


def read_list(content: bytes, place: ListPlace) -> FileList:
    """Returns the names of a list. Raises UnreadableFile."""
    file = FileText.of(content)
    if place.format is ListFileFormat.JSON:
        return FileList(names=tuple(_Array.find(file.text, place.keys).names))
    return FileList(names=tuple(entry.name for entry in _entries(file, place) if entry.name is not None))


def write_list(content: bytes, place: ListPlace, names: Sequence[str]) -> bytes:
    """Returns the file with these names on the list. Raises UnreadableFile."""
    file = FileText.of(content)
    if place.format is ListFileFormat.JSON:
        return file.changed_to(_Array.find(file.text, place.keys).changed_to(names))
    match place.format:
        case ListFileFormat.LINES:
            entries, start = list(_lines(file.lines)), None
        case ListFileFormat.INI:
            entries, start = _ini(file.lines, place.section)
        case _:
            entries, start = _csv(file, place.column)
    return file.changed_to(_changed(entries, names, file, start=start, place=place))


def _entries(file: FileText, place: ListPlace) -> Sequence[_Entry]:
    match place.format:
        case ListFileFormat.LINES:
            return list(_lines(file.lines))
        case ListFileFormat.INI:
            return _ini(file.lines, place.section)[0]
        case _:
            return _csv(file, place.column)[0]


def _changed(
    entries: Sequence[_Entry], names: Sequence[str], file: FileText, *, start: int | None, place: ListPlace
) -> str:
    """Returns the text with the names that stay where they are, and the others below the last name.

    `start`: where names are added if none is there. None: at the end.
    """
    wanted, left = set(names), list(dict.fromkeys(names))
    kept: list[str] = []
    last: int | None = None
    pattern: _Entry | None = None
    for number, entry in enumerate(entries):
        if number == start and last is None:
            last = len(kept)
        if entry.name is None:
            kept.append(entry.text)
            continue
        pattern = entry
        if entry.name in wanted:
            wanted.discard(entry.name)
            kept.append(entry.text)
        last = len(kept)
    added = [_new_line(name, pattern, file, place) for name in left if name in wanted]
    if last is None:
        last = len(kept)
    if added and last and kept[last - 1] and not kept[last - 1].endswith("\n"):
        kept[last - 1] += file.line_end
        added[-1] = without_end(added[-1])
    elif added and last == len(kept) and entries and not entries[-1].text.endswith("\n"):
        added[-1] = without_end(added[-1])
    return "".join((*kept[:last], *added, *kept[last:]))


def _new_line(name: str, pattern: _Entry | None, file: FileText, place: ListPlace) -> str:
    """Returns the line of a name that is added. An INI key has the value that the last one had."""
    match place.format:
        case ListFileFormat.INI if pattern is not None:
            found = _KEY.fullmatch(without_end(pattern.text).strip())
            return f"{name}{found[2] if found is not None else ''}{file.line_end}"
        case ListFileFormat.CSV:
            header = next(iter(_records(file.text)))
            delimiter = _delimiter(header)
            titles = _fields(header, delimiter, 1)
            cells = [name if title.strip() == place.column else "" for title in titles]
            return f"{delimiter.join(cells)}{file.line_end}"
        case _:
            return f"{name}{file.line_end}"


def _lines(lines: Sequence[str]) -> Iterator[_Entry]:
    for number, line in enumerate(lines, start=1):
        text = without_end(line)
        _refuse_lone_return(text, number)
        name = text.strip()
        yield _Entry(line, None if not name or name.startswith("#") else name)


def _ini(lines: Sequence[str], section: str) -> tuple[list[_Entry], int | None]:
    """Returns the entries, and where the first key would come."""
    found: list[_Entry] = []
    start: int | None = None
    is_inside = False
    for number, line in enumerate(lines, start=1):
        text = without_end(line)
        header = _SECTION.fullmatch(text)
        if header is not None:
            is_inside = header[1].strip() == section
            if is_inside and start is not None:
                raise UnreadableFile(f"section [{section}] is there twice, the second time in line {number}: join them")
            found.append(_Entry(line))
            if is_inside:
                start = len(found)
            continue
        stripped = text.strip()
        if not is_inside or not stripped or stripped.startswith(_COMMENT):
            found.append(_Entry(line))
            if is_inside and stripped:
                start = len(found)
            continue
        _refuse_lone_return(text, number)
        if text[0] in " \t":
            raise UnreadableFile(
                f"line {number} in section [{section}] begins with blanks, so it may belong to the line before: "
                "move it to the left"
            )
        key = _KEY.fullmatch(stripped)
        found.append(_Entry(line, key[1].strip() if key is not None else stripped))
    if start is None:
        raise UnreadableFile(f"there is no section [{section}]: add it, without keys")
    return found, start


def _csv(file: FileText, column: str) -> tuple[list[_Entry], int | None]:
    records = list(_records(file.text))
    if not records:
        raise UnreadableFile(f"the file is empty: its first line must name the column {column}")
    header, *rows = records
    delimiter = _delimiter(header)
    titles = [title.strip() for title in _fields(header, delimiter, 1)]
    if titles.count(column) != 1:
        shown = ", ".join(escape_unprintable(title) for title in titles)
        raise UnreadableFile(f"the first line must name the column {column} once; it has {shown[:SHOWN]}")
    at = titles.index(column)
    found = [_Entry(header)]
    line = 1 + header.count("\n")
    for row in rows:
        if not row.strip():
            found.append(_Entry(row))
        else:
            fields = _fields(row, delimiter, line)
            if len(fields) != len(titles):
                raise UnreadableFile(
                    f"line {line} has {len(fields)} fields, and the first line has {len(titles)}: mend it"
                )
            found.append(_Entry(row, fields[at].strip()))
        line += row.count("\n")
    return found, 1


def _records(text: str) -> Iterator[str]:
    """Yields the records of a CSV text with their ends. A quoted field may have line ends."""
    record, first = "", 0
    for number, line in enumerate(lines_of(text), start=1):
        first = first if record else number
        record += line
        if record.count('"') % 2 == 0:
            yield record
            record = ""
    if record:
        raise UnreadableFile(f"a quotation mark that opens in line {first} is never closed")


def _delimiter(header: str) -> str:
    """Returns the delimiter that the first line has most often."""
    unquoted = re.sub(r'"[^"]*"', "", header)
    return max(_DELIMITERS, key=unquoted.count)


def _fields(record: str, delimiter: str, line: int) -> list[str]:
    text = without_end(record)
    if "\r" in re.sub(r'"[^"]*"', "", text):
        _refuse_lone_return("\r", line)
    try:
        (fields,) = csv.reader([text], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError) as error:
        raise UnreadableFile(f"line {line} is no CSV: {error}") from error
    return fields


def _refuse_lone_return(text: str, number: int) -> None:
    if "\r" in text:
        raise UnreadableFile(f"line {number} has a carriage return that ends no line: save the file with line feeds")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Array:
    """The array of a JSON text."""

    text: str
    start: int
    """Offset of its opening bracket."""
    stop: int
    """Offset behind its closing bracket."""
    names: tuple[str, ...]

    @classmethod
    def find(cls, text: str, keys: Sequence[str]) -> "_Array":
        """Raises UnreadableFile if the keys lead to no array of strings."""
        try:
            json.loads(text)
            at = _skip_blanks(text, 0)
            for number, key in enumerate(keys):
                at = _member(text, at, key, keys[:number])
            value, stop = _DECODER.raw_decode(text, at)
        except (JSONDecodeError, RecursionError, UnicodeError) as error:
            raise UnreadableFile(f"the file is no JSON: {error}") from error
        where = f"at {_shown(keys)}" if keys else "at the top"
        if not isinstance(value, list):
            raise UnreadableFile(f"{where} there is no array: keys must lead to an array of strings")
        for number, name in enumerate(value, start=1):
            if not isinstance(name, str):
                raise UnreadableFile(
                    f"element {number} of the array {where} is no string: only an array of strings is a list"
                )
        return cls(text=text, start=at, stop=stop, names=tuple(value))

    def changed_to(self, names: Sequence[str]) -> str:
        """Returns the whole text with other names in the array. Those that stay keep their order."""
        wanted = set(names)
        kept = [name for name in dict.fromkeys(self.names) if name in wanted]
        whole = [*kept, *(name for name in dict.fromkeys(names) if name not in set(kept))]
        if tuple(whole) == self.names:
            return self.text
        return f"{self.text[: self.start]}{self._array(whole)}{self.text[self.stop :]}"

    def _array(self, names: Sequence[str]) -> str:
        is_ascii = self.text.isascii()
        written = [json.dumps(name, ensure_ascii=is_ascii) for name in names]
        inside = self.text[self.start + 1 : self.stop - 1]
        opening = inside[: len(inside) - len(inside.lstrip(_BLANKS))]
        closing = inside[len(inside.rstrip(_BLANKS)) :]
        if not inside.strip(_BLANKS):
            opening, closing = self._indentation()
        if not written:
            return "[]"
        between = f",{opening}" if "\n" in opening else self._separator(inside)
        return f"[{opening}{between.join(written)}{closing}]"

    def _indentation(self) -> tuple[str, str]:
        """Returns what stands before and behind the names of an array that was empty: as the file is indented elsewhere."""
        line_start = self.text.rfind("\n", 0, self.start) + 1
        line = self.text[line_start : self.start]
        indent = line[: len(line) - len(line.lstrip(" \t"))]
        if not indent:
            return "", ""
        end = "\r\n" if self.text[:line_start].endswith("\r\n") else "\n"
        step = re.search(r"\n([ \t]+)", self.text)
        return f"{end}{indent}{step[1] if step is not None else indent}", f"{end}{indent}"

    def _separator(self, inside: str) -> str:
        if '","' in inside or '", "' in inside:
            return "," if '","' in inside else ", "
        is_close = re.search(r",\s", self.text) is None and re.search(r'":\S', self.text) is not None
        return "," if is_close else ", "


def _member(text: str, at: int, key: str, above: Sequence[str]) -> int:
    """Returns the offset of the value that an object has under a key. The text is valid JSON."""
    where = f"at {_shown(above)}" if above else "at the top"
    if text[at] != "{":
        raise UnreadableFile(f"{where} there is no object with the key {key!r}: see keys")
    found: int | None = None
    at = _skip_blanks(text, at + 1)
    while text[at] != "}":
        name, at = _DECODER.raw_decode(text, at)
        at = _skip_blanks(text, _skip_blanks(text, at) + 1)
        if name == key:
            if found is not None:
                raise UnreadableFile(f"the key {key!r} is {where} twice: take one out")
            found = at
        _, at = _DECODER.raw_decode(text, at)
        at = _skip_blanks(text, at)
        if text[at] == ",":
            at = _skip_blanks(text, at + 1)
    if found is None:
        raise UnreadableFile(f"{where} there is no key {key!r}: add it with an empty array")
    return found


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


def _shown(keys: Sequence[str]) -> str:
    return escape_unprintable(".".join(keys))[:SHOWN]
