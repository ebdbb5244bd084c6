"""Hands facts to the sinks. A sink that fails costs what it would have told, and nothing else."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks.facts import Fact


class Sink(Protocol):
    """Takes facts. It neither waits nor calls back into a reconciler."""

    def handle(self, fact: Fact) -> None:
        """Takes one fact; those that do not concern the sink are passed over."""


class Broadcaster:
    """Publishes facts to every sink, in order."""

    def __init__(self, sinks: Sequence[Sink], *, metrics: ControlMetrics, log: FilteringBoundLogger) -> None:
        self._sinks = tuple(sinks)
        self._metrics = metrics
        self._log = log

    def publish(self, facts: Iterable[Fact]) -> None:
        """Hands each fact to each sink."""
        for fact in facts:
            for sink in self._sinks:
                try:
                    sink.handle(fact)
                except Exception:  # noqa: BLE001
                    name = type(sink).__name__
                    self._metrics.sink_failures.labels(name).inc()
                    self._log.error("a sink failed", sink=name, fact=type(fact).__name__, exc_info=True)
