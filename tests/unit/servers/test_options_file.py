"""The block of an options file, against a reading of the grammar that asks for one user at a time."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.servers.commands import is_user
from seatpool.servers.ssm.file_text import UnreadableFile
from seatpool.servers.ssm.options_file import LONGEST_LINE, Block, read_list, write_list

VEW = Block(product="vew", feature="vew", group="seatpool_vew")
USERS = ("ann", "Ann", "bob", "eve", "zoe")
FILES = 10_000


# -- a second reading of the grammar: slow, user by user, line by line -----------------------------------------------


def statements(content: bytes) -> list[list[str]]:
    text = content.decode("utf-8", "surrogateescape").replace("\r\n", "\n")
    text = re.sub(r"^[ \t]*#[^\n]*(\n|\Z)", "\n", text, flags=re.MULTILINE)
    text = text.replace("\\\n", " ")
    found = []
    for line in text.split("\n"):
        words, quoted = [], line.split('"')
        for number, piece in enumerate(quoted):
            words += [piece] if number % 2 else piece.split()
        if words:
            found.append(words)
    return found


def may_use(content: bytes, user: str, *, feature: str = "vew", qualifier: str | None = None) -> bool:
    lines = statements(content)
    is_one_case = any(line[0].upper() == "GROUPCASEINSENSITIVE" and line[1].upper() == "ON" for line in lines)

    def same(one: str, other: str) -> bool:
        return one.lower() == other.lower() if is_one_case else one == other

    def names_user(kind: str, name: str) -> bool:
        if kind.upper() == "USER":
            return same(name, user)
        if kind.upper() == "GROUP":
            return any(
                line[0].upper() in ("GROUP", "USER_GROUP")
                and line[1] == name
                and any(same(one, user) for one in line[2:])
                for line in lines
            )
        raise AssertionError(kind)

    def is_for_feature(token: str) -> bool:
        name, _, theirs = token.replace(" ", ":").partition(":")
        return name.lower() == feature and (not theirs or qualifier is None or theirs == qualifier)

    included = is_any = False
    for line in lines:
        keyword = line[0].upper()
        if keyword.endswith("CLUDEALL"):
            applies, who = True, line[1:3]
        elif keyword in ("INCLUDE", "EXCLUDE"):
            applies, who = is_for_feature(line[1]), line[2:4]
        else:
            continue
        if not applies:
            continue
        if keyword.startswith("EXCLUDE") and names_user(*who):
            return False
        if keyword.startswith("INCLUDE"):
            is_any = True
            included = included or names_user(*who)
    return included or not is_any


# -- generated files --------------------------------------------------------------------------------------------------


def generated_line(letters: random.Random) -> bytes:
    users = " ".join(letters.choices(USERS, k=letters.randint(0, 3)))
    group = letters.choice(("team", "ops", "seatpool_vew", "seatpool_other"))
    who = letters.choice((f"USER {letters.choice(USERS)}", f"GROUP {letters.choice(('team', 'ops', 'nobody'))}"))
    feature = letters.choice(("vew", "VEW", "other", "vew:VERSION=2.0", '"vew VERSION=2.0"', "vewer"))
    line = letters.choice(
        (
            f"GROUP {group} {users}",
            f"GROUP {letters.choice(('team', 'ops'))} {users}",
            f"User_Group team {users}",
            f"INCLUDE {feature} {who}",
            f"EXCLUDE {feature} {who}",
            f"INCLUDEALL {who}",
            f"EXCLUDEALL {who}",
            "TIMEOUTALL 900",
            "DEBUGLOG +/var/log/vendor.log",
            "# INCLUDE vew USER eve",
            "#",
            "",
            "  \t ",
            "NOLOG IN",
            "GROUPCASEINSENSITIVE ON",
            "include\tvew  \\\n   user \\\n eve",
            "LINGER vew 60 \\",
        )
    )
    return line.encode()


def generated_file(letters: random.Random) -> tuple[bytes, bytes]:
    """Returns what stands before the block and behind it. Both together are a file without a block."""
    end = letters.choice((b"\n", b"\n", b"\r\n"))
    parts = []
    for _ in range(2):
        lines = [generated_line(letters) for _ in range(letters.randint(0, 4))]
        if letters.random() < 0.1:
            lines.append(bytes(letters.randrange(128, 256) for _ in range(9)))
        parts.append(b"".join(line.replace(b"\n", end) + end for line in lines))
    return parts[0], parts[1]


def test_ten_thousand_files_mean_what_the_list_says_or_it_is_told_why_not() -> None:
    letters = random.Random(20)
    seen = {"told": 0, "refused": 0, "meant": 0}
    for _ in range(FILES):
        before, behind = generated_file(letters)
        names = tuple(sorted(letters.sample(USERS, k=letters.randint(1, 3))))
        if before.removesuffix(b"\n").removesuffix(b"\r").endswith(b"\\"):
            with pytest.raises(UnreadableFile, match="ends with a backslash"):
                write_list(before, VEW, ("first",))
            seen["refused"] += 1
            continue
        content = write_list(write_list(before, VEW, ("first",)) + behind, VEW, names)
        assert content.startswith(before)
        assert content.endswith(behind)
        listed = read_list(content, VEW)
        assert (listed.names, listed.odd, listed.gaps) == (names, (), ())
        assert listed.ignores_case == (["GROUPCASEINSENSITIVE", "ON"] in statements(content))
        fold = str.lower if listed.ignores_case else str
        wrong = [user for user in USERS if may_use(content, user) != (fold(user) in set(map(fold, names)))]
        told = [note for note in listed.notes if "capital letters" not in note]
        assert bool(wrong) == bool(told), (content, names, wrong, listed.notes)
        for user in wrong:
            assert any(fold(user) in fold(note) or "more" in note for note in told), (content, user, told)
        seen["told" if wrong else "meant"] += 1
    assert min(seen.values()) > FILES // 50, seen


def test_ten_thousand_files_without_a_block_keep_every_byte() -> None:
    letters = random.Random(21)
    for _ in range(FILES):
        content = b"".join(generated_file(letters))
        if letters.random() < 0.3:
            content = content.removesuffix(b"\n").removesuffix(b"\r")
        if content.rstrip(b"\r\n").rstrip(b" \t").endswith(b"\\"):
            continue
        assert read_list(content, VEW).gaps
        written = write_list(content, VEW, ("ann",))
        assert written.startswith(content)
        assert written.endswith(b"\n") == (content.endswith(b"\n") or not content)
        assert write_list(written, VEW, ("ann",)) == written
        again = write_list(write_list(written, VEW, ("bob", "eve")), VEW, ("ann",))
        assert again == written


@given(st.binary(max_size=200), st.lists(st.sampled_from(("ann", "bob", "c.d@e")), min_size=1, unique=True))
def test_any_bytes_are_kept_or_the_file_is_refused(content: bytes, names: list[str]) -> None:
    try:
        written = write_list(content, VEW, names)
    except UnreadableFile:
        assert b"\0" in content or b"\\" in content
        return
    assert written.startswith(content)
    assert read_list(written, VEW).names == tuple(names)


NAMES = st.from_regex(re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}"), fullmatch=True)


@given(st.lists(NAMES, min_size=1, max_size=200, unique=True))
def test_every_name_that_a_list_can_carry_comes_back(names: list[str]) -> None:
    assert all(map(is_user, names))
    written = write_list(b"A\r\n", VEW, names)
    assert read_list(written, VEW).names == tuple(names)
    assert max(len(line) for line in written.split(b"\n")) < LONGEST_LINE


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_no_line_is_longer_than_the_grammar_allows_and_none_is_cut_early(end: str) -> None:
    longest = 0
    for length in range(1, 129):
        written = write_list(f"A{end}".encode(), VEW, ["x" * length] * 5000).decode()
        lines = written.split("\n")
        longest = max(longest, *(len(line) + 1 for line in lines))
        groups = [line for line in lines if line.startswith("GROUP")]
        assert all(len(line) + 2 + length > LONGEST_LINE for line in groups[:-1])
    assert longest == LONGEST_LINE


def test_a_long_list_is_many_lines_of_one_group() -> None:
    names = [f"user{number:04}{'x' * 110}" for number in range(5000)]
    written = write_list(b"", VEW, names)
    lines = written.decode().splitlines(keepends=True)
    assert max(map(len, lines)) <= LONGEST_LINE
    assert sum(line.startswith("GROUP seatpool_vew ") for line in lines) > 100
    assert read_list(written, VEW).names == tuple(names)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (
            b"# BEGIN seatpool vew\nGROUP a b\n",
            "must have one BEGIN and one END below it, but there is BEGIN in line 1",
        ),
        (b"# END seatpool vew\n", "there is END in line 1"),
        (b"# END seatpool vew\n# BEGIN seatpool vew\n", "END in line 1, BEGIN in line 2"),
        (b"# BEGIN seatpool vew\n# END seatpool vew\n" * 2, "BEGIN in line 3"),
        (b"# BEGIN seatpool vew\n# BEGIN seatpool b\n# END seatpool vew\n", "line 2 marks another block"),
        (b"GROUP a b \\\n# BEGIN seatpool vew\n# END seatpool vew\n", "line 1 ends with a backslash"),
        (b"# BEGIN seatpool vew\nGROUP a \\\n# END seatpool vew\n", "line 2 ends with a backslash"),
        (b"G\0R\0O\0U\0P\0", "UTF-16"),
    ],
)
def test_a_block_that_is_not_whole_is_refused_with_the_line(content: bytes, sentence: str) -> None:
    for act in (lambda: read_list(content, VEW), lambda: write_list(content, VEW, ("ann",))):
        with pytest.raises(UnreadableFile) as error:
            act()
        assert sentence in str(error.value)


def test_a_list_is_never_without_a_name() -> None:
    with pytest.raises(ValueError, match="needs a name"):
        write_list(b"", VEW, ())


def block(*lines: str) -> bytes:
    return "\n".join(("# BEGIN seatpool vew", *lines, "# END seatpool vew", "")).encode()


GROUP, INCLUDE = "GROUP seatpool_vew ann bob", "INCLUDE vew GROUP seatpool_vew"


@pytest.mark.parametrize(
    ("lines", "names", "odd", "gaps"),
    [
        ((GROUP, INCLUDE), ("ann", "bob"), 0, 0),
        (("# by hand", "", "group seatpool_vew ann bob", "include vew GROUP seatpool_vew"), ("ann", "bob"), 0, 0),
        ((GROUP, "GROUP seatpool_vew ann", INCLUDE), ("ann", "bob", "ann"), 0, 0),
        ((GROUP,), ("ann", "bob"), 0, 1),
        ((INCLUDE,), (), 0, 1),
        ((GROUP, INCLUDE, INCLUDE), ("ann", "bob"), 0, 1),
        ((GROUP, INCLUDE, "INCLUDE vew USER eve"), ("ann", "bob"), 1, 0),
        ((GROUP, INCLUDE, "GROUP other eve"), ("ann", "bob"), 1, 0),
        ((GROUP, "INCLUDE vew:VERSION=2.0 GROUP seatpool_vew"), ("ann", "bob"), 1, 1),
    ],
)
def test_what_somebody_did_to_the_block_is_seen(
    lines: tuple[str, ...], names: tuple[str, ...], odd: int, gaps: int
) -> None:
    listed = read_list(block(*lines), VEW)
    assert (listed.names, len(listed.odd), len(listed.gaps)) == (names, odd, gaps)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("EXCLUDE vew GROUP seatpool_vew", "shuts out ann, bob"),
        ("EXCLUDE vew:VERSION=1 USER bob", "shuts out bob"),
        ("EXCLUDEALL USER bob", "shuts out bob"),
        ("INCLUDE vew HOST build1", "lets in users who are not on the list"),
        ("INCLUDEALL INTERNET 10.0.*.*", "lets in users who are not on the list"),
        ("GROUP seatpool_vew eve", "lets in eve: another group name"),
        ("RESERVE 2 vew USER eve", "takes 2 licenses from the list"),
        ("RESERVE 2 vew HOST build1", "takes 2 licenses from the list"),
        ("MAX 1 vew GROUP seatpool_vew", "lets only 1 of the 2"),
        ("MAX 1 vew GROUP ALL_GROUPS", "lets only 1 of the 2"),
        ("MAX 0 vew USER ann", "shuts out ann"),
        ("RESERVE 1 vew USER ann", None),
        ("RESERVE 1 vew GROUP seatpool_vew", None),
        ("MAX 2 vew GROUP seatpool_vew", None),
        ("MAX 1 vew USER ann", None),
        ("MAX 0 other USER ann", None),
        ("RESERVE some vew USER eve", None),
        ("EXCLUDE vew HOST build1", None),
        ("INCLUDE other USER eve", None),
        ("INCLUDE vew", None),
    ],
)
def test_what_undoes_the_list_from_outside_is_told_with_its_line(line: str, sentence: str | None) -> None:
    content = f"# ours\n{line}\n".encode() + block(GROUP, INCLUDE)
    notes = read_list(content, VEW).notes
    if sentence is None:
        assert notes == ()
    else:
        (note,) = notes
        assert note.startswith(f"line 2 ({line})")
        assert sentence in note


def test_qualifiers_that_differ_are_other_licenses() -> None:
    second = Block(product="vew", feature="vew:VERSION=2.0", group="seatpool_vew")
    outside = b'INCLUDE vew:VERSION=1.0 USER eve\nINCLUDE "vew VERSION=1.0" USER eve\n'
    content = write_list(outside, second, ("ann",))
    assert read_list(content, second).notes == ()
    assert len(read_list(content + b"INCLUDE vew:VERSION=2.0 USER eve\n", second).notes) == 1
    assert len(read_list(content + b"INCLUDE vew:EXPDATE=permanent USER eve\n", second).notes) == 1


def test_a_feature_with_colons_is_quoted() -> None:
    quoted = Block(product="vew", feature="a:b VERSION=2.0", group="g")
    content = write_list(b"", quoted, ("ann",))
    assert b'INCLUDE "a:b VERSION=2.0" GROUP g\n' in content
    assert read_list(content, quoted).gaps == ()


def test_the_same_name_in_other_letters_is_told_where_they_count_for_nothing() -> None:
    content = write_list(b"GROUPCASEINSENSITIVE ON\n", VEW, ("Ann", "ann"))
    (note,) = read_list(content, VEW).notes
    assert "capital letters" in note
    assert read_list(write_list(b"", VEW, ("Ann", "ann")), VEW).notes == ()


def test_notes_are_of_a_limited_number_and_length_and_print_nothing_odd() -> None:
    lines = b"".join(b"INCLUDE vew USER eve%d\x1b[31m%s\n" % (number, b"x" * 500) for number in range(50))
    notes = read_list(write_list(lines, VEW, ("ann",)), VEW).notes
    assert len(notes) == 11
    assert "40 more" in notes[-1]
    assert all(note.isprintable() and len(note) < 1500 for note in notes)


def test_a_byte_order_mark_stays_before_all() -> None:
    content = write_list(b"\xef\xbb\xbf" + block(GROUP, INCLUDE), VEW, ("zoe",))
    assert content.startswith(b"\xef\xbb\xbf# BEGIN seatpool vew\nGROUP seatpool_vew zoe\n")
