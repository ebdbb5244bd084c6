"""`EC2 Instance-terminate Lifecycle Action`: an Auto Scaling group wants to end an instance and waits for a hook.

How long the hook takes nobody knows, and the instance runs meanwhile; EC2 is asked a little later whether it still does.
"""

from datetime import timedelta

from seatpool.mirror.messages.envelope import Envelope, read_instance_id
from seatpool.mirror.messages.parsed import Suspicion

SOURCE = "aws.autoscaling"
DETAIL_TYPE = "EC2 Instance-terminate Lifecycle Action"
PATIENCE = timedelta(minutes=2)


def read_scaling_action(envelope: Envelope) -> Suspicion:
    return Suspicion(
        instance_id=read_instance_id(envelope.detail, "EC2InstanceId"),
        account=envelope.account,
        region=envelope.region,
        at=envelope.time,
        wait=PATIENCE,
    )
