"""Reads EventBridge envelopes. The text is untrusted.

JSON that two readers may understand differently is rejected: a key twice, NaN, half a surrogate pair. The next reader
is the Kubernetes API, and it must not see another document than the one that was checked.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn

from seatpool.domain.instants import to_milliseconds
from seatpool.mirror.config import ACCOUNT_PATTERN, REGION_PATTERN
from seatpool.mirror.messages.parsed import IgnoreReason, RejectReason
from seatpool.mirror.regions import AccountRegion

MAX_BYTES = 256 * 1024
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
        return _matching(self.fields, "account", _ACCOUNT, "12 digits")

    @property
    def region(self) -> str:
        """Region of the event."""
        return _matching(self.fields, "region", _REGION, "a region such as eu-central-1")

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
    """Returns the envelope in a message body. Raises RejectedMessage."""
    if len(body) > MAX_BYTES or len(body.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise RejectedMessage(
            RejectReason.TOO_LARGE, f"a body of {len(body)} characters is more than {MAX_BYTES} bytes"
        )
    try:
        document = json.loads(body, object_pairs_hook=_without_duplicates, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RejectedMessage(RejectReason.NOT_JSON, str(error)) from error
    if not isinstance(document, dict):
        raise RejectedMessage(RejectReason.NOT_AN_ENVELOPE, f"a JSON {type(document).__name__} instead of an object")
    kind = {}
    for name in ("source", "detail-type"):
        value = document.get(name)
        if not isinstance(value, str):
            raise RejectedMessage(RejectReason.NOT_AN_ENVELOPE, f"field {name} must be a string")
        kind[name] = value
    return Envelope(source=kind["source"], detail_type=kind["detail-type"], fields=document)


def read_instance_id(fields: Mapping[str, Any], name: str) -> str:
    """Returns an EC2 instance id. Raises RejectedMessage."""
    return _matching(fields, name, INSTANCE_ID, "an EC2 instance id")


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
