"""Defines the settings section `tracing`. The environment variables of OpenTelemetry say where traces go."""

from pydantic import BaseModel, ConfigDict, Field


class TracingConfig(BaseModel):
    """Settings of traces from an event to the list that it changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        default=False,
        description="Send OpenTelemetry traces; needs the extra `tracing`. Where to: OTEL_EXPORTER_OTLP_ENDPOINT and so on.",
    )
