"""Spans as OpenTelemetry gets them."""

import http.server
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from seatpool.tracing.config import TracingConfig
from seatpool.tracing.otel import OpenTelemetryTraces, OtelMark
from seatpool.tracing.spans import Mark, Role
from seatpool.tracing.starting import start_tracing

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def context_of(mark: Mark | None) -> SpanContext:
    assert isinstance(mark, OtelMark)
    return mark.context


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def traces(exporter: InMemorySpanExporter) -> OpenTelemetryTraces:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return OpenTelemetryTraces(provider)


def test_a_span_lies_within_the_present_one_or_within_a_mark(
    traces: OpenTelemetryTraces, exporter: InMemorySpanExporter
) -> None:
    with traces.span("message", role=Role.CONSUMER, facts={"n": 1}) as message, traces.span("write"):
        pass
    with traces.span("another") as another:
        pass
    with traces.span("reconcile", parent=message, links=[another]) as mark:
        traces.note({"revision": 7})
    write, first, _, reconcile = exporter.get_finished_spans()
    assert (first.kind, dict(first.attributes or {}), first.parent) == (SpanKind.CONSUMER, {"n": 1}, None)
    assert write.parent == context_of(message)
    assert reconcile.parent == context_of(message)
    assert reconcile.context == context_of(mark)
    assert [link.context for link in reconcile.links] == [context_of(another)]
    assert (reconcile.attributes or {})["revision"] == 7


def test_a_failure_is_told_by_the_span_that_it_ends(
    traces: OpenTelemetryTraces, exporter: InMemorySpanExporter
) -> None:
    with pytest.raises(ValueError, match="no"), traces.span("send"):
        raise ValueError("no")
    (span,) = exporter.get_finished_spans()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "ValueError: no")


def test_lines_within_a_span_name_its_trace(traces: OpenTelemetryTraces) -> None:
    with traces.span("pass") as mark:
        assert structlog.contextvars.get_contextvars()["trace"] == traces.trace_id(mark)
    assert "trace" not in structlog.contextvars.get_contextvars()


def test_a_span_can_be_made_when_its_times_are_known(
    traces: OpenTelemetryTraces, exporter: InMemorySpanExporter
) -> None:
    with traces.span("message") as message:
        pass
    with traces.span("reconcile") as reconcile:
        pass
    ended = START + timedelta(seconds=1.5)
    traces.record("event to list", parent=message, links=[reconcile], began=START, ended=ended, facts={"pool": "a/b"})
    span = exporter.get_finished_spans()[-1]
    assert span.parent == context_of(message)
    assert [link.context for link in span.links] == [context_of(reconcile)]
    assert (span.end_time or 0) - (span.start_time or 0) == 1_500_000_000


def test_links_that_come_later_are_kept(traces: OpenTelemetryTraces, exporter: InMemorySpanExporter) -> None:
    with traces.span("message") as message:
        pass
    with traces.span("allocate"):
        traces.link([message])
    assert [link.context for link in exporter.get_finished_spans()[-1].links] == [context_of(message)]


@pytest.fixture
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """Takes OTLP over HTTP, as a collector does."""
    taken: list[ExportTraceServiceRequest] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", taken
        server.shutdown()
        thread.join()


def test_opentelemetrys_own_variables_say_where_to_and_under_which_name(
    collector: tuple[str, list[ExportTraceServiceRequest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, taken = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "seatpool-berlin")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=prod,service.version=9.9")
    traces = start_tracing(TracingConfig(enabled=True))
    with traces.span("message"):
        pass
    traces.close()
    (resource,) = (part for request in taken for part in request.resource_spans)
    attributes = {item.key: item.value.string_value for item in resource.resource.attributes}
    assert attributes["service.name"] == "seatpool-berlin"
    assert (attributes["deployment.environment"], attributes["service.version"]) == ("prod", "9.9")
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["message"]


def test_the_sdk_can_be_disabled_by_its_own_variable(
    collector: tuple[str, list[ExportTraceServiceRequest]], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, taken = collector
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    traces = start_tracing(TracingConfig(enabled=True))
    with traces.span("message") as mark:
        assert traces.trace_id(mark) is None
    traces.close()
    assert taken == []


def test_a_collector_that_is_away_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    traces = start_tracing(TracingConfig(enabled=True))
    with traces.span("message"):
        pass
    closing = threading.Thread(target=traces.close)
    closing.start()
    closing.join(20)
    assert not closing.is_alive()
