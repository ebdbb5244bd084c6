"""Reads EventBridge envelopes. The text is untrusted.

JSON that two readers may understand differently is rejected: a key twice, NaN, half a surrogate pair. The next reader
is the Kubernetes API, and it must not see another document than the one that was checked.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from typing import Any, NoReturn

from seatpool.api.regions import REGION_PATTERN
from seatpool.api.workbench import WorkbenchSource
from seatpool.domain.instants import to_milliseconds
from seatpool.mirror.config import ACCOUNT_PATTERN
from seatpool.mirror.messages.parsed import IgnoreReason, RejectReason
from seatpool.mirror.messages.wrapping import NoEvent, is_event, open_wrapping
from seatpool.mirror.names import ec2_instance
from seatpool.mirror.regions import AccountRegion

MAX_BYTES = 256 * 1024
"""Largest event of EventBridge."""
MAX_WRAPPED_BYTES = 1024 * 1024
"""Largest message of SQS. Quoting makes an event in it larger."""
MAX_WRAPPINGS = 8
BYTE_ORDER_MARK = "\ufeff"
INSTANCE_ID = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_ACCOUNT = re.compile(ACCOUNT_PATTERN)
_REGION = re.compile(REGION_PATTERN)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")


class RejectedMessage(Exception):
    """The message cannot be handled. `Registry.parse` turns this into a `Malformed`."""

    def __init__(self, reason: RejectReason, detail: str, *, unknown: AccountRegion | None = None) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.unknown = unknown


class IgnoredMessage(Exception):
    """The message is good but about something else. `Registry.parse` turns this into an `Irrelevant`."""

    def __init__(self, reason: IgnoreReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope with a checked kind. Each property checks its field and raises RejectedMessage that names it."""

    source: str
    detail_type: str
    fields: Mapping[str, Any]

    @property
    def account(self) -> str:
        """Account number, 12 digits."""
        return read_account(self.fields, "account")

    @property
    def region(self) -> str:
        """Region of the event."""
        return read_region(self.fields, "region")

    @property
    def time(self) -> datetime:
        """Time of the event, in UTC, cut to milliseconds."""
        raw = _matching(self.fields, "time", _TIME, "an RFC 3339 time such as 2026-01-31T12:00:00Z")
        try:
            return to_milliseconds(datetime.fromisoformat(raw).astimezone(UTC))
        except (ValueError, OverflowError) as error:
            raise RejectedMessage(RejectReason.BAD_FIELD, f"field time: {raw!r}: {error}") from error

    @property
    def detail(self) -> Mapping[str, Any]:
        """The inner object, which depends on the kind."""
        detail = self.fields.get("detail")
        if not isinstance(detail, dict):
            raise RejectedMessage(RejectReason.BAD_FIELD, "field detail must be an object")
        return detail


def read_envelope(body: str) -> Envelope:
    """Returns the one envelope in the body of a message. Raises RejectedMessage."""
    found = list(islice(read_envelopes(body, max_bytes=MAX_WRAPPED_BYTES), 2))
    if len(found) > 1:
        raise RejectedMessage(
            RejectReason.NOT_AN_ENVELOPE, "several events in one message: send each by itself, with a batch size of 1"
        )
    if isinstance(found[0], RejectedMessage):
        raise found[0]
    return found[0]


def read_envelopes(text: str, *, max_bytes: int | None = None) -> Iterator[Envelope | RejectedMessage]:
    """Yields each envelope in a text, or what is wrong with it. Wrappings of other services are opened.

    None as `max_bytes`: the text may have any length, but an event in it may not.
    """
    try:
        document = _load(text, max_bytes=max_bytes)
    except RejectedMessage as rejected:
        yield rejected
        return
    yield from _open(document, depth=0)


def _open(document: object, *, depth: int) -> Iterator[Envelope | RejectedMessage]:
    if is_event(document):
        try:
            yield _envelope(document)
        except RejectedMessage as rejected:
            yield rejected
        return
    try:
        layer = open_wrapping(document)
        if not layer:
            raise NoEvent("an empty batch: no event is in it")
        if depth == MAX_WRAPPINGS:
            raise NoEvent(f"an event in more than {MAX_WRAPPINGS} wrappings")
    except NoEvent as error:
        yield RejectedMessage(RejectReason.NOT_AN_ENVELOPE, str(error))
        return
    for one in layer:
        try:
            inner = _load(one, max_bytes=MAX_WRAPPED_BYTES) if isinstance(one, str) else one
        except RejectedMessage as rejected:
            yield rejected
        else:
            yield from _open(inner, depth=depth + 1)


def _load(text: str, *, max_bytes: int | None) -> object:
    """Reads JSON. Only what is wrapped may be larger than an event."""
    size = len(text)
    if size * 4 > MAX_BYTES:  # else it fits, whatever the characters are
        size = len(text.encode("utf-8", "surrogatepass"))
    too_large = RejectedMessage(RejectReason.TOO_LARGE, f"a body of {size} bytes is more than {MAX_BYTES}")
    if max_bytes is not None and size > max_bytes:
        raise too_large
    try:
        document = json.loads(
            text.removeprefix(BYTE_ORDER_MARK), object_pairs_hook=_without_duplicates, parse_constant=_no_constant
        )
    except (ValueError, RecursionError) as error:
        if size > MAX_BYTES and max_bytes is not None:
            raise too_large from error
        raise RejectedMessage(RejectReason.NOT_JSON, str(error)) from error
    if size > MAX_BYTES and is_event(document):
        raise too_large
    return document


def _envelope(document: object) -> Envelope:
    assert isinstance(document, dict)  # noqa: S101
    kind = {}
    for name in ("source", "detail-type"):
        value = document.get(name)
        if not isinstance(value, str):
            raise RejectedMessage(RejectReason.NOT_AN_ENVELOPE, f"field {name} must be a string")
        kind[name] = value
    return Envelope(source=kind["source"], detail_type=kind["detail-type"], fields=document)


def read_account(fields: Mapping[str, Any], name: str) -> str:
    """Returns an account number. Raises RejectedMessage."""
    return _matching(fields, name, _ACCOUNT, "12 digits")


def read_region(fields: Mapping[str, Any], name: str) -> str:
    """Returns a region. Raises RejectedMessage."""
    return _matching(fields, name, _REGION, "a region such as eu-central-1")


def read_instance(fields: Mapping[str, Any], name: str) -> WorkbenchSource:
    """Returns the EC2 instance whose id is in a field. Raises RejectedMessage."""
    return ec2_instance(_matching(fields, name, INSTANCE_ID, "an EC2 instance id"))


def read_text(fields: Mapping[str, Any], name: str, *, max_length: int) -> str:
    """Returns a string of 1 to `max_length` characters of valid Unicode. Raises RejectedMessage."""
    value = fields.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= max_length:
        raise RejectedMessage(
            RejectReason.BAD_FIELD, f"field {name}: {value!r} is not a string of 1 to {max_length} characters"
        )
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise RejectedMessage(RejectReason.BAD_FIELD, f"field {name}: {value!r} is not valid Unicode") from error
    return value


def _matching(fields: Mapping[str, Any], name: str, pattern: re.Pattern[str], what: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise RejectedMessage(RejectReason.BAD_FIELD, f"field {name}: {value!r} is not {what}")
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RejectedMessage(RejectReason.DUPLICATE_KEY, f"key {twice!r} appears more than once")
    return document


def _no_constant(text: str) -> NoReturn:
    raise RejectedMessage(RejectReason.NOT_JSON, f"{text} is not JSON")
