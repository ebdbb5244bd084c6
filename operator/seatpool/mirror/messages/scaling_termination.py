"""Reads `EC2 Instance Terminate Successful`: an Auto Scaling group has ended an instance.

EC2 is asked about it at once.
"""

from seatpool.mirror.messages.envelope import Envelope, read_instance
from seatpool.mirror.messages.parsed import RecheckRequest

SOURCE = "aws.autoscaling"
DETAIL_TYPE = "EC2 Instance Terminate Successful"


def read_scaling_termination(envelope: Envelope) -> RecheckRequest:
    """Reads the event. Raises RejectedMessage."""
    return RecheckRequest(
        source=read_instance(envelope.detail, "EC2InstanceId"),
        account=envelope.account,
        region=envelope.region,
        at=envelope.time,
    )
