"""Bytes of a file with a list as text, and back without a change. What cannot be read is refused with a sentence."""

import re
from dataclasses import dataclass, field
from typing import Self

from seatpool.domain.errors import SeatpoolError

BOM = "\ufeff"
_LINES = re.compile(r"[^\n]*\n|[^\n]+")


class UnreadableFile(SeatpoolError):
    """A file is not in the form that the LicenseServer says. The message says where and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileList:
    """The list that a file has for one product."""

    names: tuple[str, ...]
    """The names, in the order of the file. A name that the file has twice is here twice."""
    odd: tuple[str, ...] = ()
    """Lines where only the list should be, and that may let users in."""
    gaps: tuple[str, ...] = ()
    """What is missing for the list to count, each in a sentence without its end. The next write adds it."""
    notes: tuple[str, ...] = ()
    """What outside of the list undoes it, each in a sentence without its end. A write changes nothing of it."""
    ignores_case: bool = False
    """The program that reads the file tells no capital letters apart."""


@dataclass(frozen=True, slots=True)
class FileText:
    """A file's text without a byte order mark. Bytes that are no UTF-8 come back as they were."""

    text: str
    mark: str = field(default="", kw_only=True)

    @classmethod
    def of(cls, content: bytes) -> Self:
        """Raises UnreadableFile for what is no text."""
        if b"\0" in content:
            raise UnreadableFile("the file has NUL bytes, as UTF-16 has: save it as UTF-8")
        text = content.decode("utf-8", "surrogateescape")
        return cls(text.removeprefix(BOM), mark=BOM if text.startswith(BOM) else "")

    def changed_to(self, text: str) -> bytes:
        """Returns the bytes of the file with another text."""
        return f"{self.mark}{text}".encode("utf-8", "surrogateescape")

    @property
    def lines(self) -> list[str]:
        """The lines with their ends. The last one may have none."""
        return lines_of(self.text)

    @property
    def line_end(self) -> str:
        """The end of the first line. A file without any has newlines."""
        first, newline, _ = self.text.partition("\n")
        return "\r\n" if newline and first.endswith("\r") else "\n"


def lines_of(text: str) -> list[str]:
    """Returns the lines of a text with their ends."""
    return _LINES.findall(text)


def without_end(line: str) -> str:
    """Returns a line without its end."""
    return line.removesuffix("\n").removesuffix("\r")
