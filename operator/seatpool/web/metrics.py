"""Metrics of the HTTP API. A label holds a route, a status or a word of a closed set. Never a user, a token or a path."""

from prometheus_client import CollectorRegistry

from seatpool.meters import Meters

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class WebMetrics:
    """Creates the metrics of one `seatpool web` on the registry that its process serves."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.meters = Meters(registry)
        self.requests = self.meters.counter("web_requests", "Requests that were answered.", "route", "status")
        self.seconds = self.meters.histogram(
            "web_request_seconds",
            "Time until a request was answered, without event streams.",
            "route",
            buckets=_SECONDS,
        )
        self.reviews = self.meters.counter(
            "web_reviews", "Questions to the API server: who a token belongs to, or what a caller may do.", "kind"
        )
        self.streams = self.meters.gauge("web_streams", "Event streams that are open.")
        self.workbenches = self.meters.gauge("web_workbenches", "Workbenches in the cache.")
