"""Defines the events of a license server's log."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LogAction(StrEnum):
    """Kinds of log events."""

    OUT = "OUT"
    IN = "IN"
    FULL = "FULL"
    """Denied because there was no license for the user at that time."""
    DENIED = "DENIED"
    """Denied for another reason."""
    QUEUED = "QUEUED"
    """Waits in the server's own queue."""
    DEQUEUED = "DEQUEUED"
    """Left the queue. If the user got a license, a check-out follows."""
    STARTED = "STARTED"
    """A process of the daemon began."""
    REREAD = "REREAD"
    """The daemon reads its license file again, which changes no check-out."""
    SERVES = "SERVES"
    """The daemon serves licenses: after its start, which ended all check-outs, or after a reread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogEvent:
    """One line of a log."""

    act: LogAction
    at: datetime
    daemon: str
    """Name of the daemon that wrote the line or that it is about, with its process id if the log has that."""
    feature: str = ""
    user: str = ""
    host: str = ""
    count: int = 1
    reason: str | None = None
