"""Defines the metrics of the history."""

from prometheus_client import CollectorRegistry

from seatpool.meters import Meters


class HistoryMetrics:
    """Metrics of recording."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.meters = Meters(registry)
        gauge, counter = self.meters.gauge, self.meters.counter
        self.rows = counter("history_rows", "Facts noted for the history, by what came of them.", "result")
        self.waiting = gauge("history_rows_waiting", "Facts that are not in the spool yet.")
        self.errors = counter("history_errors", "Attempts to write that failed: spool, archive or tidying.", "part")
        self.failing = gauge("history_failing", "1 while the last attempt of a part failed.", "part")
        for result in ("spooled", "dropped"):
            self.rows.labels(result)
        self.archived = gauge(
            "history_archived_timestamp_seconds", "When everything that was spooled was last in Parquet files."
        )
