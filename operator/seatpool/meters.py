"""Creates Prometheus metrics and remembers name, type, text and labels of each for the reference page.

/metrics does not list a labelled metric before its first sample. A page made from there would miss it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

PREFIX = "seatpool_"

# Creation times would be one more series a counter, and no query uses them.
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One metric as the reference page shows it."""

    name: str
    """Name in a query: with `_total` for a counter, without `_bucket` for a histogram."""
    type: str
    text: str
    labels: tuple[str, ...]


class Meters:
    """Creates metrics on one registry and remembers them in `described`."""

    def __init__(self, registry: CollectorRegistry, prefix: str = PREFIX) -> None:
        self.described: list[Described] = []
        self._registry = registry
        self._prefix = prefix

    def counter(self, name: str, text: str, *labels: str) -> Counter:
        full = self._register(name, "counter", text, labels, suffix="_total")
        return Counter(full, text, labels, registry=self._registry)

    def gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(self._register(name, "gauge", text, labels), text, labels, registry=self._registry)

    def histogram(self, name: str, text: str, *labels: str, buckets: Sequence[float]) -> Histogram:
        full = self._register(name, "histogram", text, labels)
        return Histogram(full, text, labels, buckets=buckets, registry=self._registry)

    def _register(self, name: str, type_: str, text: str, labels: tuple[str, ...], *, suffix: str = "") -> str:
        full = f"{self._prefix}{name}"
        self.described.append(Described(name=full + suffix, type=type_, text=text, labels=labels))
        return full
