import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.infra.conftest import Assembly, allowed, of_type, role

from seatpool.servers.document import document, document_hash, document_json

CLOUDFORMATION_TAKES = 51_200


def by_sid(statements: list[dict[str, Any]], sid: str) -> dict[str, Any]:
    return next(each for each in statements if each["Sid"] == sid)


@pytest.fixture(scope="session")
def operator(assembly: Assembly) -> dict[str, Any]:
    return role(assembly.license, "seatpool-operator")


def test_the_document_is_the_operators_own_to_the_byte(assembly: Assembly) -> None:
    (deployed,) = of_type(assembly.license, "AWS::SSM::Document")
    assert deployed["Content"] == document_json()
    assert hashlib.sha256(deployed["Content"].encode()).hexdigest() == document_hash()
    assert assembly.license["Outputs"]["DocumentHash"]["Value"] == document_hash()
    assert deployed["UpdateMethod"] == "NewVersion"


def test_every_parameter_of_the_document_has_an_allowed_pattern(assembly: Assembly) -> None:
    (deployed,) = of_type(assembly.license, "AWS::SSM::Document")
    parameters = json.loads(deployed["Content"])["parameters"]
    assert {name: each["allowedPattern"] for name, each in parameters.items()} == {
        name: each["allowedPattern"] for name, each in document()["parameters"].items()
    }
    assert all(each["allowedPattern"].startswith("^") for each in parameters.values())


def test_only_one_document_and_only_tagged_machines_can_be_sent_to(operator: dict[str, Any]) -> None:
    sends = [each for each in allowed(operator) if "ssm:SendCommand" in each["Action"]]
    assert len(sends) == 2
    assert by_sid(sends, "SendThisDocument")["Resource"] == (
        "arn:aws:ssm:eu-central-1:111122223333:document/Seatpool-ApplyUserLists"
    )
    nodes = by_sid(sends, "SendToLicenseServers")
    assert nodes["Condition"] == {"StringLike": {"ssm:resourceTag/seatpool:license-server": "*"}}
    assert all(":111122223333:" in resource for resource in nodes["Resource"])


def test_the_operator_can_be_that_service_account_only(operator: dict[str, Any]) -> None:
    irsa, pod = operator["AssumeRolePolicyDocument"]["Statement"]
    assert {key.rpartition(":")[2]: value for key, value in irsa["Condition"]["StringEquals"].items()} == {
        "aud": "sts.amazonaws.com",
        "sub": "system:serviceaccount:seatpool:seatpool",
    }
    assert pod["Condition"]["StringEquals"] == {
        "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:eu-central-1:111122223333:cluster/tools",
        "aws:RequestTag/kubernetes-namespace": "seatpool",
        "aws:RequestTag/kubernetes-service-account": "seatpool",
    }


def test_no_statement_of_the_operator_has_a_wildcard_in_its_actions(operator: dict[str, Any]) -> None:
    assert not [each for each in allowed(operator) if "*" in json.dumps(each["Action"])]


def test_listed_accounts_and_nobody_else_may_put_on_the_bus(assembly: Assembly) -> None:
    (policy,) = of_type(assembly.license, "AWS::Events::EventBusPolicy")
    assert policy["Statement"]["Principal"]["AWS"] == [
        "arn:aws:iam::444455556666:root",
        "arn:aws:iam::777788889999:root",
    ]
    assert policy["Statement"]["Action"] == "events:PutEvents"


def test_an_organisation_stands_for_the_list_of_accounts(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    (policy,) = of_type(synthesise(small | {"organization": "o-abcdefghij"}).license, "AWS::Events::EventBusPolicy")
    assert policy["Statement"]["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}


def test_a_message_that_nobody_could_handle_is_kept_and_an_alarm_rings(assembly: Assembly) -> None:
    dead, live = sorted(of_type(assembly.license, "AWS::SQS::Queue"), key=lambda queue: "RedrivePolicy" in queue)
    assert live["RedrivePolicy"]["maxReceiveCount"] == 10
    assert dead["RedriveAllowPolicy"]["sourceQueueArns"] == [
        f"arn:aws:sqs:eu-central-1:111122223333:{live['QueueName']}"
    ]
    assert dead["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert all("KmsMasterKeyId" in queue for queue in (dead, live))
    alarms = of_type(assembly.license, "AWS::CloudWatch::Alarm")
    assert {alarm["MetricName"] for alarm in alarms} == {
        "ApproximateNumberOfMessagesVisible",
        "ApproximateAgeOfOldestMessage",
        "FailedInvocations",
    }
    assert all(alarm["AlarmActions"] == ["arn:aws:sns:eu-central-1:111122223333:on-call"] for alarm in alarms)


def test_queues_take_events_of_the_one_rule_and_over_tls_only(assembly: Assembly) -> None:
    for policy in of_type(assembly.license, "AWS::SQS::QueuePolicy"):
        deny, allow = policy["PolicyDocument"]["Statement"]
        assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
        assert allow["Condition"]["ArnEquals"]["aws:SourceArn"] == [
            "arn:aws:events:eu-central-1:111122223333:rule/seatpool/seatpool-events"
        ]


def test_every_bucket_is_shut_and_all_but_the_logs_own_are_logged(assembly: Assembly) -> None:
    buckets = of_type(assembly.license, "AWS::S3::Bucket")
    assert len(buckets) == 3
    for bucket in buckets:
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        assert bucket["BucketEncryption"]
        assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert len([bucket for bucket in buckets if "LoggingConfiguration" in bucket]) == 2
    for policy in of_type(assembly.license, "AWS::S3::BucketPolicy"):
        conditions = [each.get("Condition") for each in policy["PolicyDocument"]["Statement"]]
        assert {"Bool": {"aws:SecureTransport": "false"}} in conditions


def test_what_holds_data_stays_when_the_stack_goes(assembly: Assembly) -> None:
    kept = {"AWS::S3::Bucket", "AWS::KMS::Key"}
    holders = [each for each in assembly.license["Resources"].values() if each["Type"] in kept]
    assert {each["DeletionPolicy"] for each in holders} == {"Retain"}


def test_the_trail_sees_everybody_but_the_operator_at_the_queues(assembly: Assembly) -> None:
    (trail,) = of_type(assembly.license, "AWS::CloudTrail::Trail")
    queues = {each["Field"]: each for each in trail["AdvancedEventSelectors"][0]["FieldSelectors"]}
    assert queues["eventCategory"]["Equals"] == ["Data"]
    assert queues["userIdentity.arn"]["NotStartsWith"] == ["arn:aws:sts::111122223333:assumed-role/seatpool-operator/"]


def test_a_small_site_has_nothing_that_it_did_not_ask_for(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    template = synthesise(small).license
    kinds = {each["Type"] for each in template["Resources"].values()}
    assert kinds.isdisjoint(
        {
            "AWS::S3::Bucket",
            "AWS::CloudTrail::Trail",
            "AWS::EKS::PodIdentityAssociation",
            "AWS::Events::EventBusPolicy",
        }
    )
    operator = role(template, "seatpool-operator")
    assert {each["Sid"] for each in allowed(operator)}.isdisjoint({"WriteHistory", "PutNotices", "AssumeServerRoles"})
    assert by_sid(allowed(operator), "AssumeReaders")["Action"] == "sts:AssumeRole"
    assert len(operator["AssumeRolePolicyDocument"]["Statement"]) == 1


def test_roles_of_license_servers_in_other_accounts_can_be_assumed(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    arn = "arn:aws:iam::222233334444:role/licenses"
    small["license"]["server_role_arns"] = [arn]
    operator = role(synthesise(small).license, "seatpool-operator")
    assert by_sid(allowed(operator), "AssumeServerRoles")["Resource"] == arn


def test_the_template_can_be_given_to_cloudformation_as_it_is(assembly: Assembly) -> None:
    path = assembly.folder / "seatpool-license.template.json"
    assert path.stat().st_size < CLOUDFORMATION_TAKES
    assert "Parameters" not in assembly.license
