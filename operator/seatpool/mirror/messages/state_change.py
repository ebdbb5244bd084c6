"""EC2's own event, `EC2 Instance State-change Notification`: the instance and its state, but not whose it is."""

from seatpool.mirror.messages.envelope import Envelope, read_instance_id
from seatpool.mirror.messages.instance_state import read_state
from seatpool.mirror.messages.parsed import Hint

SOURCE = "aws.ec2"
DETAIL_TYPE = "EC2 Instance State-change Notification"


def read_state_change(envelope: Envelope) -> Hint:
    return Hint(
        instance_id=read_instance_id(envelope.detail, "instance-id"),
        account=envelope.account,
        region=envelope.region,
        state=read_state(envelope.detail, "state"),
        at=envelope.time,
    )
