"""Reads `EC2 Instance-terminate Lifecycle Action`: an Auto Scaling group waits for a hook before it ends an instance.

The time that the hook takes is unknown, and the instance runs meanwhile. So EC2 is asked 2 minutes later.
"""

from datetime import timedelta

from seatpool.mirror.messages.envelope import Envelope, read_instance
from seatpool.mirror.messages.parsed import RecheckRequest

SOURCE = "aws.autoscaling"
DETAIL_TYPE = "EC2 Instance-terminate Lifecycle Action"
RECHECK_AFTER = timedelta(minutes=2)


def read_scaling_action(envelope: Envelope) -> RecheckRequest:
    """Reads the event. Raises RejectedMessage."""
    return RecheckRequest(
        source=read_instance(envelope.detail, "EC2InstanceId"),
        account=envelope.account,
        region=envelope.region,
        at=envelope.time,
        wait=RECHECK_AFTER,
    )
