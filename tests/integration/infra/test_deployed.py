"""From an EC2 event to a line on the license server, through nothing but what the templates made.

The stand-in makes buses, rules, queues, key, roles and document by CloudFormation; it knows no policies of queues and
buses, no trail and no Pod Identity. Two things it does otherwise than EventBridge: an event that goes from one bus to
another gets the second bus's account, and one that goes into a queue loses its account altogether, so a test puts that in
again.
"""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.integration.control.conftest import ACCOUNT, REGION, Body, Stage
from tests.integration.infra.conftest import OTHER_ACCOUNT, OTHER_REGION, Deployed
from tests.waiting import eventually

from seatpool.api.base import format_instant
from seatpool.api.licenseserver import LicenseServer
from seatpool.servers.ssm.document import document_hash
from seatpool.sim.aws_access import AwsAccess
from seatpool.sim.fleet import IMAGE

TAGS = {"vew:workbench:ownerId": "ann", "vew:workbench:type": "vew-matlab"}


def start_workbench(stage: Stage, tags: dict[str, str]) -> str:
    specification = {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
    answer = stage.site.client("ec2").run_instances(
        ImageId=IMAGE, MinCount=1, MaxCount=1, TagSpecifications=[specification]
    )
    return str(answer["Instances"][0]["InstanceId"])


def put_event(stage: Stage, instance: str, state: str) -> Body:
    """On the account's own bus, where EC2 puts it; what arrives in the queue."""
    stage.site.client("events").put_events(
        Entries=[
            {
                "Source": "aws.ec2",
                "DetailType": "EC2 Instance State-change Notification",
                "Detail": json.dumps({"instance-id": instance, "state": state}),
            }
        ]
    )
    sqs = stage.site.client("sqs")
    (message,) = sqs.receive_message(QueueUrl=stage.site.queue_url)["Messages"]
    sqs.delete_message(QueueUrl=stage.site.queue_url, ReceiptHandle=message["ReceiptHandle"])
    event: Body = json.loads(message["Body"])
    return event | {"account": ACCOUNT}


async def test_a_start_event_becomes_a_line_on_the_license_servers_list(stage: Stage, deployed: Deployed) -> None:
    """With the settings that were synthesised too; the next inventory would be five minutes later."""
    arrived = put_event(stage, "i-0123456789abcdef0", "running")
    assert arrived["detail"] == {"instance-id": "i-0123456789abcdef0", "state": "running"}
    stage.apply(stage.server(), stage.pool())
    async with stage.operator(**deployed.settings(stage.namespace)):
        await stage.until_ready()
        instance = start_workbench(stage, TAGS)
        stage.send(arrived | {"detail": {"instance-id": instance, "state": "running"}})
        await stage.until_list(["ann"])
        stage.site.client("ec2").stop_instances(InstanceIds=[instance])
        stopped = {"instance-id": instance, "state": "stopped"}
        stage.send(arrived | {"time": format_instant(datetime.now(UTC)), "detail": stopped})
        await stage.until_list([])
        await eventually(lambda: stage.site.waiting_events() == 0, what="the queue is empty")


async def test_a_document_that_somebody_changed_after_the_deployment_is_refused(
    stage: Stage, deployed: Deployed
) -> None:
    stage.site.document_name = deployed.outputs["DocumentName"]
    ssm = stage.site.client("ssm")
    content = ssm.get_document(Name=stage.site.document_name)["Content"]
    stage.apply(stage.server(), stage.pool())
    stage.site.change_document(content.replace("set -u -f", "touch ~/owned; set -u -f"))
    try:
        async with stage.operator(**deployed.settings(stage.namespace)):
            message = await stage.until_condition(LicenseServer, "licenses", "Reachable", status="False")
        assert "after finding out who changed the document" in message
        assert not (stage.host.home / "owned").exists()
    finally:
        ssm.update_document_default_version(Name=stage.site.document_name, DocumentVersion="1")


def test_the_deployed_document_has_the_hash_that_the_stack_tells(deployed: Deployed) -> None:
    ssm = AwsAccess(deployed.aws.endpoint, region=REGION).client("ssm")
    described = ssm.describe_document(Name=deployed.outputs["DocumentName"])["Document"]
    assert described["Hash"] == deployed.outputs["DocumentHash"] == document_hash()


def test_a_parameter_that_is_no_base64_is_refused_by_the_deployed_document(stage: Stage, deployed: Deployed) -> None:
    with pytest.raises(ClientError, match="InvalidParameters"):
        stage.site.client("ssm").send_command(
            InstanceIds=[stage.node.instance_id],
            DocumentName=deployed.outputs["DocumentName"],
            Parameters={"Payload": ["$(touch ~/owned)"]},
        )


def test_an_event_of_another_account_arrives_at_the_central_bus(deployed: Deployed) -> None:
    """Its rule's target is the bus, and the bus's rule takes that account."""
    other = AwsAccess(deployed.aws.endpoint, region=REGION, account=OTHER_ACCOUNT).client("events")
    home = AwsAccess(deployed.aws.endpoint, region=REGION).client("events")
    (target,) = other.list_targets_by_rule(Rule="seatpool-instances")["Targets"]
    assert target["Arn"] == deployed.outputs["BusArn"]
    assert target["RoleArn"].startswith(f"arn:aws:iam::{OTHER_ACCOUNT}:role/")
    rule = home.describe_rule(Name="seatpool-events", EventBusName="seatpool")
    assert json.loads(rule["EventPattern"])["account"] == sorted([ACCOUNT, OTHER_ACCOUNT])


def test_the_deployed_reader_trusts_the_deployed_operator(deployed: Deployed) -> None:
    iam = AwsAccess(deployed.aws.endpoint, region=REGION, account=OTHER_ACCOUNT).client("iam")
    reader: dict[str, Any] = iam.get_role(RoleName="seatpool-reader")["Role"]
    trusted = {each["Principal"]["AWS"] for each in reader["AssumeRolePolicyDocument"]["Statement"]}
    assert trusted == {deployed.outputs["OperatorRoleArn"]}


def test_the_deployed_role_of_another_account_trusts_the_deployed_operator_and_has_the_document_beside_it(
    deployed: Deployed,
) -> None:
    other = AwsAccess(deployed.aws.endpoint, region=OTHER_REGION, account=OTHER_ACCOUNT)
    made: dict[str, Any] = other.client("iam").get_role(RoleName="seatpool-license-servers")["Role"]
    assert made["Arn"] == deployed.outputs["ServerRoleArn"]
    trusted = {each["Principal"]["AWS"] for each in made["AssumeRolePolicyDocument"]["Statement"]}
    assert trusted == {deployed.outputs["OperatorRoleArn"]}
    described = other.client("ssm").describe_document(Name=deployed.outputs["DocumentName"])["Document"]
    assert described["Hash"] == document_hash()


def test_undelivered_events_have_a_queue_in_the_account_that_sent_them(deployed: Deployed) -> None:
    other = AwsAccess(deployed.aws.endpoint, region=REGION, account=OTHER_ACCOUNT)
    url = other.client("sqs").get_queue_url(QueueName="seatpool-undelivered")["QueueUrl"]
    arn = other.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    for rule in ("seatpool-instances", "seatpool-tags"):
        (target,) = other.client("events").list_targets_by_rule(Rule=rule)["Targets"]
        assert target["DeadLetterConfig"] == {"Arn": arn}
