"""A site's own table in DynamoDB beside its workbenches in the cluster."""

import asyncio
import json
from typing import Any

import pytest
from tests.integration.mirror.conftest import ACCOUNT, REGION, Stage, ago, workbench_event
from typer.testing import CliRunner

from seatpool.api.licensepool import LicensePool
from seatpool.cli.main import app
from seatpool.domain.errors import SeatpoolError

TABLE = "workbench-counters"


@pytest.fixture
def table(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    dynamodb = stage.aws.client("dynamodb")
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "product", "KeyType": "HASH"}, {"AttributeName": "user-id", "KeyType": "RANGE"}],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("product", "user-id")],
        BillingMode="PAY_PER_REQUEST",
    )
    return dynamodb


def count(table: Any, user: str, number: int, *, product: str = "matlab") -> None:
    item = {"product": {"S": product}, "user-id": {"S": user}, "workbench-count": {"N": str(number)}}
    table.put_item(TableName=TABLE, Item=item)


async def compared(stage: Stage, *arguments: str, code: int) -> str:
    place = ["--kubeconfig", str(stage.plane.kubeconfig), "-n", stage.namespace, "--region", REGION]
    command = [
        "compare-pipeline",
        "--from",
        "dynamodb",
        TABLE,
        *place,
        "--endpoint-url",
        stage.aws.endpoint,
        *arguments,
    ]
    answer = await asyncio.to_thread(CliRunner().invoke, app, command)
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    assert answer.exit_code == code, answer.output
    return answer.output


async def populate(stage: Stage) -> None:
    spec = {"serverRef": {"name": "licenses"}, "product": "matlab", "seats": 5, "workbenchTypes": ["vew-matlab"]}
    await stage.kube.create(LicensePool, stage.namespace, {"metadata": {"name": "matlab"}, "spec": spec})
    async with stage.mirror():
        owners = ("ann", "ann", "bob", "cem")
        events = [workbench_event(f"i-{n:017x}", "running", ago(1), owner=owner) for n, owner in enumerate(owners)]
        stage.aws.send(*events)
        await stage.until_handled()


async def test_a_table_that_agrees_with_the_cluster_ends_with_0(stage: Stage, table: Any) -> None:
    await populate(stage)
    for user, number in (("ann", 2), ("CORP\\bob", 1), ("cem", 1), ("gone", 0)):
        count(table, user, number)
    assert "4 the same, 0 different" in await compared(stage, code=0)


async def test_each_difference_is_shown_and_the_exit_code_is_1(stage: Stage, table: Any) -> None:
    await populate(stage)
    for user, number in (("ann", 3), ("dora", 1), ("eve", -1)):
        count(table, user, number)
    count(table, "ann", 1, product="ansys")
    text = await compared(stage, code=1)
    for row in ("ann 3 2 other count", "bob 0 1 only here", "dora 1 0 only there", "eve -1 0 counter below zero"):
        assert row in " ".join(text.split())
    assert "products of the table that no LicensePool has: ['ansys']" in text
    document = json.loads(await compared(stage, "-o", "json", code=1))
    assert (document["equal"], len(document["different"])) == (False, 5)


async def test_the_table_can_be_without_its_headings(stage: Stage, table: Any) -> None:
    await populate(stage)
    count(table, "gone", 2)
    whole, bare = await compared(stage, code=1), await compared(stage, "--no-headers", code=1)
    assert "PRODUCT" in whole
    rows = [line.split() for line in bare.splitlines()]
    assert rows == [line.split() for line in whole.splitlines()][1:]


async def test_a_table_of_more_than_a_page_is_read_whole(stage: Stage, table: Any) -> None:
    await populate(stage)
    for number in range(30):
        item = {"product": {"S": "matlab"}, "user-id": {"S": f"u{number}"}, "workbench-count": {"N": "1"}}
        table.put_item(TableName=TABLE, Item=item | {"padding": {"S": "x" * 50_000}})
    document = json.loads(await compared(stage, "-o", "json", code=1))
    assert sum(row["user"].startswith("u") for row in document["different"]) == 30
    assert stage.gate.calls[ACCOUNT, REGION, "Scan"] > 1


async def test_a_table_of_another_shape_or_no_table_is_refused_with_what_to_do(stage: Stage, table: Any) -> None:
    table.put_item(TableName=TABLE, Item={"product": {"S": "matlab"}, "user-id": {"S": "ann"}})
    with pytest.raises(SeatpoolError, match="name the attributes with --product-attribute"):
        await compared(stage, code=2)
    table.delete_table(TableName=TABLE)
    with pytest.raises(SeatpoolError, match=f"table {TABLE}"):
        await compared(stage, code=2)
