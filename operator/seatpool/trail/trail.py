"""Writes the audit trail: which seats were decided, by which rule, and which command carried it out.

A line is written when its fact is true: a grant when the ledger has it, an apply when the list was read back. It names
objects with their revisions, and the SSM command. So it can be joined with the audit log of the API server and with
CloudTrail. No line has a secret: specs, environment and command output are never in it.
"""

import json
import logging
import sys
from collections.abc import Mapping
from enum import StrEnum
from logging.handlers import WatchedFileHandler
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter
from structlog.typing import EventDict, FilteringBoundLogger

from seatpool.domain.errors import SeatpoolError
from seatpool.meters import Meters
from seatpool.text import escape_json
from seatpool.trail.config import TrailConfig

LOGGER = "audit"


class Action(StrEnum):
    """Kinds of lines."""

    GRANT = "grant"
    RELEASE = "release"
    REFUSE = "refuse"
    ADOPT = "adopt"
    APPLY = "apply"
    DRIFT = "drift"
    HOLD = "hold"
    APPROVE = "approve"
    KEY_REQUEST = "key-request"
    KEY_APPROVE = "key-approve"
    KEY_REFUSE = "key-refuse"
    KEY_ISSUE = "key-issue"
    KEY_USE = "key-use"
    KEY_REVOKE = "key-revoke"
    KEY_END = "key-end"


class UnusableTrail(SeatpoolError):
    """The audit file cannot be written. The operator does not run without the audit that its settings ask for."""


class TrailMetrics:
    """Metrics of the audit trail."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.meters = Meters(registry)
        self.lines = self.meters.counter("audit_lines", "Lines of the audit trail.", "result")


def _printable_json(event: EventDict, **settings: Any) -> str:
    """Returns a line of the trail as JSON. Entries of a license server's list are foreign text, so it is escaped."""
    return escape_json(json.dumps(event, **settings))


class Trail:
    """Appends lines to the trail. A line that cannot be written is counted and logged. It never stops a seat."""

    def __init__(
        self, config: TrailConfig, *, holder: str, registry: CollectorRegistry, log: FilteringBoundLogger
    ) -> None:
        lines = TrailMetrics(registry).lines
        if config.file is not None or config.stdout:
            # A counter that appeared with its first failure would show no increase.
            for result in ("written", "failed"):
                lines.labels(result)
        logger = logging.Logger(LOGGER, logging.INFO)
        for handler in _handlers(config):
            handler.setFormatter(logging.Formatter("%(message)s"))
            logger.addHandler(_CountingHandler(handler, lines, log))
        self._is_used = bool(logger.handlers)
        self._write = structlog.wrap_logger(
            logger,
            wrapper_class=structlog.stdlib.BoundLogger,
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.processors.EventRenamer("action"),
                structlog.processors.JSONRenderer(serializer=_printable_json, ensure_ascii=False),
            ],
        ).bind(logger=LOGGER, holder=holder)

    def note(self, action: Action, **facts: Any) -> None:
        """Appends a line. Facts that are None are left out."""
        if self._is_used:
            self._write.info(action.value, **{name: fact for name, fact in facts.items() if fact is not None})

    def bind(self, facts: Mapping[str, Any]) -> None:
        """Adds facts to every later line."""
        self._write = self._write.bind(**facts)


class _CountingHandler(logging.Handler):
    """Passes lines to another handler and counts those that were written and those that failed."""

    def __init__(self, inner: logging.Handler, lines: Counter, log: FilteringBoundLogger) -> None:
        super().__init__()
        self._inner, self._lines, self._log = inner, lines, log
        self._failing, self._ok = False, True
        inner.handleError = self._failed  # type: ignore[method-assign]

    def emit(self, record: logging.LogRecord) -> None:
        self._ok = True
        try:
            self._inner.handle(record)
        except OSError:
            self._failed(record)
        if self._ok:
            self._failing = False
            self._lines.labels("written").inc()

    def _failed(self, record: logging.LogRecord) -> None:
        del record
        self._ok = False
        self._lines.labels("failed").inc()
        if not self._failing:
            self._failing = True
            self._log.error("the audit trail cannot be written", error=str(sys.exc_info()[1]))


def _handlers(config: TrailConfig) -> list[logging.Handler]:
    handlers: list[logging.Handler] = []
    if config.file is not None:
        try:
            handlers.append(WatchedFileHandler(config.file, encoding="utf-8"))
        except OSError as error:
            raise UnusableTrail(
                f"audit.file {config.file}: {error.strerror or error}; name a file that can be written"
            ) from error
    if config.stdout:
        handlers.append(logging.StreamHandler(sys.stdout))
    return handlers
