"""Makes spans with OpenTelemetry. Only this module imports it, and it is imported only if traces are enabled."""

import socket
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode
from structlog.contextvars import bound_contextvars

from seatpool.tracing.spans import Fact, Mark, Role

NAME = "seatpool"
_KINDS = {Role.INTERNAL: SpanKind.INTERNAL, Role.CONSUMER: SpanKind.CONSUMER, Role.CLIENT: SpanKind.CLIENT}


@dataclass(frozen=True, slots=True, eq=False)
class OtelMark:
    """A mark. It equals only itself, because a `SpanContext` cannot be in a set."""

    context: SpanContext


def create_traces(*, to_console: bool) -> "OpenTelemetryTraces":
    """Creates a tracer provider of its own, so that two operators in a process do not share one."""
    ours = {"service.name": NAME, "service.version": version(NAME), "service.instance.id": socket.gethostname()}
    resource = Resource.create({**ours, **OTELResourceDetector().detect().attributes})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = ConsoleSpanExporter(out=sys.stdout) if to_console else OTLPSpanExporter()
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return OpenTelemetryTraces(provider)


class OpenTelemetryTraces:
    """Implements `Traces` on a tracer provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer(NAME)

    def span(
        self,
        name: str,
        *,
        role: Role = Role.INTERNAL,
        parent: Mark | None = None,
        links: Iterable[Mark] = (),
        facts: Mapping[str, Fact] | None = None,
    ) -> AbstractContextManager[Mark | None]:
        return self._span(name, role, parent, links, facts)

    @contextmanager
    def _span(
        self, name: str, role: Role, parent: Mark | None, links: Iterable[Mark], facts: Mapping[str, Fact] | None
    ) -> Iterator[Mark]:
        with self._tracer.start_as_current_span(
            name,
            context=None if parent is None else _within(parent),
            kind=_KINDS[role],
            links=[Link(context) for context in _contexts(links)],
            attributes=facts,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            context = span.get_span_context()
            try:
                with bound_contextvars(trace=trace.format_trace_id(context.trace_id)):
                    yield OtelMark(context)
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
                raise

    def link(self, marks: Iterable[Mark]) -> None:
        span = trace.get_current_span()
        for context in _contexts(marks):
            span.add_link(context)

    def note(self, facts: Mapping[str, Fact]) -> None:
        trace.get_current_span().set_attributes(facts)

    def record(
        self,
        name: str,
        *,
        parent: Mark,
        links: Iterable[Mark],
        began: datetime,
        ended: datetime,
        facts: Mapping[str, Fact],
    ) -> None:
        self._tracer.start_span(
            name,
            context=_within(parent),
            links=[Link(context) for context in _contexts(links)],
            start_time=_nanoseconds(began),
            attributes=facts,
        ).end(_nanoseconds(ended))

    def trace_id(self, mark: Mark | None) -> str | None:
        if not isinstance(mark, OtelMark) or not mark.context.trace_flags.sampled:
            return None
        return trace.format_trace_id(mark.context.trace_id)

    def close(self) -> None:
        self._provider.shutdown()


def _within(mark: Mark) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(next(_contexts([mark]))))


def _contexts(marks: Iterable[Mark]) -> Iterator[SpanContext]:
    for mark in marks:
        assert isinstance(mark, OtelMark)  # noqa: S101
        yield mark.context


def _nanoseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1e9)
