"""Whether traces are made. Where they go is said by OpenTelemetry's own environment variables."""

from pydantic import BaseModel, ConfigDict, Field


class TracingConfig(BaseModel):
    """Traces from an event to the list that it changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(
        default=False,
        description="Send OpenTelemetry traces; needs the extra `tracing`. Where to: OTEL_EXPORTER_OTLP_ENDPOINT and so on.",
    )
