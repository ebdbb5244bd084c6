"""Reads `WorkbenchEC2StateChanged`, into which the hub of a Virtual Engineering Workbench turns EC2's own event.

The hub keeps the source `aws.ec2`, or gives the event a source of its own. EventBridge writes the account of an event of
AWS, so the detail has to name the same. An event of another source has the hub's account, and only its detail says
whose instance it is. So that source has to be named in the settings.
"""

from collections.abc import Mapping
from typing import Any

from seatpool.mirror.messages.envelope import Envelope, RejectedMessage, read_account, read_instance, read_region
from seatpool.mirror.messages.instance_state import read_state
from seatpool.mirror.messages.parsed import RejectReason, StateReport

SOURCE = "aws.ec2"
DETAIL_TYPE = "WorkbenchEC2StateChanged"


def read_hub_instance(envelope: Envelope) -> StateReport:
    """Reads the event. Raises RejectedMessage."""
    detail = envelope.detail
    account, region = read_place(envelope, detail)
    return StateReport(
        source=read_instance(detail, "instanceId"),
        account=account,
        region=region,
        state=read_state(detail, "state"),
        at=envelope.time,
    )


def read_place(envelope: Envelope, detail: Mapping[str, Any]) -> tuple[str, str]:
    """Returns account and region of the machine. Raises RejectedMessage."""
    account, region = read_account(detail, "accountId"), read_region(detail, "region")
    if envelope.source.startswith("aws.") and (account, region) != (envelope.account, envelope.region):
        raise RejectedMessage(
            RejectReason.BAD_FIELD,
            f"field accountId: {account} and region {region} are not those of the event, {envelope.account} and "
            f"{envelope.region}; an event of {envelope.source} is about its own account",
        )
    return account, region
