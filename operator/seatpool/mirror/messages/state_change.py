"""Reads EC2's own event `EC2 Instance State-change Notification`: instance and state, but no owner and no type."""

from seatpool.mirror.messages.envelope import Envelope, read_instance
from seatpool.mirror.messages.instance_state import read_state
from seatpool.mirror.messages.parsed import StateReport

SOURCE = "aws.ec2"
DETAIL_TYPE = "EC2 Instance State-change Notification"


def read_state_change(envelope: Envelope) -> StateReport:
    """Reads the event. Raises RejectedMessage."""
    return StateReport(
        source=read_instance(envelope.detail, "instance-id"),
        account=envelope.account,
        region=envelope.region,
        state=read_state(envelope.detail, "state"),
        at=envelope.time,
    )
