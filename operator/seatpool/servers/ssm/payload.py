"""Packs the lines that the apply script reads into a parameter: gzip, then base64.

SSM publishes no limit for parameters, only 64 KB for document and parameters together. So a send stays below
`SEND_LIMIT`. A user id of 12 random characters takes about 10 characters when packed, so 5,000 of them do not fit.
Parts of a list that does not fit are sent ahead (`stage`). The apply joins them and checks the whole list.
"""

import base64
import gzip
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from seatpool.domain.list_hash import list_hash

SEND_LIMIT = 32_000
"""Characters of a packed payload at most."""
MAX_PRODUCTS = 30
"""Products in one send at most. Their results must fit into the 24,000 characters of output that SSM keeps."""


PARAMETER = "Payload"
READER = "reader"
"""Owner in commands that write nothing."""
BYTES_IN_A_LINE = 1000
"""Bytes of a file that one line of a payload carries."""
BYTES_IN_A_PART = 60_000
"""Bytes of a file in one part at most, before it is packed."""
_ESCAPED = re.compile(rb"[^ -\[\]-~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Lines that apply to every product of a payload."""

    revision: int
    owner: str
    takeover: str | None
    state_dir: str

    def lines(self, action: str) -> Iterator[str]:
        """Yields the first lines of a payload."""
        yield "seatpool 1"
        yield f"action {action}"
        yield f"revision {self.revision}"
        yield f"owner {self.owner}"
        if self.takeover is not None:
            yield f"takeover {self.takeover}"
        yield f"state {self.state_dir}"


def pack(lines: Iterable[str]) -> str:
    """Packs lines into a parameter. Equal lines give equal parameters."""
    text = "".join(f"{line}\n" for line in (*lines, "done"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def unpack(parameter: str) -> list[str]:
    """Returns the lines of a parameter, to see what was sent."""
    return gzip.decompress(base64.b64decode(parameter, validate=True)).decode().splitlines()


def words(arguments: Iterable[str]) -> str:
    """Encodes an argument vector as words that need no quoting."""
    return " ".join(base64.b64encode(argument.encode()).decode() for argument in arguments)


def block(product: str, *lines: str, users: Sequence[str] = ()) -> list[str]:
    """Returns the lines of one product."""
    return [f"product {product}", *lines, *(f"u {user}" for user in users), "end"]


def fetch(state_dir: str, unread: Mapping[str, int]) -> str:
    """Returns the payload that fetches what follows the given offsets of some outputs."""
    lines = list(Header(revision=0, owner=READER, takeover=None, state_dir=state_dir).lines("read"))
    for product, offset in unread.items():
        lines += block(product, f"offset {offset}")
    return pack(lines)


def named(payload: str) -> dict[str, list[str]]:
    """Returns a payload as parameters of the document."""
    return {PARAMETER: [payload]}


def list_lines(users: Sequence[str]) -> list[str]:
    """Returns the lines by which the script checks a list or a part of one."""
    return [f"hash {list_hash(users)}", f"count {len(users)}"]


def stages(header: Header, product: str, users: Sequence[str]) -> list[str]:
    """Returns the parameters that carry a long list to the server in parts."""
    count = 2
    while True:
        parts = [
            pack([*header.lines("stage"), *block(product, f"part {number}", *list_lines(part), users=part)])
            for number, part in enumerate(_cut(users, count), start=1)
        ]
        if all(len(part) <= SEND_LIMIT for part in parts):
            return parts
        count += 1


def _cut(users: Sequence[str], count: int) -> Iterator[Sequence[str]]:
    size = -(-len(users) // count)
    return (users[start : start + size] for start in range(0, len(users), size))


@dataclass(frozen=True, slots=True)
class Splice:
    """The one piece in which two contents of a file differ."""

    keep: int
    """Bytes at the beginning that stay."""
    resume: int
    """Number of the first byte of the rest that stays, from 1."""
    middle: bytes
    """What comes between them."""

    @classmethod
    def between(cls, old: bytes, new: bytes) -> "Splice":
        """Returns what makes `new` of `old`."""
        longest = min(len(old), len(new))
        keep = _longest(longest, lambda count: old[:count] == new[:count])
        rest = _longest(longest - keep, lambda count: old[len(old) - count :] == new[len(new) - count :])
        return cls(keep=keep, resume=len(old) - rest + 1, middle=new[keep : len(new) - rest])


def _longest(limit: int, fits: Callable[[int], bool]) -> int:
    """Returns the largest number that fits. If one fits, each smaller one does."""
    fitting, too_many = 0, limit + 1
    while too_many - fitting > 1:
        tried = (fitting + too_many) // 2
        if fits(tried):
            fitting = tried
        else:
            too_many = tried
    return fitting


def byte_lines(data: bytes) -> list[str]:
    """Returns the lines that carry bytes of a file, as `printf %b` reads them."""
    pieces = (data[start : start + BYTES_IN_A_LINE] for start in range(0, len(data), BYTES_IN_A_LINE))
    return [f"t {_ESCAPED.sub(_escape, piece).decode('ascii')}" for piece in pieces]


def _escape(found: re.Match[bytes]) -> bytes:
    code = found[0][0]
    return {0x0A: b"\\n", 0x5C: b"\\\\"}.get(code, b"\\0%03o" % code)


def byte_stages(header: Header, product: str, path: str, data: bytes) -> list[str]:
    """Returns the parameters that carry many bytes of a file to the server in parts."""
    size = BYTES_IN_A_PART
    while True:
        cuts = [data[start : start + size] for start in range(0, len(data), size)]
        parts = [
            pack(
                [
                    *header.lines("stage"),
                    *block(product, f"file {path}", f"part {number}", f"hash {sha256(cut)}", *byte_lines(cut)),
                ]
            )
            for number, cut in enumerate(cuts, start=1)
        ]
        if all(len(part) <= SEND_LIMIT for part in parts):
            return parts
        size = size * 3 // 4


def sha256(data: bytes) -> str:
    """Returns the SHA-256 of bytes in hex."""
    return hashlib.sha256(data).hexdigest()
