"""An event that comes in the wrapping of another service, and what holds no whole event."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tests.unit.mirror.wrappings import WRAPPINGS, wrap, wrapped

from seatpool.mirror.config import AccountConfig, MirrorConfig
from seatpool.mirror.messages.envelope import MAX_BYTES, MAX_WRAPPINGS
from seatpool.mirror.messages.parsed import Actionable, Irrelevant, Malformed, RejectReason
from seatpool.mirror.messages.registry import Registry
from seatpool.mirror.regions import ServedRegions
from seatpool.mirror.type_aliases import TypeAliases
from seatpool.sim.demo.event_file import read_event

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONFIG = MirrorConfig(accounts=(AccountConfig(account="111122223333", regions=("eu-central-1",)),))
REGISTRY = Registry(CONFIG, ServedRegions(CONFIG), TypeAliases({}))
EVENT: dict[str, Any] = {
    "version": "0",
    "id": "ann",
    "detail-type": "Workbench State Change",
    "source": "vew.workbench",
    "account": "111122223333",
    "time": "2026-03-02T08:00:00Z",
    "region": "eu-central-1",
    "resources": [],
    "detail": {
        "user-id": "ann",
        "workbench-type": "vew-matlab",
        "workbench-state": "running",
        "instance-id": "i-0000000aaaaaaaaaa",
    },
}


def parse(body: str) -> object:
    return REGISTRY.parse(body, now=NOW)


def refusal(body: object) -> str:
    answer = parse(body if isinstance(body, str) else json.dumps(body))
    assert isinstance(answer, Malformed), answer
    assert answer.reason is RejectReason.NOT_AN_ENVELOPE
    return answer.detail


@pytest.mark.parametrize("name", WRAPPINGS)
def test_each_wrapping_is_opened(name: str) -> None:
    assert parse(wrap(json.dumps(EVENT), [name])) == parse(json.dumps(EVENT))


OWNERS = st.text(min_size=1, max_size=30)


@given(owner=OWNERS, names=wrapped())
@example(owner='"\\', names=["quoted", "SNS", "Pipes"])
def test_wrappings_of_any_kind_and_depth_change_nothing_about_an_event(owner: str, names: list[str]) -> None:
    event = json.dumps(EVENT | {"detail": EVENT["detail"] | {"user-id": owner}})
    answer = parse(wrap(event, names))
    assert answer == parse(event)
    assert isinstance(answer, Actionable)
    assert answer.report.owner == owner


@given(owner=OWNERS, names=wrapped())
def test_the_judge_of_the_demo_opens_the_same_wrappings_by_code_of_its_own(owner: str, names: list[str]) -> None:
    event = json.dumps(EVENT | {"detail": EVENT["detail"] | {"user-id": owner}})
    found = read_event(wrap(event, names))
    assert found is not None
    assert found.owner == owner


@given(body=st.text(max_size=60), names=wrapped())
def test_a_wrapping_never_makes_an_event_of_what_is_none(body: str, names: list[str]) -> None:
    assert isinstance(parse(wrap(json.dumps(body), names)), Malformed | Irrelevant)


KEYS = [
    "Type", "Message", "Sns", "messageId", "body", "MessageId", "Body", "Records", "records", "Messages", "kinesis", "data",
    "recordId", "partitionKey", "logEvents", "message", "requestContext", "requestPayload", "source", "detail-type", "Event",
    "AutoScalingGroupName", "instance-id",
]  # fmt: skip
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.just("Notification"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=500)
@given(json_values)
@example({"recordId": None, "data": "\x80"})
@example({"recordId": None, "data": "gA=="})
def test_no_content_of_a_wrapping_can_make_parsing_raise(document: object) -> None:
    assert isinstance(parse(json.dumps(document)), Malformed | Irrelevant)


@pytest.mark.parametrize(
    ("body", "advice"),
    [
        (EVENT["detail"], "take InputPath and InputTransformer out of the rule's target"),
        ({"instance-id": "i-0000000aaaaaaaaaa", "state": "running"}, "take InputPath"),
        ({"changed-tag-keys": ["a"], "service": "ec2", "resource-type": "instance"}, "take InputPath"),
        (
            {"Type": "SubscriptionConfirmation", "Message": "You have chosen to", "Token": "2336"},
            "confirm the subscription of the queue, and switch on raw message delivery",
        ),
        (
            {"AutoScalingGroupName": "asg", "Event": "autoscaling:EC2_INSTANCE_TERMINATE", "EC2InstanceId": "i-1"},
            "forward its EventBridge events with a rule",
        ),
        ({"AutoScalingGroupName": "asg", "Event": "autoscaling:TEST_NOTIFICATION"}, "forward its EventBridge events"),
        ({"Source": "vew.workbench", "DetailType": "x", "Detail": "{}"}, "put it on an event bus"),
        ({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "b"}, "the bucket's notifications"),
        ({"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {}}}]}, "the bucket's notifications"),
        ({"eventVersion": "1.08", "eventName": "RunInstances"}, "a record of CloudTrail"),
        ({"partitionKey": "1", "data": "H4sIAAAAAAAA/w=="}, "uncompressed"),
        ({"Type": "Notification", "Message": {"a": 1}}, "field Message: a JSON dict instead of the text"),
        ({"hello": "world"}, "neither an EventBridge event nor a known wrapping"),
        ({"Records": []}, "an empty batch"),
        ([EVENT, EVENT], "a batch size of 1"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_holds_no_whole_event_is_named_with_what_to_change(body: object, advice: str) -> None:
    assert advice in refusal(body)


def test_the_advice_is_the_same_inside_a_wrapping() -> None:
    assert "take InputPath" in refusal(wrap(json.dumps(EVENT["detail"]), ["SNS", "Pipes"]))


def test_text_in_a_wrapping_that_is_no_json_says_so() -> None:
    answer = parse(wrap('"hello world"', []).replace('"', ""))
    assert isinstance(answer, Malformed)
    assert answer.reason is RejectReason.NOT_JSON


def test_a_key_that_is_twice_in_a_wrapped_event_is_refused() -> None:
    body = wrap(json.dumps(EVENT).replace('"version"', '"source": "aws.ec2", "version"'), ["SNS"])
    answer = parse(body)
    assert isinstance(answer, Malformed)
    assert answer.reason is RejectReason.DUPLICATE_KEY


def test_a_large_event_is_taken_in_a_wrapping_that_makes_the_message_larger_than_an_event_may_be() -> None:
    event = json.dumps(EVENT | {"padding": '"' * (MAX_BYTES // 2 - 1000)})
    body = wrap(event, ["SNS"])
    assert len(event) <= MAX_BYTES < len(body)
    assert isinstance(parse(body), Actionable)


def test_an_event_that_is_too_large_is_so_in_a_wrapping_too() -> None:
    answer = parse(wrap(json.dumps(EVENT | {"padding": "x" * MAX_BYTES}), ["SNS"]))
    assert isinstance(answer, Malformed)
    assert answer.reason is RejectReason.TOO_LARGE


def test_wrappings_without_end_are_refused() -> None:
    assert re.search("more than 8 wrappings", refusal(wrap(json.dumps(EVENT), ["array"] * (MAX_WRAPPINGS + 1))))
    assert isinstance(parse(wrap(json.dumps(EVENT), ["array"] * MAX_WRAPPINGS)), Actionable)
