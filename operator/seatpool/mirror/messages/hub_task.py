"""Reads `WorkbenchContainerStateChanged`, into which the hub of a Virtual Engineering Workbench turns ECS's own event.

What `hub_instance` says of account and source holds here too.
"""

from seatpool.mirror.messages.envelope import Envelope
from seatpool.mirror.messages.hub_instance import read_place
from seatpool.mirror.messages.parsed import StateReport
from seatpool.mirror.messages.task_state_change import read_task

SOURCE = "aws.ecs"
DETAIL_TYPE = "WorkbenchContainerStateChanged"


def read_hub_task(envelope: Envelope) -> StateReport:
    """Reads the event. Raises RejectedMessage."""
    account, region = read_place(envelope, envelope.detail)
    return read_task(envelope, account=account, region=region)
