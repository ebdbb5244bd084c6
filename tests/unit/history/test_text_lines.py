"""Lines of files of unknown encoding, line ends and length."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.history.text_lines import read_lines


def lines(folder: Path, content: bytes, *, longest: int = 1000) -> list[str]:
    file = folder / "file"
    file.write_bytes(content)
    return list(read_lines(file, longest=longest))


def test_bytes_of_windows_are_text_too(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfone\n" + "José\n".encode("cp1252") + "José".encode()
    assert lines(tmp_path, content) == ["one\n", "José\n", "José"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_of_other_programs_are_read(tmp_path: Path, encoding: str, end: str) -> None:
    assert lines(tmp_path, f"eins{end}zwei ä{end}".encode(encoding)) == ["eins\n", "zwei ä\n"]


def test_a_line_that_is_too_long_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    found = lines(tmp_path, b"x" * 200_000 + b"\nnext\n" + b"y" * 10 + b"\n", longest=10)
    assert found == ["x" * 11, "next\n", "y" * 10 + "\n"]


def test_a_damaged_gzip_file_is_an_os_error(tmp_path: Path) -> None:
    whole = gzip.compress(b"one\ntwo\n" * 1000)
    with pytest.raises(OSError, match="damaged"):
        lines(tmp_path, whole[: len(whole) // 2])
    assert lines(tmp_path, gzip.compress(b"one\n")) == ["one\n"]


@given(st.binary(max_size=400))
def test_any_bytes_are_lines(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.mktemp("any")
    if not content.startswith(b"\x1f\x8b"):
        assert all(len(line) <= 101 for line in lines(folder, content, longest=100))
