"""Lists that are a part of a file: what stays, what changes, and what is refused."""

import csv
import io
import json
import re
from configparser import ConfigParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.api.list_backends import ListFileFormat
from seatpool.servers.ssm.file_text import UnreadableFile
from seatpool.servers.ssm.list_file import ListPlace, read_list, write_list

NAMES = st.lists(
    st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,20}"), fullmatch=True), unique=True, max_size=12
)
ENDS = st.sampled_from(("\n", "\r\n"))
LINES = ListPlace(format=ListFileFormat.LINES)
INI = ListPlace(format=ListFileFormat.INI, section="users of vew")
JSON = ListPlace(format=ListFileFormat.JSON, keys=("products", "vew", "users"))
CSV = ListPlace(format=ListFileFormat.CSV, column="login")
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters='"'), max_size=12)


def lines(*given: str, end: str = "\n") -> bytes:
    return "".join(f"{line}{end}" for line in given).encode()


# -- Lines --------------------------------------------------------------------------------------------------------------


@given(NAMES, NAMES, st.lists(WORDS, max_size=5), ENDS, st.booleans())
def test_lines_keep_comments_blanks_and_the_names_that_stay(
    old: list[str], new: list[str], comments: list[str], end: str, has_last_end: bool
) -> None:
    before = ["# head", "", *(f"# {comment}" for comment in comments), "# list", *old]
    content = lines(*before, end=end)
    if not has_last_end:
        content = content.removesuffix(end.encode())
    assert read_list(content, LINES).names == tuple(old)
    written = write_list(content, LINES, new)
    assert set(read_list(written, LINES).names) == set(new)
    stay = [line for line in before if line not in old or line in new]
    assert [line for line in written.decode().split(end) if line in stay or line.startswith("#")][: len(stay)] == stay
    assert write_list(written, LINES, new) == written
    assert set(written.decode().replace(end, "")) <= set("".join((*before, *new)))


def test_lines_are_added_below_the_last_name() -> None:
    assert write_list(b"# a\nann\n\n# end\n", LINES, ("ann", "bob")) == b"# a\nann\nbob\n\n# end\n"
    assert write_list(b"# only\n", LINES, ("ann",)) == b"# only\nann\n"
    assert write_list(b"", LINES, ("ann",)) == b"ann\n"
    assert write_list(b"ann", LINES, ("ann", "bob")) == b"ann\nbob"
    assert write_list(b"ann\nbob", LINES, ("ann", "zoe")) == b"ann\nzoe"
    assert write_list(b"ann\r\n", LINES, ()) == b""


def test_a_second_copy_of_a_name_and_entries_that_are_no_names_go_with_the_next_write() -> None:
    content = b"ann\nann\nJohn Smith\n\xff\xfe\n# caf\xe9\n"
    assert read_list(content, LINES).names[:3] == ("ann", "ann", "John Smith")
    assert write_list(content, LINES, ("ann",)) == b"ann\n# caf\xe9\n"


# -- Ini ----------------------------------------------------------------------------------------------------------------


@given(NAMES, NAMES, ENDS, st.sampled_from(("", "=", " = 1", ": x = y")))
def test_a_section_gets_keys_and_all_others_stay(old: list[str], new: list[str], end: str, value: str) -> None:
    before = lines("; head", "[other]", "ann = 5", "", "[users of vew]", "; ours", end=end)
    behind = lines("", "[after]", "users = a", "  b", end=end)
    content = before + lines(*(f"{name}{value}" for name in old), end=end) + behind
    assert read_list(content, INI).names == tuple(old)
    written = write_list(content, INI, new)
    assert written.startswith(before)
    assert written.endswith(behind)
    assert set(read_list(written, INI).names) == set(new)
    ours = written.removeprefix(before).removesuffix(behind).decode()
    assert all(line.endswith(value) for line in ours.split(end)[:-1] if old)
    parser = ConfigParser(allow_no_value=True, interpolation=None, strict=False, delimiters=("=", ":"))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(written.decode())
    assert set(parser["users of vew"]) == set(new)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[x]\n", "there is no section [users of vew]"),
        (b"[users of vew]\n[users of vew]\n", "twice, the second time in line 2"),
        (b"[users of vew]\nann = 1\n  more\n", "line 3 in section [users of vew] begins with blanks"),
        (b"[users of vew]\nann\rbob\n", "line 2 has a carriage return"),
    ],
)
def test_a_section_that_cannot_be_read_for_sure_is_refused(content: bytes, sentence: str) -> None:
    refused(content, INI, sentence)


# -- Json ---------------------------------------------------------------------------------------------------------------

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    NAMES, NAMES, st.dictionaries(st.text(max_size=5), VALUES, max_size=3),
    st.sampled_from((None, 1, 2, 4, "\t")), st.booleans(), st.booleans(),
)  # fmt: skip
def test_an_array_is_written_and_every_other_byte_stays(
    old: list[str], new: list[str], other: dict[str, object], indent: int | str | None, is_ascii: bool, has_end: bool
) -> None:
    value = {**other, "products": {"a": other, "vew": {"x": [1.50, "ann"], "users": old, "z": other}}, "zz": other}
    text = json.dumps(value, indent=indent, ensure_ascii=is_ascii) + ("\n" if has_end else "")
    try:
        content = text.encode()
    except UnicodeEncodeError:
        return
    assert read_list(content, JSON).names == tuple(old)
    written = write_list(content, JSON, new)
    found = json.loads(written)
    assert set(found["products"]["vew"]["users"]) == set(new)
    assert len(found["products"]["vew"]["users"]) == len(new)
    found["products"]["vew"]["users"] = old
    assert found == json.loads(content)
    if old and new:
        found["products"]["vew"]["users"] = [*(n for n in old if n in new), *(n for n in new if n not in old)]
        assert written.decode() == json.dumps(found, indent=indent, ensure_ascii=is_ascii) + ("\n" if has_end else "")
    assert write_list(written, JSON, new) == written


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is no JSON"),
        (b"{", "the file is no JSON"),
        (b"[" * 100_000, "the file is no JSON"),
        (b"[]", "at the top there is no object with the key 'products'"),
        (b'{"products": {}}', "at products there is no key 'vew': add it with an empty array"),
        (b'{"products": {"vew": {"users": {}}}}', "at products.vew.users there is no array"),
        (b'{"products": {"vew": {"users": ["a", 5]}}}', "element 2 of the array at products.vew.users is no string"),
        (b'{"products": {"vew": {"users": []}}, "products": {}}', "the key 'products' is at the top twice"),
    ],
)
def test_json_without_one_array_of_strings_is_refused(content: bytes, sentence: str) -> None:
    refused(content, JSON, sentence)


def test_an_array_can_be_the_whole_file() -> None:
    top = ListPlace(format=ListFileFormat.JSON)
    assert write_list(b' ["ann",  "bob"]\n', top, ("bob", "zoe")) == b' ["bob", "zoe"]\n'
    assert write_list(b'["ann","bob"]', top, ("bob", "zoe")) == b'["bob","zoe"]'
    assert write_list(b"[]", top, ("ann",)) == b'["ann"]'
    assert write_list(b'\xef\xbb\xbf[\n  "ann"\n]\n', top, ("ann", "bob")) == b'\xef\xbb\xbf[\n  "ann",\n  "bob"\n]\n'


def test_an_empty_array_of_an_indented_file_is_filled_as_the_file_is_indented() -> None:
    content = b'{\r\n  "products": {\r\n    "vew": {\r\n      "users": []\r\n    }\r\n  }\r\n}\r\n'
    written = write_list(content, JSON, ("ann", "bob"))
    assert b'"users": [\r\n        "ann",\r\n        "bob"\r\n      ]\r\n' in written
    assert write_list(written, JSON, ()) == content


# -- Csv ----------------------------------------------------------------------------------------------------------------

CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff"), max_size=8).map(str.strip)


@given(NAMES, NAMES, st.lists(st.tuples(CELLS, CELLS), min_size=12, max_size=12), st.sampled_from(",;\t"), ENDS)
def test_rows_of_those_who_stay_are_kept(
    old: list[str], new: list[str], cells: list[tuple[str, str]], delimiter: str, end: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    text.write(delimiter.join(("name", "login", "note")) + end)
    rows = {}
    for login, (name, note) in zip(old, cells, strict=False):
        start = text.tell()
        writer.writerow((name, login, note))
        rows[login] = text.getvalue()[start:]
    content = text.getvalue().encode()
    assert read_list(content, CSV).names == tuple(old)
    written = write_list(content, CSV, new).decode()
    assert set(read_list(written.encode(), CSV).names) == set(new)
    assert all((rows[login] in written) == (login in new) for login in old)
    found = list(csv.DictReader(io.StringIO(written, newline=""), delimiter=delimiter))
    assert [row["login"] for row in found if row["login"] in old] == [login for login in old if login in new]
    assert all(row["name"] == row["note"] == "" for row in found if row["login"] not in old)


def test_a_field_with_line_ends_belongs_to_its_row() -> None:
    content = b'login,note\nann,"two\nlines"\nbob,x\n'
    assert read_list(content, CSV).names == ("ann", "bob")
    assert write_list(content, CSV, ("bob",)) == b"login,note\nbob,x\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "the file is empty: its first line must name the column login"),
        (b"name,user\n", "must name the column login once; it has name, user"),
        (b"login,login\n", "must name the column login once"),
        (b"login,note\nann\n", "line 2 has 1 fields, and the first line has 2"),
        (b'login,note\nann,"x\n', "a quotation mark that opens in line 2 is never closed"),
        (b'login,note\n"ann"x,y\n', "line 2 is no CSV"),
        (b"login\rann\rbob\r", "carriage return"),
    ],
)
def test_a_table_that_cannot_be_read_for_sure_is_refused(content: bytes, sentence: str) -> None:
    refused(content, CSV, sentence)


# -- all ----------------------------------------------------------------------------------------------------------------


def refused(content: bytes, place: ListPlace, sentence: str) -> None:
    for act in (lambda: read_list(content, place), lambda: write_list(content, place, ("ann",))):
        with pytest.raises(UnreadableFile) as error:
            act()
        assert sentence in str(error.value)


@pytest.mark.parametrize("place", [LINES, INI, JSON, CSV], ids=lambda place: place.format.value)
@given(content=st.binary(max_size=120))
def test_any_bytes_are_read_or_refused_with_a_sentence(place: ListPlace, content: bytes) -> None:
    try:
        listed = read_list(content, place)
        written = write_list(content, place, ("ann",))
    except UnreadableFile:
        return
    assert "ann" in read_list(written, place).names
    if set(listed.names) == {"ann"} and len(listed.names) == 1:
        assert written == content
