"""Creates the two kinds of events about workbenches, as EventBridge puts them into a queue."""

import secrets
from datetime import UTC, datetime
from typing import Any

__all__ = ["DETAIL_TYPE", "SOURCE", "state_change", "workbench_event"]

SOURCE = "vew.workbench"
DETAIL_TYPE = "Workbench State Change"


def state_change(*, instance_id: str, state: str, at: datetime, account: str, region: str) -> dict[str, Any]:
    """Returns EC2's own event. EC2 gives whole seconds. A finer `at` is kept for measurements."""
    return {
        "version": "0",
        "id": _id(),
        "detail-type": "EC2 Instance State-change Notification",
        "source": "aws.ec2",
        "account": account,
        "time": _text(at),
        "region": region,
        "resources": [f"arn:aws:ec2:{region}:{account}:instance/{instance_id}"],
        "detail": {"instance-id": instance_id, "state": state},
    }


def workbench_event(
    *,
    instance_id: str,
    state: str,
    at: datetime,
    account: str,
    region: str,
    owner: str,
    type: str,  # noqa: A002
) -> dict[str, Any]:
    """Returns the custom event, whose sender has read the tags of the instance."""
    event = state_change(instance_id=instance_id, state=state, at=at, account=account, region=region)
    return event | {
        "detail-type": DETAIL_TYPE,
        "source": SOURCE,
        "detail": {
            "user-id": owner,
            "workbench-type": type,
            "workbench-state": state,
            "instance-id": instance_id,
        },
    }


def _id() -> str:
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _text(at: datetime) -> str:
    at = at.astimezone(UTC).replace(tzinfo=None)
    return at.isoformat(timespec="milliseconds" if at.microsecond >= 1000 else "seconds") + "Z"
