"""What other services put around an event, for tests: each takes the JSON text of one, and gives a text."""

import base64
import json
from collections.abc import Callable
from itertools import pairwise

from hypothesis import strategies as st


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


WRAPPINGS: dict[str, Callable[[str], str]] = {
    "quoted": json.dumps,
    "byte order mark": lambda text: "\ufeff" + text,
    "array": lambda text: f"[{text}]",
    "SNS": lambda text: json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:eu-central-1:111122223333:events",
            "Message": text,
            "Timestamp": "2026-03-02T08:00:00.000Z",
            "SignatureVersion": "1",
        }
    ),
    "Pipes": lambda text: json.dumps(
        {
            "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
            "receiptHandle": "AQEB",
            "body": text,
            "attributes": {"ApproximateReceiveCount": "1"},
            "eventSource": "aws:sqs",
            "awsRegion": "eu-central-1",
        }
    ),
    "Lambda, SQS": lambda text: json.dumps({"Records": [{"messageId": "1", "body": text, "eventSource": "aws:sqs"}]}),
    "Lambda, SNS": lambda text: json.dumps({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": text}}]}),
    "Lambda, Kinesis": lambda text: json.dumps(
        {"Records": [{"kinesis": {"partitionKey": "1", "data": _base64(text)}, "eventSource": "aws:kinesis"}]}
    ),
    "Pipes, Kinesis": lambda text: json.dumps({"partitionKey": "1", "data": _base64(text), "awsRegion": "x"}),
    "Firehose": lambda text: json.dumps({"records": [{"recordId": "1", "data": _base64(text)}]}),
    "AWS CLI": lambda text: json.dumps({"Messages": [{"MessageId": "1", "ReceiptHandle": "2", "Body": text}]}),
    "CloudWatch Logs": lambda text: json.dumps(
        {"messageType": "DATA_MESSAGE", "logEvents": [{"id": "1", "timestamp": 1, "message": text}]}
    ),
    "Lambda destination": lambda text: (
        f'{{"version": "1.0", "requestContext": {{"condition": "RetriesExhausted"}}, "requestPayload": {text}}}'
    ),
}

_TAKES_JSON = ("array", "Lambda destination")


def wrapped() -> st.SearchStrategy[list[str]]:
    """Names of wrappings, the innermost first, as they can stand around each other."""

    def possible(names: list[str]) -> bool:
        pairs = pairwise(names)
        return not any(one == "byte order mark" and other in (*_TAKES_JSON, "byte order mark") for one, other in pairs)

    return st.lists(st.sampled_from(sorted(WRAPPINGS)), max_size=3).filter(possible)


def wrap(text: str, names: list[str]) -> str:
    """Puts the wrappings around a text."""
    for name in names:
        text = WRAPPINGS[name](text)
    return text
