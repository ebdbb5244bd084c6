"""Reads a file of events, one EventBridge envelope a line, wrapped or not, for the sender and for the judge.

The sender sends the lines as they are, also damaged ones: the operator has to handle them. For the judge this reader
finds out which lines are about a workbench. It shares no code with the operator's parser, because the expected lists
are made from it.
"""

import base64
import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from seatpool.aws.regions import region_names
from seatpool.sim.demo.options import DemoError
from seatpool.sim.envelopes import DETAIL_TYPE, SOURCE

__all__ = ["STATES", "EventFile", "Line", "WorkbenchEvent", "read_event", "read_event_file"]

STATES = ("pending", "running", "stopping", "stopped", "shutting-down", "terminated")
"""States of EC2, in the order of an instance's life."""
EC2_SOURCE, EC2_DETAIL_TYPE = "aws.ec2", "EC2 Instance State-change Notification"
LONGEST_LINE = 200_000
_INSTANCE = re.compile(r"i-([0-9a-f]{8}|[0-9a-f]{17})")
_ACCOUNT = re.compile(r"[0-9]{12}")
_WRAPPINGS = (
    "Message", "Sns", "body", "Body", "requestPayload", "Records", "records", "Messages", "logEvents", "message", "kinesis",
)  # fmt: skip
"""Fields in which other services put an event: the event, its JSON text, or a list with it alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkbenchEvent:
    """Event about an instance, from one line."""

    instance: str
    account: str
    region: str
    at: datetime
    state: str
    owner: str | None
    """None: an event of EC2's own, which does not name the owner."""
    type: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file, and its event if it has one."""

    text: str
    event: WorkbenchEvent | None


@dataclass(frozen=True, slots=True)
class EventFile:
    """Content of a file, in its own order."""

    lines: tuple[Line, ...]

    @property
    def events(self) -> Iterator[WorkbenchEvent]:
        return (line.event for line in self.lines if line.event is not None)

    def places(self) -> dict[str, tuple[str, ...]]:
        """Returns the regions of each account."""
        found: dict[str, set[str]] = {}
        for event in self.events:
            found.setdefault(event.account, set()).add(event.region)
        return {account: tuple(sorted(regions)) for account, regions in sorted(found.items())}

    def types(self) -> tuple[str, ...]:
        return tuple(sorted({event.type for event in self.events if event.type is not None}))


def read_event_file(path: Path) -> EventFile:
    """Reads every line that is not blank."""
    try:
        raw = path.read_bytes()
        text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode(errors="replace")
    except (OSError, EOFError, zlib.error) as error:
        raise DemoError(f"--replay {path}: cannot be read: {error}") from error
    lines = []
    for number, line in enumerate(text.split("\n"), start=1):
        stripped = line.strip()
        if len(stripped.encode()) > LONGEST_LINE:
            raise DemoError(f"--replay {path}: line {number} is longer than a queue takes ({LONGEST_LINE} bytes)")
        if stripped:
            lines.append(Line(stripped, read_event(stripped)))
    if not any(line.event for line in lines):
        raise DemoError(
            f"--replay {path}: no line tells of a workbench; it needs EventBridge envelopes, one JSON object a line, "
            f"with source {SOURCE!r} and detail-type {DETAIL_TYPE!r}"
        )
    return EventFile(tuple(lines))


def read_event(text: str) -> WorkbenchEvent | None:
    """Returns the event in a line. None: the line is not about a workbench."""
    try:
        envelope = _unwrapped(_json(text))
        detail = envelope["detail"]
        kind = (envelope["source"], envelope["detail-type"])
        if kind == (SOURCE, DETAIL_TYPE):
            owner, of_type, state = detail["user-id"], detail["workbench-type"], detail["workbench-state"]
            if not all(isinstance(value, str) and 0 < len(value) <= 256 for value in (owner, of_type)):
                return None
        elif kind == (EC2_SOURCE, EC2_DETAIL_TYPE):
            owner, of_type, state = None, None, detail["state"]
        else:
            return None
        event = WorkbenchEvent(
            instance=detail["instance-id"],
            account=envelope["account"],
            region=envelope["region"],
            at=_instant(envelope["time"]),
            state=state,
            owner=owner,
            type=of_type,
        )
        sound = (
            _INSTANCE.fullmatch(event.instance)
            and _ACCOUNT.fullmatch(event.account)
            and event.region in _regions()
            and event.state in STATES
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, StopIteration):
        return None
    return event if sound else None


def _json(text: str) -> Any:
    return json.loads(text.removeprefix("\ufeff"), object_pairs_hook=_once_each, parse_constant=_refuse)


def _unwrapped(document: Any) -> Any:
    """Returns the one event in a document."""
    for _ in range(32):
        if isinstance(document, str):
            document = _json(document)
        elif isinstance(document, list):
            (document,) = document
        elif "source" in document:
            break
        elif "data" in document:
            document = base64.b64decode(document["data"], validate=True).decode()
        else:
            document = next(document[name] for name in _WRAPPINGS if name in document)
    return document


@cache
def _regions() -> frozenset[str]:
    return frozenset(region_names())


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    at = at.astimezone(UTC)
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key appears twice")
    return found


def _refuse(text: str) -> None:
    raise ValueError(text)
