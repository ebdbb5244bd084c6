"""Opens what other services put around an event, and names what holds no whole event.

Each entry of `_WRAPPINGS` is one form. Events in them are as good as those that come straight from EventBridge. A form
that lacks a part of the event cannot be opened. `_NO_EVENT` then says what to change where it comes from.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any

Fields = Mapping[str, Any]


class NoEvent(Exception):
    """The text says what the document is, and what to change so that whole events come."""


def is_event(document: object) -> bool:
    """Returns whether the document claims to be an EventBridge event itself."""
    return isinstance(document, dict) and ("source" in document or "detail-type" in document)


def open_wrapping(document: object) -> list[object]:
    """Takes one layer off. A string in the result is JSON text. Raises NoEvent."""
    if isinstance(document, str):
        return [document]
    if isinstance(document, list):
        return document
    if not isinstance(document, dict):
        raise NoEvent(f"a JSON {type(document).__name__} instead of an object")
    for wrapping in _WRAPPINGS:
        inner = wrapping(document)
        if inner is not None:
            return inner
    for fits, text in _NO_EVENT:
        if fits(document):
            raise NoEvent(text)
    raise NoEvent("neither an EventBridge event nor a known wrapping of one: field source must be a string")


def _sns_notification(fields: Fields) -> list[object] | None:
    if fields.get("Type") != "Notification":
        return None
    return _texts(fields, "Message")


def _lambda_sns_record(fields: Fields) -> list[object] | None:
    inner = fields.get("Sns")
    return _texts(inner, "Message") if isinstance(inner, dict) else None


def _sqs_record(fields: Fields) -> list[object] | None:
    """Opens a message of a queue as EventBridge Pipes, Lambda and the AWS CLI show it."""
    for text, id_of in (("body", "messageId"), ("Body", "MessageId")):
        if id_of in fields and text in fields:
            return _texts(fields, text)
    return None


def _batch(fields: Fields) -> list[object] | None:
    for name in ("Records", "records", "Messages"):
        inner = fields.get(name)
        if isinstance(inner, list):
            return inner
    return None


def _stream_record(fields: Fields) -> list[object] | None:
    """Opens a record of Firehose, or of Kinesis as Pipes and Lambda show it. Its data are in Base64."""
    inner = fields.get("kinesis", fields)
    if not isinstance(inner, dict) or not isinstance(inner.get("data"), str):
        return None
    if inner is fields and not {"recordId", "partitionKey"} & fields.keys():
        return None
    try:
        return [base64.b64decode(inner["data"], validate=True).decode()]
    except ValueError as error:
        raise NoEvent(
            f"a record of a stream whose data are not JSON in Base64 ({error}): send them as they are, uncompressed"
        ) from error


def _log_events(fields: Fields) -> list[object] | None:
    """Opens what CloudWatch Logs sends to a subscriber."""
    inner = fields.get("logEvents")
    if not isinstance(inner, list):
        return None
    return [one.get("message") if isinstance(one, dict) else one for one in inner]


def _lambda_destination(fields: Fields) -> list[object] | None:
    if "requestContext" not in fields or "requestPayload" not in fields:
        return None
    return [fields["requestPayload"]]


def _texts(fields: Fields, name: str) -> list[object]:
    text = fields.get(name)
    if not isinstance(text, str):
        raise NoEvent(f"field {name}: a JSON {type(text).__name__} instead of the text of an event")
    return [text]


_WRAPPINGS: tuple[Callable[[Fields], list[object] | None], ...] = (
    _sns_notification,
    _lambda_sns_record,
    _sqs_record,
    _batch,
    _stream_record,
    _log_events,
    _lambda_destination,
)


def _has(*names: str) -> Callable[[Fields], bool]:
    return lambda fields: fields.keys() >= set(names)


_NO_EVENT: tuple[tuple[Callable[[Fields], bool], str], ...] = (
    (
        lambda fields: fields.get("Type") in ("SubscriptionConfirmation", "UnsubscribeConfirmation"),
        "an SNS confirmation and no event: confirm the subscription of the queue, and switch on raw message delivery",
    ),
    (
        _has("Source", "DetailType"),
        "an entry for PutEvents and no event: put it on an event bus, whose rule has the queue as its target",
    ),
    (
        _has("AutoScalingGroupName"),
        "a notification of Auto Scaling itself: forward its EventBridge events with a rule, and take the queue out of "
        "the group's notifications and lifecycle hooks",
    ),
    (
        lambda fields: "instance-id" in fields or "EC2InstanceId" in fields or "changed-tag-keys" in fields,
        "the detail of an event without account, region and time: take InputPath and InputTransformer out of the "
        "rule's target, so that it sends the whole event",
    ),
    (
        lambda fields: fields.get("Event") == "s3:TestEvent" or "s3" in fields,
        "a notification of S3 and no event of a workbench: take the queue out of the bucket's notifications",
    ),
    (
        _has("eventVersion", "eventName"),
        "a record of CloudTrail and no event of a workbench: forward EC2's own state-change events with a rule",
    ),
)
