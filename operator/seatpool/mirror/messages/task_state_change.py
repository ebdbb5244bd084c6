"""Reads ECS's own event `ECS Task State Change`: task and state, but no tags, and so no owner and no type."""

from collections.abc import Mapping
from typing import Any

from seatpool.api.workbench import InstanceState, SourceKind, WorkbenchSource
from seatpool.mirror.ecs.task_arn import read_task_arn
from seatpool.mirror.ecs.task_state import STATES
from seatpool.mirror.messages.envelope import Envelope, RejectedMessage
from seatpool.mirror.messages.parsed import RejectReason, StateReport

SOURCE = "aws.ecs"
DETAIL_TYPE = "ECS Task State Change"


def read_task_state_change(envelope: Envelope) -> StateReport:
    """Reads the event. Raises RejectedMessage."""
    return read_task(envelope, account=envelope.account, region=envelope.region)


def read_task(envelope: Envelope, *, account: str, region: str) -> StateReport:
    """Returns what the detail says of a task of this account and region. Raises RejectedMessage."""
    detail = envelope.detail
    found = detail.get("taskArn")
    arn = read_task_arn(found)
    if arn is None or (arn.account, arn.region) != (account, region):
        raise RejectedMessage(
            RejectReason.BAD_FIELD,
            f"field taskArn: {found!r} is not the ARN of a task with its cluster, in region {region} of account {account}",
        )
    return StateReport(
        source=WorkbenchSource(kind=SourceKind.ECS, reference=arn.text),
        account=account,
        region=region,
        state=_read_status(detail),
        at=envelope.time,
    )


def _read_status(detail: Mapping[str, Any]) -> InstanceState:
    value = detail.get("lastStatus")
    state = STATES.get(value) if isinstance(value, str) else None
    if state is None:
        raise RejectedMessage(
            RejectReason.UNKNOWN_STATE, f"field lastStatus: {value!r} is not one of {', '.join(STATES)}"
        )
    return state
