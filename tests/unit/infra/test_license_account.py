import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.unit.infra.conftest import Assembly, allowed, of_type, role

from seatpool.servers.ssm.document import document, document_hash, document_json
from seatpool.settings.settings import load_settings

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


def test_who_makes_reports_may_read_the_history_and_change_nothing(assembly: Assembly) -> None:
    policies = {each["ManagedPolicyName"]: each for each in of_type(assembly.license, "AWS::IAM::ManagedPolicy")}
    granted = {each["Sid"]: each for each in policies["seatpool-history-readers"]["PolicyDocument"]["Statement"]}
    assert {name: each["Action"] for name, each in granted.items()} == {
        "ReadHistory": "s3:GetObject",
        "ListHistory": "s3:ListBucket",
        "ReadEncryptedHistory": "kms:Decrypt",
    }
    bucket = "arn:aws:s3:::seatpool-history-111122223333-eu-central-1"
    assert granted["ReadHistory"]["Resource"] == f"{bucket}/history/*"
    assert granted["ListHistory"]["Condition"] == {"StringLike": {"s3:prefix": "history/*"}}


def test_deleted_files_of_the_history_are_gone_after_the_days_that_the_site_says(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    small["license"] |= {"history": True, "history_retention_days": 365, "history_old_versions_days": 7}
    made = synthesise(small)
    (history,) = (each for each in of_type(made.license, "AWS::S3::Bucket") if "BucketName" in each)
    (rule,) = history["LifecycleConfiguration"]["Rules"]
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 7}
    assert rule["ExpiredObjectDeleteMarker"] is True
    assert "ExpirationInDays" not in rule, "the operator deletes days; S3 would count from when a file was written"
    assert load_settings(file=made.folder / "settings.yaml").history.retention_days == 365


KEPT_KEY = "arn:aws:kms:eu-central-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"


def test_the_key_of_a_former_stack_goes_on_and_gets_its_alias_back(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    small["license"] |= {"history": True, "trail": True, "key_arn": KEPT_KEY}
    template = synthesise(small).license
    assert of_type(template, "AWS::KMS::Key") == []
    (alias,) = of_type(template, "AWS::KMS::Alias")
    assert (alias["AliasName"], alias["TargetKeyId"]) == ("alias/seatpool", KEPT_KEY)
    for queue in of_type(template, "AWS::SQS::Queue"):
        assert queue["KmsMasterKeyId"] == KEPT_KEY
    by_key = [each["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]
              for each in of_type(template, "AWS::S3::Bucket")]  # fmt: skip
    assert [each["KMSMasterKeyID"] for each in by_key if each["SSEAlgorithm"] == "aws:kms"] == [KEPT_KEY] * 2
    assert by_sid(allowed(role(template, "seatpool-operator")), "UseHistoryKey")["Resource"] == KEPT_KEY


def test_what_can_be_adopted_by_its_name_has_one(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    """`--import-existing-resources` takes what has a name of its own and is kept when the stack goes."""
    small["license"]["history"] = True
    template = synthesise(small).license
    (history,) = (each for each in template["Resources"].values() if "BucketName" in each.get("Properties", {}))
    assert history["Properties"]["BucketName"] == "seatpool-history-111122223333-eu-central-1"
    assert (history["DeletionPolicy"], history["UpdateReplacePolicy"]) == ("Retain", "Retain")


@pytest.mark.parametrize(
    ("partition", "region", "names"),
    [
        ("aws", "eu-central-1", "sqs.eu-central-1.amazonaws.com"),
        ("aws-us-gov", "us-gov-west-1", "sqs.us-gov-west-1.amazonaws.com"),
        ("aws-cn", "cn-north-1", ["sqs.cn-north-1.amazonaws.com", "sqs.cn-north-1.amazonaws.com.cn"]),
    ],
)
def test_the_key_may_be_used_by_the_names_that_services_have_in_the_partition(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any], partition: str, region: str, names: Any
) -> None:
    text = (
        json.dumps(small | {"partition": partition})
        .replace("eu-central-1", region)
        .replace("arn:aws:", f"arn:{partition}:")
    )
    template = synthesise(json.loads(text)).license
    key = by_sid(allowed(role(template, "seatpool-operator")), "UseQueueKey")
    assert key["Condition"] == {"StringEquals": {"kms:ViaService": names}}
    assert "arn:aws:" not in json.dumps(template) or partition == "aws"


def test_license_servers_in_another_region_of_the_account_have_the_document_and_the_operator_may_send_it(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    small["license_servers"] = [{"account": "111122223333", "regions": ["us-east-1"]}]
    made = synthesise(small)
    elsewhere = made.templates["seatpool-license-servers-111122223333-us-east-1"]
    assert of_type(elsewhere, "AWS::SSM::Document") == of_type(made.license, "AWS::SSM::Document")
    assert of_type(elsewhere, "AWS::IAM::Role") == []
    operator = allowed(role(made.license, "seatpool-operator"))
    assert by_sid(operator, "SendThisDocument")["Resource"] == [
        f"arn:aws:ssm:{region}:111122223333:document/Seatpool-ApplyUserLists"
        for region in ("eu-central-1", "us-east-1")
    ]
    assert "arn:aws:ec2:us-east-1:111122223333:instance/*" in by_sid(operator, "SendToLicenseServers")["Resource"]
    assert "AssumeServerRoles" not in {each["Sid"] for each in operator}


def test_license_servers_in_another_account_have_the_document_and_a_role_for_the_operator(assembly: Assembly) -> None:
    elsewhere = assembly.templates["seatpool-license-servers-222233334444-eu-west-1"]
    assert of_type(elsewhere, "AWS::SSM::Document") == of_type(assembly.license, "AWS::SSM::Document")
    servers = role(elsewhere, "seatpool-license-servers")
    trust = servers["AssumeRolePolicyDocument"]["Statement"]
    assert {each["Principal"]["AWS"] for each in trust} == {"arn:aws:iam::111122223333:role/seatpool-operator"}
    (assume,) = (each for each in trust if each["Action"] == "sts:AssumeRole")
    assert assume["Condition"] == {"StringEquals": {"sts:ExternalId": "seatpool-servers-41d0"}}
    own = {each["Sid"]: each for each in allowed(servers)}
    home = {each["Sid"]: each for each in allowed(role(assembly.license, "seatpool-operator"))}
    for name, statement in own.items():
        assert statement["Action"] == home[name]["Action"]
        assert "111122223333" not in json.dumps(statement)
    assert own["SendThisDocument"]["Resource"] == (
        "arn:aws:ssm:eu-west-1:222233334444:document/Seatpool-ApplyUserLists"
    )
    assert home["AssumeServerRoles"]["Resource"] == "arn:aws:iam::222233334444:role/seatpool-license-servers"


def test_a_second_region_of_that_account_has_the_document_and_no_second_role(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    servers = {"account": "222233334444", "regions": ["eu-central-1", "us-east-1"], "external_id": "seatpool-servers"}
    made = synthesise(small | {"license_servers": [servers]})
    second = made.templates["seatpool-license-servers-222233334444-us-east-1"]
    assert len(of_type(second, "AWS::SSM::Document")) == 1
    assert of_type(second, "AWS::IAM::Role") == []
    first = role(made.templates["seatpool-license-servers-222233334444-eu-central-1"], "seatpool-license-servers")
    assert len(by_sid(allowed(first), "SendThisDocument")["Resource"]) == 2


def test_the_template_can_be_given_to_cloudformation_as_it_is(assembly: Assembly) -> None:
    for path in assembly.folder.glob("*.template.json"):
        assert path.stat().st_size < CLOUDFORMATION_TAKES
    assert "Parameters" not in assembly.license


def test_a_rule_of_a_hub_may_put_events_on_the_queue_and_tasks_may_be_read(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    rule = "arn:aws:events:eu-central-1:999999999999:rule/hub/seatpool"
    made = synthesise(small | {"profile": "vew", "license": small["license"] | {"hub_rule_arns": [rule]}})
    for policy in of_type(made.license, "AWS::SQS::QueuePolicy"):
        _, allow = policy["PolicyDocument"]["Statement"]
        assert allow["Condition"]["ArnEquals"]["aws:SourceArn"] == [
            "arn:aws:events:eu-central-1:111122223333:rule/seatpool/seatpool-events",
            rule,
        ]
    reader = allowed(role(made.workbenches("111122223333"), "seatpool-reader"))
    assert by_sid(reader, "SeeTasks")["Action"] == [
        "ecs:ListClusters", "ecs:ListTasks", "ecs:DescribeTasks", "ecs:DescribeServices"
    ]  # fmt: skip
