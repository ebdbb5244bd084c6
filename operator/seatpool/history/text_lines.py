"""Reads lines of text files of unknown origin, such as logs and exports of other programs.

A file may be plain or gzip, in UTF-8, UTF-16 or Windows-1252, with any line ends. A line that is longer than the caller
wants is cut, so that a file without line ends does not fill the memory.
"""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

GZIP = b"\x1f\x8b"
_AT_ONCE = 65_536
_HEAD = 512
_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def read_lines(file: Path, *, longest: int) -> Iterator[str]:
    """Yields lines with a line feed at the end. A longer line is cut to `longest` + 1 characters. Raises OSError."""
    with open_content(file) as content:
        encoding = _encoding(content)
        text = io.TextIOWrapper(content, encoding, errors="surrogateescape" if "8" in encoding else "replace")
        while line := text.readline(longest + 1):
            is_cut = len(line) > longest and not line.endswith("\n")
            while is_cut and (rest := text.readline(_AT_ONCE)) and not rest.endswith("\n"):
                pass
            yield _repaired(line)


@contextmanager
def open_content(file: Path) -> Iterator[BinaryIO]:
    """Opens a file for its bytes, unpacked if it is gzip. Raises OSError, also for a gzip file that is damaged."""
    try:
        with file.open("rb") as raw:
            packed = raw.read(len(GZIP)) == GZIP
        with cast("BinaryIO", gzip.open(file, "rb")) if packed else file.open("rb") as content:
            yield content
    except (EOFError, zlib.error) as error:
        raise OSError(f"the gzip file is damaged: {error}") from error


def _encoding(content: BinaryIO) -> str:
    head = cast("io.BufferedReader", content).peek(_HEAD)[:_HEAD]
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    half = len(head) // 2
    if half and head[1::2].count(0) > half / 2:
        return "utf-16-le"
    return "utf-16-be" if half and head[0::2].count(0) > half / 2 else "utf-8"


def _repaired(line: str) -> str:
    """Decodes a line as Windows-1252 if it is not UTF-8."""
    if line.isascii():
        return line
    try:
        line.encode("utf-8")
    except UnicodeEncodeError:
        return line.encode("utf-8", "surrogateescape").decode("cp1252", "replace")
    return line
