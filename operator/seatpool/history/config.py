"""Defines the settings section `history`."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from seatpool.api.base import Duration

S3 = "s3://"


class HistoryConfig(BaseModel):
    """Settings of the history of seat intervals, waits and refusals."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    location: str | None = Field(
        default=None,
        min_length=1,
        description="Folder, or s3://bucket/prefix, of the Parquet files; without it nothing is recorded.",
    )
    spool: Path | None = Field(
        default=None,
        description="Folder on a local disk for what is not in a Parquet file yet. Default: .spool in the location's folder.",
    )
    flush_interval: Annotated[Duration, Field(ge=timedelta(seconds=1))] = Field(
        default=timedelta(minutes=1), description="How often what was recorded becomes Parquet files."
    )
    retention_days: int | None = Field(
        default=None, ge=1, description="After so many days a day's files are deleted; without it they are kept."
    )
    salt_file: Path | None = Field(
        default=None,
        description="File with a secret: users are recorded under pseudonyms made with it. Without it under their names.",
    )
    capacity: int = Field(
        default=100_000,
        ge=1,
        description="How many facts wait in memory while the spool cannot be written; then the oldest are dropped.",
    )
    region: str | None = Field(default=None, description="Region of the bucket.")
    kms_key: str | None = Field(default=None, description="KMS key that encrypts the bucket's objects: id or ARN.")
    role_arn: str | None = Field(default=None, description="Role to assume for the bucket.")
    external_id: str | None = Field(default=None, description="External id that the role asks for.")
    endpoint_url: str | None = Field(default=None, description="Another AWS endpoint, for a stand-in.")

    @model_validator(mode="after")
    def _fits_together(self) -> "HistoryConfig":
        if self.location is None:
            return self
        if self.is_s3:
            bucket = self.location.removeprefix(S3).partition("/")[0]
            if not bucket:
                raise ValueError(f"location {self.location!r} names no bucket; write s3://bucket/prefix")
            if self.spool is None:
                raise ValueError("location is in S3 and spool is not given: name a folder on a local disk")
            if self.role_arn is not None and self.region is None:
                raise ValueError("role_arn is given and region is not: write the bucket's region")
        elif self.kms_key is not None or self.role_arn is not None:
            raise ValueError("kms_key and role_arn are only used when location is s3://bucket/prefix")
        if self.external_id is not None and self.role_arn is None:
            raise ValueError("external_id is only used together with role_arn")
        return self

    @property
    def is_s3(self) -> bool:
        return self.location is not None and self.location.startswith(S3)

    @property
    def spool_folder(self) -> Path:
        """Returns the folder of the spool. `location` must be set."""
        if self.spool is not None:
            return self.spool
        assert self.location is not None  # noqa: S101
        return Path(self.location) / ".spool"
