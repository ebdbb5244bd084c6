"""A queue may be named in every form that AWS has, in every partition, standard or FIFO."""

import boto3
import pytest
from botocore.stub import Stubber

from seatpool.aws.regions import partitions, region_names
from seatpool.mirror.aws_clients import AwsClients
from seatpool.mirror.config import MirrorConfig
from seatpool.mirror.queue.sqs_queue import EventQueue, fifo_fields

ACCOUNT = "111122223333"
NAMES = ("seatpool-events", "seatpool-events.fifo", "x" * 80, "x" * 75 + ".fifo")


def region_of(queue: str, *, region: str | None = None) -> str | None:
    config = MirrorConfig(queue=queue, region=region)
    return EventQueue(config, AwsClients(config)).region


def urls(region: str, name: str) -> list[str]:
    outputs = next(one["outputs"] for one in partitions() if region in one["regions"])
    hosts = [f"{service}.{region}.{outputs['dnsSuffix']}" for service in ("sqs", "sqs-fips")]
    hosts += [
        f"sqs.{region}.{outputs['dualStackDnsSuffix']}",
        f"{region}.queue.{outputs['dnsSuffix']}",
        f"vpce-0abc1234-5def.sqs.{region}.vpce.{outputs['dnsSuffix']}",
        f"vpce-0abc1234-5def-{region}a.sqs.{region}.vpce.{outputs['dnsSuffix']}",
    ]
    return [f"https://{host}/{ACCOUNT}/{name}" for host in hosts]


@pytest.mark.parametrize("region", region_names())
def test_the_region_of_a_queue_is_in_its_url_and_arn_in_every_partition(region: str) -> None:
    partition = next(one["id"] for one in partitions() if region in one["regions"])
    for name in NAMES:
        for url in urls(region, name):
            assert region_of(url, region="us-east-1") == region, url
        assert region_of(f"arn:{partition}:sqs:{region}:{ACCOUNT}:{name}") == region


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_the_region_of_the_settings(name: str) -> None:
    assert region_of(name, region="eusc-de-east-1") == "eusc-de-east-1"


def test_a_url_of_another_host_has_the_region_of_the_settings() -> None:
    assert region_of("http://127.0.0.1:5000/111122223333/events", region="eu-west-1") == "eu-west-1"


@pytest.mark.parametrize("queue", ["x" * 81, "x" * 76 + ".fifo", "events.fif", ".fifo", "https://", "http://[::1/1/q"])
def test_what_no_queue_can_be_called_is_refused(queue: str) -> None:
    with pytest.raises(ValueError, match="queue"):
        MirrorConfig(queue=queue)


@pytest.mark.parametrize("name", NAMES)
def test_sending_on_has_the_fields_that_sqs_wants_of_such_a_queue(name: str) -> None:
    """botocore checks names and types of the fields."""
    url = f"https://sqs.eu-central-1.amazonaws.com/{ACCOUNT}/{name}"
    client = boto3.client("sqs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    fields = fifo_fields(url, group="i-1", message_id="m-1")
    with Stubber(client) as stub:
        stub.add_response("send_message", {"MessageId": "1"})
        client.send_message(QueueUrl=url, MessageBody="{}", **fields)
    assert bool(fields) == name.endswith(".fifo")
