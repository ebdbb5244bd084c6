"""An event can be followed to its list: in metrics, by grep in the log, and in one trace."""

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext
from tests.integration.control.conftest import ACCOUNT, Stage, event, instance, passes_in
from tests.waiting import eventually

from seatpool.api.licenseserver import LicenseServer
from seatpool.control.runtime.operator import Operator
from seatpool.tracing.otel import OpenTelemetryTraces


def sample(operator: Operator, name: str, **labels: str) -> float | None:
    return operator.registry.get_sample_value(f"seatpool_{name}", labels)


async def test_latency_seats_and_waits_are_measured_and_go_with_their_pool(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(seats=1))
    pool, server = f"{stage.namespace}/matlab", f"{stage.namespace}/licenses"
    place = {"pool": pool, "server": server}
    async with stage.operator(mirror=stage.mirror_settings()) as operator:
        await stage.until_ready()
        began = datetime.now(UTC)
        stage.send(event(1, "running", "ann", at=began - timedelta(seconds=30)))
        await stage.until_list(["ann"])
        await eventually(lambda: sample(operator, "journeys_total", outcome="listed") == 1)
        assert sample(operator, "events_followed_total", outcome="listed") == 1
        assert 30 < (sample(operator, "event_to_list_seconds_sum", server=server) or 0) < 60
        assert 0 < (sample(operator, "message_to_list_seconds_sum", server=server) or 0) < 30
        stage.send(event(2, "running", "bob"))
        await eventually(lambda: sample(operator, "pool_users_waiting", **place) == 1)
        since = sample(operator, "pool_oldest_wait_start_timestamp_seconds", **place)
        assert since is not None
        assert since >= began.timestamp() - 1
        await eventually(lambda: sample(operator, "journeys_total", outcome="unchanged") == 1)
        assert sample(operator, "event_to_list_seconds_count", server=server) == 1, "who waits is on no list"
        assert (sample(operator, "pool_seats", **place), sample(operator, "pool_seats_used", **place)) == (1, 1)
        await eventually(lambda: sample(operator, "pool_in_sync", **place) == 1)
        stage.send(event(1, "stopped", "ann"))
        await stage.until_list(["bob"])
        await eventually(lambda: sample(operator, "pool_oldest_wait_start_timestamp_seconds", **place) is None)
        assert (sample(operator, "wait_seconds_sum", pool=pool) or 0) > 0
        stage.delete("licensepool", "matlab")
        await eventually(lambda: sample(operator, "pool_seats", **place) is None)
        stage.delete("licenseserver", "licenses")
        await eventually(lambda: sample(operator, "server_in_sync", server=server) is None)


async def test_a_list_that_is_only_computed_ends_the_way_to_it(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool(mode="DryRun"))
    async with stage.operator(mirror=stage.mirror_settings()) as operator:
        await stage.until_ready()
        stage.send(event(1, "running", "ann"))
        await eventually(lambda: sample(operator, "journeys_total", outcome="not_written") == 1)
        stage.send(event(2, "running", "bob", type="vew-nobody-serves"))
        await eventually(lambda: sample(operator, "journeys_total", outcome="no_pool") == 1)


async def test_an_event_is_followed_to_its_list_by_grep(stage: Stage) -> None:
    stage.apply(stage.server(), stage.pool())
    process = stage.start_process(mirror=stage.mirror_settings())
    log = stage.tmp_path / "operator.log"
    try:
        await stage.until_condition(LicenseServer, "licenses", "Ready", status="True")
        message = stage.site.client("sqs").send_message(
            QueueUrl=stage.site.queue_url, MessageBody=json.dumps(event(1, "running", "ann"))
        )["MessageId"]
        stage.send("not an event")
        await stage.until_list(["ann"])
        await eventually(lambda: "list applied" in log.read_text() and "bad message" in log.read_text())
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    of_message = {line["event"]: line for line in lines if message in json.dumps(line)}
    written, listed = of_message["workbench written"], of_message["event is on the list"]
    assert written["instance"] == listed["instance"] == instance(1)
    assert listed["pools"] == [f"{stage.namespace}/matlab"]
    command = listed["command"]
    of_command = {line["event"]: line for line in lines if line.get("command") == command}
    assert {"command sent", "list applied", "event is on the list"} <= set(of_command)
    assert {line["revision"] for line in of_command.values()} == {1}
    assert {line["server"] for line in of_command.values()} == {f"{stage.namespace}/licenses"}
    assert of_command["command sent"]["products"] == ["matlab"]
    starting = next(line for line in lines if line["event"] == "starting")
    assert "command" not in starting
    text = log.read_text()
    assert all(secret not in text for secret in ("AWS_SECRET", "secret_access_key", "Bearer ", "-----BEGIN"))
    assert f'"{ACCOUNT}"' not in text, "the access key that the tests use is the account's number"


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def traced(spans: InMemorySpanExporter) -> OpenTelemetryTraces:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return OpenTelemetryTraces(provider)


def named(spans: InMemorySpanExporter, name: str, **facts: Any) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name and facts.items() <= _facts(span).items()]


def _facts(span: ReadableSpan) -> Mapping[str, Any]:
    return {key.removeprefix("seatpool."): value for key, value in (span.attributes or {}).items()}


def _id(context: SpanContext | None) -> int | None:
    return context.span_id if context is not None else None


def _linked(span: ReadableSpan) -> set[int | None]:
    return {_id(link.context) for link in span.links}


async def test_one_trace_goes_from_the_message_to_the_read_back_list(stage: Stage, spans: InMemorySpanExporter) -> None:
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(mirror=stage.mirror_settings(), traces=traced(spans)) as operator:
        await stage.until_ready()

        async def rests() -> bool:
            return await passes_in(operator, 0.7) == 0

        await eventually(rests, what="what comes begins a pass of its own")
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        await eventually(lambda: len(named(spans, "event to list", outcome="listed")) == 1)
        await stage.until_ready()
        await eventually(lambda: len(named(spans, "reconcile", messages=1)) == 1)
    (message,) = named(spans, "message", instance=instance(1))
    (reconcile,) = named(spans, "reconcile", messages=1)
    context = message.context
    assert context is not None
    of_trace = [
        span for span in spans.get_finished_spans() if span.context and span.context.trace_id == context.trace_id
    ]
    parents = {span.name: span.parent for span in of_trace}
    assert parents["write workbench"] == parents["reconcile"] == parents["event to list"] == context
    below = {span.name for span in of_trace if span.parent == reconcile.context}
    assert below >= {
        "allocate", "store answers and intent", "send command", "wait for command and read back", "write status",
    }  # fmt: skip
    times = {span.name: (span.start_time or 0, span.end_time or 0) for span in of_trace}
    # A watch may tell of the write before its answer is there.
    assert times["write workbench"][0] <= times["allocate"][0] <= times["send command"][0]
    assert times["send command"][1] <= times["wait for command and read back"][0]
    (arrival,) = named(spans, "event to list")
    assert _linked(arrival) == {_id(reconcile.context)}
    (sending,) = named(spans, "send command")
    (waiting,) = named(spans, "wait for command and read back")
    assert _facts(sending)["command"] == _facts(waiting)["command"]
    assert _facts(reconcile)["revision"] == _facts(arrival)["revision"] == 1


async def test_a_command_that_answers_many_messages_is_linked_to_each(
    stage: Stage, spans: InMemorySpanExporter
) -> None:
    stage.apply(stage.server(debounce="1s"), stage.pool(seats=20))
    async with stage.operator(mirror=stage.mirror_settings(), traces=traced(spans)):
        await stage.until_ready()
        await stage.until_condition(LicenseServer, "licenses", "Ready", status="True")
        stage.send(*(event(number, "running", f"user{number}") for number in range(10)))
        await stage.until_list([f"user{number}" for number in range(10)])
        await eventually(lambda: len(named(spans, "event to list", outcome="listed")) == 10)
        await stage.until_ready()
        await eventually(lambda: len({_facts(span).get("revision") for span in named(spans, "reconcile")} - {None}) > 0)
    passes = {_id(span.context): span for span in named(spans, "reconcile")}
    arrivals, messages = named(spans, "event to list"), {_id(span.context) for span in named(spans, "message")}
    assert len(messages) == 10
    assert {_id(span.parent) for span in arrivals} == messages
    for number in {number for span in arrivals for number in _linked(span)}:
        allocate = next(span for span in named(spans, "allocate") if _id(span.parent) == number)
        answered = {_id(span.parent) for span in arrivals if number in _linked(span)}
        assert answered <= _linked(passes[number]) | _linked(allocate) | {_id(passes[number].parent)}
