"""The text that the apply script reads, packed for a parameter: lines, gzip, base64.

SSM publishes no limit for parameters, only 64 KB for document and parameters together, so a send stays below
`SEND_LIMIT`. Users of 12 random characters take about 10 characters each when packed: 5,000 of them do not fit.
A list that does not fit travels ahead in parts (`stage`), which the apply then joins; it is checked as a whole there.
"""

import base64
import gzip
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from seatpool.domain.listing import list_hash

SEND_LIMIT = 32_000
"""Most characters of a packed payload."""
MAX_PRODUCTS = 30
"""Most products in one send: their results must fit into the 24,000 characters of output that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What holds for every product of a payload."""

    revision: int
    owner: str
    takeover: str | None
    state_dir: str

    def lines(self, action: str) -> Iterator[str]:
        yield "seatpool 1"
        yield f"action {action}"
        yield f"revision {self.revision}"
        yield f"owner {self.owner}"
        if self.takeover is not None:
            yield f"takeover {self.takeover}"
        yield f"state {self.state_dir}"


def pack(lines: Iterable[str]) -> str:
    """The parameter for these lines; the same lines give the same parameter."""
    text = "".join(f"{line}\n" for line in (*lines, "done"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def unpack(parameter: str) -> list[str]:
    """The lines of a parameter, for those who want to see what was sent."""
    return gzip.decompress(base64.b64decode(parameter, validate=True)).decode().splitlines()


def words(arguments: Iterable[str]) -> str:
    """An argument vector as words that need no quoting."""
    return " ".join(base64.b64encode(argument.encode()).decode() for argument in arguments)


def block(product: str, *lines: str, users: Sequence[str] = ()) -> list[str]:
    """One product of a payload."""
    return [f"product {product}", *lines, *(f"u {user}" for user in users), "end"]


def list_lines(users: Sequence[str]) -> list[str]:
    """What makes a list, or a part of one, checkable."""
    return [f"hash {list_hash(users)}", f"count {len(users)}"]


def stages(header: Header, product: str, users: Sequence[str]) -> list[str]:
    """Parameters that bring a long list to the server, part by part."""
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
