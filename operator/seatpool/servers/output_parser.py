"""Reading what the apply script printed: the summary in the first line, and chunks of what the list commands said.

The license server is not trusted: whoever has it can print anything, so sizes are bounded and hashes compared.
"""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seatpool.servers.command_result import BadOutput, Result, ScriptRefused
from seatpool.servers.commands import PRODUCT_PATTERN
from seatpool.servers.list_parser import UnreadableList

MOST_TEXT = 4 * 1024 * 1024
"""The script reads no more of what a list command prints."""
MOST_PACKED = 6 * 1024 * 1024
_CHUNK = re.compile(rf"= ({PRODUCT_PATTERN}) ([0-9]{{1,8}}) ([A-Za-z0-9+/=]*)")
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Listed(BaseModel):
    """What the script kept of a list command's output."""

    model_config = ConfigDict(strict=True, frozen=True)

    length: Annotated[int, Field(ge=0, le=MOST_PACKED)]
    sha: _Hash
    sorted: _Hash | None = None
    """Hash of the printed lines, sorted, each once: with format Lines it tells whether the list is a known one."""


class Entry(BaseModel):
    """One product of a summary."""

    model_config = ConfigDict(strict=True, frozen=True)

    product: Annotated[str, Field(max_length=126)]
    result: Annotated[Result, Field(strict=False)]
    fence: int
    owner: Annotated[str, Field(max_length=64)]
    code: int
    detail: Annotated[str, Field(max_length=4000)]
    listed: Listed | None


class Summary(BaseModel):
    """The first line of the output."""

    model_config = ConfigDict(strict=True, frozen=True)

    v: Literal[1]
    revision: int
    results: Annotated[list[Entry], Field(max_length=1000)]
    error: Annotated[str, Field(max_length=4000)] | None = None


@dataclass(frozen=True, slots=True)
class NotWhole:
    """Some of the text was not fetched yet."""

    missing_from: int


def read_summary(output: str) -> Summary:
    """The summary; `ScriptRefused` when the script did not begin, `BadOutput` when it is something else."""
    line = output.partition("\n")[0]
    try:
        summary = Summary.model_validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the line"
        raise BadOutput(
            f"the first line of the command's output is not the apply script's: {where}: {first['msg']}; it begins "
            f"with {line[:80]!r}; check that the SSM document is the one that `seatpool document` prints"
        ) from error
    if summary.error is not None:
        raise ScriptRefused(f"the apply script did not begin: {summary.error}")
    return summary


def chunks(output: str) -> Iterator[tuple[str, int, str]]:
    """Product, offset and text of each chunk; a last line that was cut off still counts as far as it goes."""
    for line in output.split("\n")[1:]:
        if (found := _CHUNK.fullmatch(line)) is not None:
            yield found[1], int(found[2]), found[3]


def whole_text(pieces: Sequence[tuple[int, str]], listed: Listed) -> str | NotWhole:
    """What the list command printed, or from where it is missing."""
    packed = ""
    for offset, piece in sorted(pieces):
        if offset <= len(packed) < offset + len(piece):
            packed += piece[len(packed) - offset :]
    if len(packed) < listed.length:
        return NotWhole(len(packed))
    if hashlib.sha256(packed.encode()).hexdigest() != listed.sha:
        raise UnreadableList("the list was printed anew while it was fetched, or damaged on the way; read it again")
    return _unpack(packed)


def _unpack(packed: str) -> str:
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        data = inflate.decompress(base64.b64decode(packed, validate=True), MOST_TEXT + 1)
    except (binascii.Error, zlib.error) as error:
        raise UnreadableList(f"the list arrived damaged: {error}; is the server's disk full?") from error
    if len(data) > MOST_TEXT or not inflate.eof:
        raise UnreadableList("the list arrived cut off, or is larger than any list of users")
    return data.decode(errors="replace")
