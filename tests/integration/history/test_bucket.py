"""The history in a bucket: the same files under the same names, encrypted with the key that was asked for."""

import json
import secrets
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
import structlog
from tests.unit.history.rows import NOON, capacity, session
from tests.unit.web.test_visible_users import live, objects

from seatpool.history.bucket import BucketArchive
from seatpool.history.compaction import Compactor
from seatpool.history.config import HistoryConfig
from seatpool.history.copying import copy_archive
from seatpool.history.schema import Row, row_to_json
from seatpool.history.sql import run_query
from seatpool.history.writing import HistoryNotWritten
from seatpool.sim.aws import AwsProcess
from seatpool.web.history import HistoryAnswers
from seatpool.web.problems import ProblemId, Refusal

REGION = "eu-central-1"
KEY = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555"
TODAY = NOON.date()


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsProcess]:
    with AwsProcess(tmp_path_factory.mktemp("aws")) as process:
        yield process


def home() -> boto3.Session:
    return boto3.Session(aws_access_key_id="123456789012", aws_secret_access_key="test", region_name=REGION)


class Bucket:
    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.client: Any = home().client("s3", endpoint_url=endpoint)
        self.name = f"history-{secrets.token_hex(4)}"
        self.client.create_bucket(Bucket=self.name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def archive(self, *, prefix: str = "licenses/history", **settings: Any) -> BucketArchive:
        values = {
            "location": f"s3://{self.name}/{prefix}",
            "spool": "/nowhere",
            "region": REGION,
            "endpoint_url": self.endpoint,
        }
        return BucketArchive(HistoryConfig.model_validate(values | settings), session_factory=home)

    def keys(self) -> list[str]:
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=self.name).get("Contents", [])]


@pytest.fixture
def bucket(aws: AwsProcess) -> Bucket:
    return Bucket(aws.endpoint)


def lines(folder: Path, *rows: Row) -> Path:
    file = folder / f"{secrets.token_hex(4)}.jsonl"
    file.write_text("".join(json.dumps(row_to_json(row)) + "\n" for row in rows))
    return file


def test_files_lie_where_they_would_in_a_folder_encrypted_with_the_key(bucket: Bucket, tmp_path: Path) -> None:
    archive = bucket.archive(kms_key=KEY)
    archive.add(lines(tmp_path, session("ann", 0, 60), capacity(5)), batch="one")
    archive.add(lines(tmp_path, session("ann", 0, 60), capacity(5)), batch="one")
    assert bucket.keys() == [
        "licenses/history/kind=capacity/day=2026-03-09/one.parquet",
        "licenses/history/kind=sessions/day=2026-03-09/one.parquet",
    ]
    told = bucket.client.head_object(Bucket=bucket.name, Key=bucket.keys()[0])
    assert (told["ServerSideEncryption"], told["SSEKMSKeyId"]) == ("aws:kms", KEY)


def test_the_bucket_is_read_through_a_copy_that_is_kept_up_to_date(bucket: Bucket, tmp_path: Path) -> None:
    archive, cache = bucket.archive(prefix=""), tmp_path / "cache"
    people = "SELECT user_id FROM sessions ORDER BY 1"
    archive.add(lines(tmp_path, session("ann", 0, 60)), batch="one")
    assert list(run_query(copy_archive(archive, cache, since=None), people).rows) == [("ann",)]
    first = next(cache.rglob("one.parquet")).stat()
    archive.add(lines(tmp_path, session("bob", 0, 60)), batch="two")
    assert list(run_query(copy_archive(archive, cache, since=None), people).rows) == [("ann",), ("bob",)]
    assert next(cache.rglob("one.parquet")).stat() == first, "what is there already is not brought again"
    archive.remove("sessions", "2026-03-09", ["one.parquet"])
    assert list(run_query(copy_archive(archive, cache, since=None), people).rows) == [("bob",)]
    assert list(run_query(copy_archive(archive, tmp_path / "new", since=date(2026, 3, 10)), people).rows) == []


def test_a_day_becomes_one_file_and_old_days_go(bucket: Bucket, tmp_path: Path) -> None:
    archive = bucket.archive()
    for number in range(4):
        archive.add(lines(tmp_path, session("ann"), session(f"user{number}", 0, 60)), batch=f"batch-{number}")
    tidying = Compactor(archive, retention_days=10)
    for _ in range(2):
        tidying.compact(today=TODAY + timedelta(days=1))
    assert len(bucket.keys()) == 1
    found = run_query(
        copy_archive(archive, tmp_path / "cache", since=None), "SELECT count(*), count(DISTINCT id) FROM sessions_rows"
    )
    assert list(found.rows) == [(5, 5)]
    tidying.compact(today=TODAY + timedelta(days=11))
    assert bucket.keys() == []


def test_a_bucket_that_is_not_there_or_cannot_be_reached_is_told(bucket: Bucket, tmp_path: Path) -> None:
    file = lines(tmp_path, session("ann"))
    with pytest.raises(HistoryNotWritten, match=r"s3://history-none/x: .*NoSuchBucket"):
        bucket.archive(location="s3://history-none/x").add(file, batch="one")
    with pytest.raises(HistoryNotWritten, match="Could not connect"):
        bucket.archive(endpoint_url="http://127.0.0.1:9").days("sessions")
    assert file.exists()


def test_the_check_writes_what_is_no_part_of_the_history_and_tells_what_is_refused(bucket: Bucket) -> None:
    for _ in range(2):
        bucket.archive().check()
    assert bucket.keys() == ["licenses/history/.write-check"]
    assert [bucket.archive().days(kind) for kind in ("sessions", "waits")] == [{}, {}]
    with pytest.raises(HistoryNotWritten, match=r"s3://history-none/x: .*NoSuchBucket"):
        bucket.archive(location="s3://history-none/x").check()


async def test_the_http_api_reads_usage_from_the_bucket_with_the_credentials_of_its_pod(
    bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = bucket.archive()
    archive.add(lines(tmp_path, session("ann", 0, 3600, waited_s=0.0), capacity(5)), batch="one")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    config = HistoryConfig(
        location=f"s3://{bucket.name}/licenses/history",
        spool=Path("/nowhere"),
        region=REGION,
        endpoint_url=bucket.endpoint,
    )
    past = HistoryAnswers(config=config, cluster=live(objects.server(), objects.pool()), log=structlog.get_logger())
    pool = past.cluster.store.pools["lab/matlab"]
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/none")
    with pytest.raises(Refusal) as refused:
        await past.usage(pool)
    assert refused.value.id is ProblemId.HISTORY_UNREADABLE, "it has no role"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    found = await past.usage(pool)
    assert (found.peak, found.held_hours, found.seats[-1].seats) == (1, 1, 5)
