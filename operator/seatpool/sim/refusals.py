"""Keeps the errors of the AWS stand-in: those that a request deserves, and those that a test plans for the next requests."""

import threading
from dataclasses import dataclass
from typing import Any

from seatpool.domain.errors import SeatpoolError

__all__ = ["PlannedRefusal", "Refusal", "Refusals"]


class Refusal(SeatpoolError):
    """An error that the caller's boto3 raises as a ClientError."""

    def __init__(self, code: str, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedRefusal:
    """An error for the next `times` requests of an operation."""

    operation: str
    code: str
    times: int = 1
    message: str = "refused on request"
    status: int = 400
    after_work: bool = False
    """The request is carried out and only its answer is lost. The caller cannot tell."""

    def refusal(self) -> Refusal:
        return Refusal(self.code, self.message, status=self.status)


class Refusals:
    """Requests that are to fail, and how many of each operation came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: dict[str, list[PlannedRefusal]] = {}
        self._calls: dict[str, int] = {}

    def plan(self, refusal: PlannedRefusal) -> None:
        with self._lock:
            self._planned.setdefault(refusal.operation, []).extend([refusal] * refusal.times)

    def count_request(self, operation: str) -> PlannedRefusal | None:
        """Counts a request and returns the error that is planned for it, if any."""
        with self._lock:
            self._calls[operation] = self._calls.get(operation, 0) + 1
            waiting = self._planned.get(operation)
            return waiting.pop(0) if waiting else None

    def calls(self) -> dict[str, Any]:
        with self._lock:
            return dict(self._calls)

    def reset(self) -> None:
        with self._lock:
            self._planned.clear()
            self._calls.clear()
