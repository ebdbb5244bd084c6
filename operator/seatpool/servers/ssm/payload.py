"""Packs the lines that the apply script reads into a parameter: gzip, then base64.

SSM publishes no limit for parameters, only 64 KB for document and parameters together. So a send stays below
`SEND_LIMIT`. A user id of 12 random characters takes about 10 characters when packed, so 5,000 of them do not fit.
Parts of a list that does not fit are sent ahead (`stage`). The apply joins them and checks the whole list.
"""

import base64
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from seatpool.domain.list_hash import list_hash

SEND_LIMIT = 32_000
"""Characters of a packed payload at most."""
MAX_PRODUCTS = 30
"""Products in one send at most. Their results must fit into the 24,000 characters of output that SSM keeps."""


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
