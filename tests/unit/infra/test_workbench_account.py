import json
from collections.abc import Callable
from typing import Any

from tests.unit.infra.conftest import Assembly, allowed, of_type, role


def test_the_reader_may_look_at_instances_and_nothing_else(assembly: Assembly) -> None:
    reader = role(assembly.workbenches("444455556666"), "seatpool-reader")
    (statement,) = allowed(reader)
    assert statement["Action"] == "ec2:DescribeInstances"
    assert statement["Condition"] == {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}}


def test_only_the_operator_with_the_accounts_external_id_becomes_the_reader(assembly: Assembly) -> None:
    for account, external_id in (("444455556666", "seatpool-team-a-7c1e"), ("777788889999", "seatpool-team-b-90fd")):
        trust = role(assembly.workbenches(account), "seatpool-reader")["AssumeRolePolicyDocument"]["Statement"]
        assert {each["Principal"]["AWS"] for each in trust} == {"arn:aws:iam::111122223333:role/seatpool-operator"}
        (assume,) = (each for each in trust if each["Action"] == "sts:AssumeRole")
        assert assume["Condition"] == {"StringEquals": {"sts:ExternalId": external_id}}


def test_a_site_that_wants_the_seat_tag_can_write_it_and_no_other_and_on_workbenches_only(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    template = synthesise(small | {"seat_tag": "seatpool:seat"}).workbenches("111122223333")
    (tag,) = (each for each in allowed(role(template, "seatpool-reader")) if each["Sid"] == "WriteSeatTag")
    assert tag["Condition"] == {
        "ForAllValues:StringEquals": {"aws:TagKeys": "seatpool:seat"},
        "Null": {"aws:TagKeys": "false", "aws:ResourceTag/vew:workbench:ownerId": "false"},
    }
    assert tag["Resource"] == "arn:aws:ec2:eu-central-1:111122223333:instance/*"


def test_without_pod_identity_no_session_tags_are_taken(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    reader = role(synthesise(small).workbenches("111122223333"), "seatpool-reader")
    assert [each["Action"] for each in reader["AssumeRolePolicyDocument"]["Statement"]] == ["sts:AssumeRole"]


def test_a_second_region_has_rules_and_no_second_reader(assembly: Assembly) -> None:
    second = assembly.workbenches("444455556666", "eu-west-1")
    assert len(of_type(second, "AWS::Events::Rule")) == 2
    assert not [each for each in of_type(second, "AWS::IAM::Role") if "RoleName" in each]


def test_rules_can_put_on_the_central_bus_and_nowhere_else(assembly: Assembly) -> None:
    template = assembly.workbenches("777788889999")
    (forwarder,) = (each for each in of_type(template, "AWS::IAM::Role") if "RoleName" not in each)
    bus = "arn:aws:events:eu-central-1:111122223333:event-bus/seatpool"
    assert [(each["Action"], each["Resource"]) for each in allowed(forwarder)] == [("events:PutEvents", bus)]
    targets = [target for rule in of_type(template, "AWS::Events::Rule") for target in rule["Targets"]]
    assert {target["Arn"] for target in targets} == {bus}
    assert all("RoleArn" in target for target in targets)


def test_nothing_in_an_account_with_workbenches_can_change_it(assembly: Assembly) -> None:
    for name, template in assembly.templates.items():
        if name.startswith("seatpool-workbenches-"):
            actions = {
                json.dumps(each["Action"]) for one in of_type(template, "AWS::IAM::Role") for each in allowed(one)
            }
            assert actions <= {'"ec2:DescribeInstances"', '"events:PutEvents"'}


def test_what_a_rule_cannot_deliver_is_kept_in_its_own_region_and_rings(assembly: Assembly) -> None:
    for account, region in (
        ("444455556666", "eu-central-1"),
        ("444455556666", "eu-west-1"),
        ("777788889999", "eu-central-1"),
    ):
        template = assembly.workbenches(account, region)
        (queue,) = of_type(template, "AWS::SQS::Queue")
        assert (queue["QueueName"], queue["SqsManagedSseEnabled"]) == ("seatpool-undelivered", True)
        assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600
        rules = of_type(template, "AWS::Events::Rule")
        (kept_in,) = {json.dumps(target["DeadLetterConfig"]) for rule in rules for target in rule["Targets"]}
        (policy,) = of_type(template, "AWS::SQS::QueuePolicy")
        assert json.loads(kept_in) == {"Arn": policy["PolicyDocument"]["Statement"][1]["Resource"]}
        deny, allow = policy["PolicyDocument"]["Statement"]
        assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert allow["Principal"] == {"Service": "events.amazonaws.com"}
        names = {f"arn:aws:events:{region}:{account}:rule/{rule['Name']}" for rule in rules}
        assert set(allow["Condition"]["ArnEquals"]["aws:SourceArn"]) == names


def test_alarms_of_a_region_reach_the_topic_of_that_region(assembly: Assembly) -> None:
    for account, region in (
        ("444455556666", "eu-central-1"),
        ("444455556666", "eu-west-1"),
        ("777788889999", "eu-central-1"),
    ):
        alarms = of_type(assembly.workbenches(account, region), "AWS::CloudWatch::Alarm")
        assert [alarm["MetricName"] for alarm in alarms].count("ApproximateNumberOfMessagesVisible") == 1
        topic = [f"arn:aws:sns:{region}:{account}:on-call"]
        assert [(alarm["AlarmActions"], alarm["OKActions"]) for alarm in alarms] == [(topic, topic)] * 3


def test_without_a_topic_alarms_ring_in_cloudwatch_only(
    synthesise: Callable[[dict[str, Any]], Assembly], small: dict[str, Any]
) -> None:
    alarms = of_type(synthesise(small).workbenches("111122223333"), "AWS::CloudWatch::Alarm")
    assert [alarm for alarm in alarms if "AlarmActions" in alarm] == []
