"""Prepares standard output and standard error, so that no answer fails because of what reads it.

A terminal whose encoding is not UTF-8 has no character for some that tables and names have. A caller may have closed a
stream. Both must not end a command.
"""

import codecs
import io
import os
import sys
from pathlib import Path
from typing import TextIO

ERRORS = "seatpool-readable"
"""Name of the error handler of both streams."""
_PLAIN = {"\u2026": ".", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2013": "-", "\u2014": "-"} | {
    "\u00a0": " ", "\u2192": ">", "\u2022": "*", "\u00d7": "x", "\u2212": "-",
}  # fmt: skip
_BOXES = range(0x2500, 0x25A0)
"""Lines of tables, and bars."""


def prepare_streams() -> None:
    """Makes sure that both streams take every text. A closed one takes it and drops it."""
    codecs.register_error(ERRORS, _readable)
    sys.stdout, sys.stderr = _prepared(sys.stdout), _prepared(sys.stderr)


def _prepared(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")  # it lives as long as the process
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors=ERRORS)
    return stream


def _readable(error: UnicodeError) -> tuple[str, int]:
    """Returns a text of the same width in ASCII where there is one. Others are escaped as in Python."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    return "".join(_plain(one) for one in found), error.end


def _plain(one: str) -> str:
    if one in _PLAIN:
        return _PLAIN[one]
    if ord(one) in _BOXES:
        return "-" if one in "\u2500\u2501" else "#" if ord(one) >= 0x2580 else "+"
    return one.encode("ascii", "backslashreplace").decode("ascii")
