"""Reads the output of the apply script: a summary in the first line, then chunks of what the list commands printed.

The license server is not trusted and may print anything. So sizes are bounded and hashes are compared.
"""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seatpool.servers.command_result import BadOutput, Late, Result, ScriptRefused
from seatpool.servers.commands import MAX_FENCE, MAX_REVISION, OWNER_PATTERN, PRODUCT_PATTERN
from seatpool.servers.ssm.list_parser import UnreadableList

MOST_TEXT = 4 * 1024 * 1024
"""Bytes that the script reads from a list command at most."""
MOST_PACKED = 6 * 1024 * 1024
_CHUNK = re.compile(rf"= ({PRODUCT_PATTERN}) ([0-9]{{1,8}}) ([A-Za-z0-9+/=]*)")
_Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Listed(BaseModel):
    """Length and hashes of a list command's output, as the script kept it."""

    model_config = ConfigDict(strict=True, frozen=True)

    length: Annotated[int, Field(ge=0, le=MOST_PACKED)]
    sha: _Hash
    sorted: _Hash | None = None
    """Hash of the printed lines, sorted, without duplicates. With format Lines it identifies a known list."""
    size: Annotated[int, Field(ge=0, le=MOST_TEXT)] | None = None
    """Bytes of the file with the list. What follows them is what the status command printed. None: there is no file."""
    content: _Hash | None = None
    """Hash of the file with the list."""
    status: bool = False
    """The status command was run."""


class Entry(BaseModel):
    """One product in a summary."""

    model_config = ConfigDict(strict=True, frozen=True)

    product: Annotated[str, Field(max_length=126)]
    result: Annotated[Result, Field(strict=False)]
    fence: Annotated[int, Field(ge=0, le=MAX_FENCE)]
    owner: Annotated[str, Field(pattern=rf"^({OWNER_PATTERN})?\z")]
    code: Annotated[int, Field(ge=-1, le=MAX_REVISION)]
    detail: Annotated[str, Field(max_length=4000)]
    late: Annotated[Late, Field(strict=False)] = Late.NO
    listed: Listed | None


class Summary(BaseModel):
    """The first line of an output."""

    model_config = ConfigDict(strict=True, frozen=True)

    v: Literal[1]
    revision: int
    results: Annotated[list[dict[str, Any]], Field(max_length=1000)]
    error: Annotated[str, Field(max_length=4000)] | None = None

    def entries(self) -> list[Entry]:
        """Returns the results. One with a value that cannot be is a failure of its product, and stops no other."""
        return [_entry(result) for result in self.results]


@dataclass(frozen=True, slots=True)
class NotWhole:
    """A part of the text was not fetched yet."""

    missing_from: int


def read_summary(output: str) -> Summary:
    """Returns the summary. Raises ScriptRefused if the script did not begin, and BadOutput if the line is not a summary."""
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


def _entry(result: dict[str, Any]) -> Entry:
    try:
        return Entry.model_validate(result)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = str(first["loc"][0])
        product = result.get("product")
        if not isinstance(product, str) or not re.fullmatch(PRODUCT_PATTERN, product):
            raise BadOutput(
                f"a result in the command's output names no product: {field}: {first['msg']}; check that the SSM "
                "document is the one that `seatpool document` prints"
            ) from error
        why = f"the license server told a {field} that cannot be, {str(result.get(field))[:80]!r}: {first['msg']}"
        where = f"; look at {product}.revision in its state folder" if field in {"fence", "owner"} else ""
        return Entry(
            product=product, result=Result.FAILED, fence=0, owner="", code=0, detail=f"{why}{where}", listed=None
        )


def chunks(output: str) -> Iterator[tuple[str, int, str]]:
    """Yields product, offset and text of each chunk. A last line that was cut off counts as far as it goes."""
    for line in output.split("\n")[1:]:
        if (found := _CHUNK.fullmatch(line)) is not None:
            yield found[1], int(found[2]), found[3]


def whole_text(pieces: Sequence[tuple[int, str]], listed: Listed) -> str | NotWhole:
    """Returns what the list command printed, or the offset from which it is missing."""
    data = whole_bytes(pieces, listed)
    return data if isinstance(data, NotWhole) else data.decode(errors="replace")


def whole_bytes(pieces: Sequence[tuple[int, str]], listed: Listed) -> bytes | NotWhole:
    """Returns what was printed, with the newline that the script adds, or the offset from which it is missing."""
    packed = ""
    for offset, piece in sorted(pieces):
        if offset <= len(packed) < offset + len(piece):
            packed += piece[len(packed) - offset :]
    if len(packed) < listed.length:
        return NotWhole(len(packed))
    if hashlib.sha256(packed.encode()).hexdigest() != listed.sha:
        raise UnreadableList("the list was printed anew while it was fetched, or damaged on the way; read it again")
    return _unpack(packed)


def _unpack(packed: str) -> bytes:
    inflate = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        data = inflate.decompress(base64.b64decode(packed, validate=True), MOST_TEXT + 1)
    except (binascii.Error, zlib.error) as error:
        raise UnreadableList(f"the list arrived damaged: {error}; is the server's disk full?") from error
    if len(data) > MOST_TEXT or not inflate.eof:
        raise UnreadableList("the list arrived cut off, or is larger than any list of users")
    return data
