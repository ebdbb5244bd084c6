"""Tracing costs nothing until it is asked for, and a mistake in the environment is told before anything runs."""

import subprocess
import sys

import pytest

from seatpool.tracing.config import TracingConfig
from seatpool.tracing.spans import UNTRACED
from seatpool.tracing.starting import UnusableTracing, start_tracing

ON = TracingConfig(enabled=True)


def test_there_are_no_traces_unless_somebody_asks() -> None:
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
    assert start_tracing(TracingConfig(), environ=endpoint) is UNTRACED


def test_the_environment_can_switch_them_off() -> None:
    assert start_tracing(ON, environ={"OTEL_TRACES_EXPORTER": "none"}) is UNTRACED


def test_an_unknown_exporter_is_refused() -> None:
    with pytest.raises(UnusableTracing, match="OTEL_TRACES_EXPORTER=zipkin: only otlp, console and none"):
        start_tracing(ON, environ={"OTEL_TRACES_EXPORTER": "zipkin"})


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"])
def test_a_protocol_that_is_not_built_in_is_refused(name: str) -> None:
    with pytest.raises(UnusableTracing, match="OTLP protocol grpc: only http/protobuf is built in"):
        start_tracing(ON, environ={name: "grpc"})


def test_a_missing_package_is_named_with_the_extra_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    monkeypatch.delitem(sys.modules, "seatpool.tracing.otel", raising=False)
    with pytest.raises(UnusableTracing, match=r"pip install '\./seatpool-VERSION-py3-none-any\.whl\[tracing\]'"):
        start_tracing(ON, environ={})


def test_the_operator_imports_no_opentelemetry_while_tracing_is_off() -> None:
    script = (
        "import sys\n"
        "import seatpool.control.runtime.operator\n"
        "from seatpool.tracing.config import TracingConfig\n"
        "from seatpool.tracing.starting import start_tracing\n"
        "start_tracing(TracingConfig())\n"
        "print(sorted(name for name in sys.modules if name.startswith('opentelemetry')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
