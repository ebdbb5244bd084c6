"""Hands facts to the sinks. If a sink fails, only its own report of the fact is lost."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import ClassVar, Protocol

from structlog.typing import FilteringBoundLogger

from seatpool.control.metrics import ControlMetrics
from seatpool.control.sinks.facts import Fact


class Sink(Protocol):
    """Takes facts. It neither waits nor calls back into a reconciler."""

    kinds: ClassVar[tuple[type[Fact], ...]]
    """The facts that concern the sink; it is handed no others."""

    def handle(self, fact: Fact) -> None:
        """Takes one fact."""


class Broadcaster:
    """Publishes facts to the sinks that they concern, in the order of the sinks."""

    def __init__(self, sinks: Sequence[Sink], *, metrics: ControlMetrics, log: FilteringBoundLogger) -> None:
        self._sinks: dict[type, list[Sink]] = defaultdict(list)
        for sink in sinks:
            for kind in sink.kinds:
                self._sinks[kind].append(sink)
        self._metrics = metrics
        self._log = log

    def publish(self, facts: Iterable[Fact]) -> None:
        """Hands each fact to each sink that it concerns."""
        for fact in facts:
            for sink in self._sinks.get(type(fact), ()):
                try:
                    sink.handle(fact)
                except Exception:  # noqa: BLE001
                    name = type(sink).__name__
                    self._metrics.sink_failures.labels(name).inc()
                    self._log.error("a sink failed", sink=name, fact=type(fact).__name__, exc_info=True)
