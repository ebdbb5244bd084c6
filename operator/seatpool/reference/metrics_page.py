"""Makes the reference page of the metrics from the metrics themselves, and the Markdown tables of every page."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry

from seatpool.control.metrics import ControlMetrics
from seatpool.history.metrics import HistoryMetrics
from seatpool.meters import Described
from seatpool.mirror.metrics import MirrorMetrics
from seatpool.notify.outbox import NotifyMetrics
from seatpool.trail.trail import TrailMetrics
from seatpool.web.metrics import WebMetrics

_CHAPTERS = (
    ("Pools, servers and the operator itself", ControlMetrics),
    ("From EC2 and the queue to Workbench objects", MirrorMetrics),
    ("Notices", NotifyMetrics),
    ("The audit trail", TrailMetrics),
    ("The history, where it is recorded", HistoryMetrics),
    ("The HTTP API, on the port of `seatpool web`", WebMetrics),
)

_ABOUT = """\
`/metrics` on `http.port` (8080) serves them, in OpenMetrics with exemplars for those who ask for it;
`/metrics?name[]=seatpool_pool_seats&name[]=…` gives those that are named. What follows from the
conventions is not repeated: a counter ends in `_total`; a histogram has `_bucket`, `_sum` and `_count`; times are in seconds
and instants are Unix timestamps. `process_*` and `python_*` come with the client library.

`pool` and `server` are `namespace/name`. No label ever holds a user, an instance or a message: what the number of series grows
with is pools, servers, accounts and regions. Series of a pool or a server that was deleted go with it, counters excepted.
"""


def markdown_table(headings: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Returns a Markdown table. A bar inside a cell is escaped."""
    lines = [headings, ("---",) * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def described() -> dict[str, tuple[Described, ...]]:
    """Returns every metric of the operator, by chapter."""
    return {title: tuple(made(CollectorRegistry()).meters.described) for title, made in _CHAPTERS}


def metrics_page() -> str:
    """Returns the page: name, type, labels and meaning of each metric."""
    parts = [_ABOUT]
    for title, metrics in described().items():
        parts += [f"## {title}\n", markdown_table(("Metric", "Type", "Labels", "Meaning"), _rows(metrics))]
    return "\n".join(parts)


def _rows(metrics: Iterable[Described]) -> Iterable[tuple[str, ...]]:
    for metric in metrics:
        yield f"`{metric.name}`", metric.type, ", ".join(f"`{label}`" for label in metric.labels), metric.text
