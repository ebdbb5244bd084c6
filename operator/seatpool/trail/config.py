"""Defines the settings section `audit`."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class TrailConfig(BaseModel):
    """Settings of the audit trail: one JSON line for each grant, release, refusal, apply and approval."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path | None = Field(
        default=None, description="File that lines are appended to; it may be rotated by moving it away."
    )
    stdout: bool = Field(default=False, description="Write them to standard output, which carries nothing else.")
