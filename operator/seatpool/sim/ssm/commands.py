"""Holds what SSM keeps of a command: one invocation for each node, from Pending to an end that is final."""

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

__all__ = ["DEFAULT_DELIVERY_TIMEOUT", "Command", "Ending", "Invocation", "Phase"]

DEFAULT_DELIVERY_TIMEOUT = 3600
PLUGIN_OUTPUT = 2500
NO_RESPONSE = -1


class Phase(Enum):
    """`Status` and `StatusDetails`, as the API writes them. The documentation spells the latter with blanks."""

    PENDING = ("Pending", "Pending")
    IN_PROGRESS = ("InProgress", "InProgress")
    CANCELLING = ("Cancelling", "Cancelling")
    SUCCESS = ("Success", "Success")
    FAILED = ("Failed", "Failed")
    EXECUTION_TIMED_OUT = ("TimedOut", "ExecutionTimedOut")
    DELIVERY_TIMED_OUT = ("TimedOut", "DeliveryTimedOut")
    UNDELIVERABLE = ("Failed", "Undeliverable")
    CANCELLED = ("Cancelled", "Cancelled")

    @property
    def final(self) -> bool:
        return self not in {Phase.PENDING, Phase.IN_PROGRESS, Phase.CANCELLING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """End of an invocation."""

    phase: Phase
    code: int = NO_RESPONSE
    stdout: str = ""
    stderr: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command as it was sent."""

    account: str
    region: str
    document: str
    document_version: str
    content: Mapping[str, Any]
    values: Mapping[str, str | list[str]]
    request: Mapping[str, Any]
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    sent: float = field(default_factory=time.monotonic)
    invocations: dict[str, "Invocation"] = field(default_factory=dict)

    @property
    def delivery_timeout(self) -> float:
        return float(self.request.get("TimeoutSeconds") or DEFAULT_DELIVERY_TIMEOUT)

    @property
    def phase(self) -> Phase:
        """Returns the phase of its node. Of several it is the first that is not through, else the first that failed."""
        phases = [invocation.phase for invocation in self.invocations.values()]
        under_way = [phase for phase in phases if not phase.final]
        unwell = [phase for phase in phases if phase is not Phase.SUCCESS]
        return next(iter([*under_way, *unwell]), Phase.SUCCESS)

    def describe(self) -> dict[str, Any]:
        phases = [invocation.phase for invocation in self.invocations.values()]
        status, details = self.phase.value
        return {
            "CommandId": self.id,
            "DocumentName": self.document,
            "DocumentVersion": self.document_version,
            "Comment": self.request.get("Comment", ""),
            "Parameters": self.request.get("Parameters", {}),
            "InstanceIds": list(self.request.get("InstanceIds", ())),
            "Targets": list(self.request.get("Targets", ())),
            "RequestedDateTime": self.sent_at.timestamp(),
            "ExpiresAfter": self.sent_at.timestamp() + self.delivery_timeout,
            "Status": status,
            "StatusDetails": details,
            "TimeoutSeconds": int(self.delivery_timeout),
            "MaxConcurrency": self.request.get("MaxConcurrency", "50"),
            "MaxErrors": self.request.get("MaxErrors", "0"),
            "TargetCount": len(phases),
            "CompletedCount": sum(phase.final for phase in phases),
            "ErrorCount": sum(phase in {Phase.FAILED, Phase.EXECUTION_TIMED_OUT} for phase in phases),
            "DeliveryTimedOutCount": sum(phase is Phase.DELIVERY_TIMED_OUT for phase in phases),
        }


class Invocation:
    """A command on one node. The threads of the agent and of the API share it."""

    def __init__(self, command: Command, instance_id: str, *, visible_after: float) -> None:
        self.command = command
        self.instance_id = instance_id
        self.stopped = threading.Event()
        """Set when no thread needs to wait any more: it has ended or is being cancelled."""
        self._lock = threading.RLock()
        self._visible_from = command.sent + visible_after
        self._phase = Phase.PENDING
        self._ending: Ending | None = None
        self._began: datetime | None = None
        self._ended: datetime | None = None
        self._kill: Callable[[], None] | None = None

    @property
    def phase(self) -> Phase:
        return self._phase

    @property
    def visible(self) -> bool:
        return time.monotonic() >= self._visible_from

    def begin(self) -> bool:
        """Records that the agent starts it. Returns False if it has been cancelled."""
        with self._lock:
            if self.stopped.is_set():
                return False
            self._phase = Phase.IN_PROGRESS
            self._began = datetime.now(UTC)
            return True

    def killable(self, kill: Callable[[], None]) -> None:
        """Sets what CancelCommand calls. It is called at once if CancelCommand came before."""
        with self._lock:
            self._kill = kill
            if self.stopped.is_set():
                kill()

    def end(self, ending: Ending) -> bool:
        """Records the end. Only the first end counts."""
        with self._lock:
            if self._phase.final:
                return False
            self._phase, self._ending, self._ended = ending.phase, ending, datetime.now(UTC)
            self.stopped.set()
            return True

    def cancel(self) -> None:
        with self._lock:
            if self._phase is Phase.PENDING:
                self.end(Ending(phase=Phase.CANCELLED))
            elif self._phase is Phase.IN_PROGRESS:
                self._phase = Phase.CANCELLING
                self.stopped.set()
                if self._kill is not None:
                    self._kill()

    def describe(self) -> dict[str, Any]:
        """Returns the answer of GetCommandInvocation."""
        with self._lock:
            ending = self._ending or Ending(phase=self._phase)
            return self._outline() | {
                "PluginName": self._plugin,
                "ResponseCode": ending.code,
                "ExecutionStartDateTime": _text(self._began),
                "ExecutionElapsedTime": self._elapsed(),
                "ExecutionEndDateTime": _text(self._ended) if self._began else "",
                "StandardOutputContent": ending.stdout,
                "StandardOutputUrl": "",
                "StandardErrorContent": ending.stderr,
                "StandardErrorUrl": "",
                "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": False},
            }

    def summarise(self, *, details: bool) -> dict[str, Any]:
        """Returns the entry of ListCommandInvocations. Its output is a tenth of the other's."""
        with self._lock:
            summary = self._outline() | {"RequestedDateTime": self.command.sent_at.timestamp(), "CommandPlugins": []}
            if details and self._began is not None:
                ending = self._ending or Ending(phase=self._phase)
                summary["CommandPlugins"] = [
                    {
                        "Name": self._plugin,
                        "Status": summary["Status"],
                        "StatusDetails": summary["StatusDetails"],
                        "ResponseCode": ending.code,
                        "ResponseStartDateTime": self._began.timestamp(),
                        "Output": (ending.stdout or ending.stderr)[:PLUGIN_OUTPUT],
                    }
                ]
            return summary

    def _outline(self) -> dict[str, Any]:
        status, details = self._phase.value
        return {
            "CommandId": self.command.id,
            "InstanceId": self.instance_id,
            "Comment": self.command.request.get("Comment", ""),
            "DocumentName": self.command.document,
            "DocumentVersion": self.command.document_version,
            "Status": status,
            "StatusDetails": details,
        }

    @property
    def _plugin(self) -> str:
        steps = self.command.content.get("mainSteps") or [{}]
        return str(steps[0].get("name", ""))

    def _elapsed(self) -> str:
        if self._began is None or self._ended is None:
            return ""
        return f"PT{(self._ended - self._began).total_seconds():g}S"


def _text(instant: datetime | None) -> str:
    return "" if instant is None else instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
