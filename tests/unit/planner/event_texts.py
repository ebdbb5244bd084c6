"""Lines of a file of events, for tests."""

import json
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
Happening = tuple[str, str, int, str, int]
"""The owner, the type, the number of the instance, its state, and the minute."""


def event(owner: str, of_type: str, instance: int, state: str, minute: int) -> str:
    return envelope(
        "vew.workbench",
        "Workbench State Change",
        minute,
        {
            "user-id": owner,
            "workbench-type": of_type,
            "workbench-state": state,
            "instance-id": f"i-{instance:017x}",
        },
    )


def own_event_of_ec2(instance: int, state: str, minute: int) -> str:
    return envelope(
        "aws.ec2",
        "EC2 Instance State-change Notification",
        minute,
        {"instance-id": f"i-{instance:017x}", "state": state},
    )


def envelope(source: str, detail_type: str, minute: int, detail: dict[str, str]) -> str:
    at = START + timedelta(minutes=minute)
    return json.dumps(
        {
            "version": "0",
            "id": "00000000-0000-0000-0000-000000000000",
            "source": source,
            "detail-type": detail_type,
            "account": "111122223333",
            "region": "eu-central-1",
            "time": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "detail": detail,
        }
    )
