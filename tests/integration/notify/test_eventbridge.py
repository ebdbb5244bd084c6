"""Notices on an EventBridge bus, taken from the bus again by a rule with a queue behind it."""

import json
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import boto3
import jsonschema
import pytest
from tests.unit.notify.receivers import NOW, assigned

from seatpool.notify.config import NotifyConfig
from seatpool.notify.eventbridge import EventBridgeSender
from seatpool.notify.outbox import NotDelivered
from seatpool.sim.aws import AwsProcess

REGION = "eu-central-1"
SCHEMAS = Path(__file__).parents[3] / "docs" / "reference" / "events"


def session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="123456789012", aws_secret_access_key="test", region_name=REGION)


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsProcess]:
    with AwsProcess(tmp_path_factory.mktemp("aws")) as process:
        yield process


class Bus:
    """A bus whose events land in a queue."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint, self.name = endpoint, f"seats-{secrets.token_hex(3)}"
        self._sqs = session().client("sqs", endpoint_url=endpoint)
        events = session().client("events", endpoint_url=endpoint)
        self._queue = self._sqs.create_queue(QueueName=self.name)["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        events.create_event_bus(Name=self.name)
        events.put_rule(Name="all", EventBusName=self.name, EventPattern=json.dumps({"source": ["seatpool"]}))
        events.put_targets(Rule="all", EventBusName=self.name, Targets=[{"Id": "queue", "Arn": arn}])

    @property
    def config(self) -> NotifyConfig:
        return NotifyConfig(bus=self.name, region=REGION, endpoint_url=self.endpoint)

    def events(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return found


@pytest.fixture
def bus(aws: AwsProcess) -> Bus:
    return Bus(aws.endpoint)


@pytest.fixture
async def sender(bus: Bus) -> AsyncIterator[EventBridgeSender]:
    made = EventBridgeSender(bus.config, session_factory=session)
    yield made
    await made.close()


async def test_a_notice_is_an_event_that_a_rule_can_match(bus: Bus, sender: EventBridgeSender) -> None:
    assert await sender.send([assigned("ann"), assigned("bob")]) == []
    events = bus.events()
    assert sorted(event["detail"]["user"] for event in events) == ["ann", "bob"]
    assert {(event["source"], event["detail-type"]) for event in events} == {("seatpool", "SeatAssigned")}
    assert events[0]["resources"] == ["licensepool/lab/matlab"]
    assert events[0]["time"].startswith(NOW.strftime("%Y-%m-%dT%H:%M:%S"))


async def test_the_detail_is_what_the_published_schema_says(bus: Bus, sender: EventBridgeSender) -> None:
    await sender.send([assigned("ann")])
    (event,) = bus.events()
    schema = json.loads((SCHEMAS / f"{event['detail-type']}.json").read_text())
    jsonschema.validate(event["detail"], schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**event["detail"], "since": 5}, schema)


async def test_a_bus_that_cannot_be_reached_is_tried_again() -> None:
    config = NotifyConfig(bus="seats", region=REGION, endpoint_url="http://127.0.0.1:9")
    away = EventBridgeSender(config, session_factory=session)
    with pytest.raises(NotDelivered, match="EventBridge bus seats"):
        await away.send([assigned("ann")])
    await away.close()
