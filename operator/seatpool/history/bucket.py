"""Stores the Parquet files in S3: the same names below a prefix, encrypted with a KMS key if one is set."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from seatpool.aws.sessions import Role, SessionFactory, Sessions
from seatpool.history.archive import Days
from seatpool.history.config import S3, HistoryConfig
from seatpool.history.writing import SUFFIX, HistoryFile, HistoryNotWritten, write_lines

MOST_DELETED_AT_ONCE = 1000
CHECK_OBJECT = ".write-check"
"""Name of the object that is written only to see that the bucket can be written."""


class BucketArchive:
    """Archive below a prefix of a bucket."""

    def __init__(self, config: HistoryConfig, *, session_factory: SessionFactory) -> None:
        assert config.location is not None  # noqa: S101
        self.name = config.location
        self._bucket, _, prefix = config.location.removeprefix(S3).partition("/")
        self._prefix = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        self._encryption = {}
        if config.kms_key is not None:
            self._encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": config.kms_key}
        self._make = _maker(config, session_factory)
        self._made: Any = None

    def add(self, lines: Path, *, batch: str) -> None:
        with tempfile.TemporaryDirectory(prefix="seatpool-history-") as staging:
            for file in write_lines(lines, Path(staging), batch=batch):
                self.store(file)

    def days(self, kind: str) -> Days:
        found: dict[str, list[str]] = defaultdict(list)
        with self._asking() as client:
            pages = client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}kind={kind}/day="
            )
            for page in pages:
                for item in page.get("Contents", ()):
                    day, _, name = item["Key"].rpartition("/day=")[2].partition("/")
                    if name.endswith(SUFFIX) and "/" not in name:
                        found[day].append(name)
        return {day: tuple(names) for day, names in found.items()}

    def fetch(self, kind: str, day: str, names: Iterable[str], *, into: Path) -> list[Path]:
        into.mkdir(parents=True, exist_ok=True)
        with self._asking() as client:
            for name in names:
                fresh = into / f".{name}"
                client.download_file(self._bucket, f"{self._prefix}kind={kind}/day={day}/{name}", str(fresh))
                fresh.replace(into / name)
        return [into / name for name in names]

    def store(self, file: HistoryFile) -> None:
        with self._asking() as client, file.path.open("rb") as body:
            client.put_object(Bucket=self._bucket, Key=self._prefix + file.key, Body=body, **self._encryption)

    def remove(self, kind: str, day: str, names: Iterable[str]) -> None:
        keys = [f"{self._prefix}kind={kind}/day={day}/{name}" for name in names]
        with self._asking() as client:
            for start in range(0, len(keys), MOST_DELETED_AT_ONCE):
                answer = client.delete_objects(
                    Bucket=self._bucket,
                    Delete={"Objects": [{"Key": key} for key in keys[start : start + MOST_DELETED_AT_ONCE]]},
                )
                for problem in answer.get("Errors", ()):
                    raise HistoryNotWritten(
                        f"{self.name}: {problem.get('Key')} is not deleted: {problem.get('Message')}"
                    )

    def clear_leftovers(self) -> None:
        """Does nothing: an object in S3 is there as a whole or not at all."""

    def check(self) -> None:
        """Overwrites one small object. It stays, because the right to delete is needed for `retention_days` only."""
        with self._asking() as client:
            client.put_object(Bucket=self._bucket, Key=self._prefix + CHECK_OBJECT, Body=b"\n", **self._encryption)

    @contextmanager
    def _asking(self) -> Iterator[Any]:
        try:
            if self._made is None:
                self._made = self._make()
            yield self._made
        except (BotoCoreError, ClientError) as error:
            raise HistoryNotWritten(f"{self.name}: {error}") from error


def _maker(config: HistoryConfig, session_factory: SessionFactory) -> Callable[[], Any]:
    settings = Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3})
    sessions = Sessions(
        factory=session_factory, endpoint_url=config.endpoint_url, config=settings, role_session_name="seatpool-history"
    )
    role = None
    if config.role_arn is not None and config.region is not None:
        role = Role(arn=config.role_arn, external_id=config.external_id, region=config.region)
    return lambda: sessions.of(role).client(
        "s3", region_name=config.region, endpoint_url=config.endpoint_url, config=settings
    )
