"""Defines the settings section `notify`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seatpool.api.base import Duration


class WebhookConfig(BaseModel):
    """Settings of the webhook."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        default=None, pattern=r"^https?://\S+$", repr=False, description="Where notices are posted to."
    )
    secret_file: Path | None = Field(
        default=None, description="File with the secret that signs every post; it is read again for each."
    )

    @model_validator(mode="after")
    def _is_signed(self) -> "WebhookConfig":
        if self.url is not None and self.secret_file is None:
            raise ValueError("url is given without secret_file: the receiver could not tell who posts; name a file")
        return self


class NotifyConfig(BaseModel):
    """Settings of the notices about seats."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bus: str | None = Field(default=None, description="EventBridge bus that notices are put on: its name or ARN.")
    region: str | None = Field(default=None, description="Region of the bus.")
    role_arn: str | None = Field(default=None, description="Role to assume for the bus, when it is another account's.")
    external_id: str | None = Field(default=None, description="External id that the role asks for.")
    endpoint_url: str | None = Field(default=None, description="Another AWS endpoint, for a stand-in.")
    webhook: WebhookConfig = Field(default=WebhookConfig(), description="Receiver of signed HTTP posts.")
    capacity: int = Field(
        default=5000,
        ge=1,
        le=100_000,
        description="How many notices wait for a receiver that is away; then the oldest are dropped.",
    )
    repeated: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(days=1))] = Field(
        default=timedelta(minutes=10),
        description="A new process repeats notices of seats granted up to so long before the last sign of life of the old one.",
    )
    positions: int = Field(
        default=5,
        ge=0,
        le=5000,
        description="So many users at the front of the line get a notice of each new position, the others only of their first.",
    )

    @model_validator(mode="after")
    def _has_a_region(self) -> "NotifyConfig":
        if self.bus is not None and self.region is None and not self.bus.startswith("arn:"):
            raise ValueError("bus is a name, and region is not given: write the region, or the bus as an ARN")
        if self.external_id is not None and self.role_arn is None:
            raise ValueError("external_id is only used together with role_arn")
        return self
