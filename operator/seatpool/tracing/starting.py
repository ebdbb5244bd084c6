"""Starts tracing as settings and environment ask for it, or names the mistake in them before anything runs.

OpenTelemetry itself reads `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`,
`OTEL_EXPORTER_OTLP_*` and `OTEL_SDK_DISABLED`. The variables that it leaves to the program are read here.
"""

import os
from collections.abc import Mapping

from seatpool.domain.errors import SeatpoolError
from seatpool.text import missing_package
from seatpool.tracing.config import TracingConfig
from seatpool.tracing.spans import UNTRACED, Traces

_PROTOCOL = "http/protobuf"
_PROTOCOL_VARIABLES = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


class UnusableTracing(SeatpoolError):
    """Traces are enabled and cannot be made."""


def start_tracing(config: TracingConfig, *, environ: Mapping[str, str] = os.environ) -> Traces:
    """Returns traces to the exporter that the environment names.

    Returns UNTRACED if tracing is not enabled or OTEL_TRACES_EXPORTER is none. Raises UnusableTracing.
    """
    exporter = environ.get("OTEL_TRACES_EXPORTER", "").strip() or "otlp"
    if not config.enabled or exporter == "none":
        return UNTRACED
    if exporter not in ("otlp", "console"):
        raise UnusableTracing(f"OTEL_TRACES_EXPORTER={exporter}: only otlp, console and none are known")
    protocol = next((environ[name] for name in _PROTOCOL_VARIABLES if environ.get(name)), _PROTOCOL)
    if exporter == "otlp" and protocol != _PROTOCOL:
        raise UnusableTracing(
            f"OTLP protocol {protocol}: only {_PROTOCOL} is built in; leave {' and '.join(_PROTOCOL_VARIABLES)} unset, and "
            "name an endpoint that takes it (its usual port is 4318)"
        )
    try:
        from seatpool.tracing.otel import create_traces
    except ImportError as error:
        raise UnusableTracing(missing_package("tracing.enabled needs", error.name, extra="tracing")) from error
    return create_traces(to_console=exporter == "console")
