"""What comes of the history."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class HistoryMetrics:
    """Recording, in numbers."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.rows = Counter(
            "seatpool_history_rows",
            "Facts noted for the history, by what came of them.",
            ("result",),
            registry=registry,
        )
        self.waiting = Gauge("seatpool_history_rows_waiting", "Facts that are not in the spool yet.", registry=registry)
        self.errors = Counter(
            "seatpool_history_errors",
            "Attempts to write that failed: spool, archive or tidying.",
            ("part",),
            registry=registry,
        )
        self.failing = Gauge(
            "seatpool_history_failing", "1 while the last attempt of a part failed.", ("part",), registry=registry
        )
        self.archived = Gauge(
            "seatpool_history_archived_timestamp_seconds",
            "When everything that was spooled was last in Parquet files.",
            registry=registry,
        )
