"""Reads `EC2 Spot Instance Interruption Warning`: EC2 takes a Spot instance back in 2 minutes.

The seat is needed until then, so the warning frees nothing. After 2 minutes EC2 is asked. So if its state-change event
was lost, the stop is known then and not only with the next inventory.
"""

from datetime import timedelta

from seatpool.mirror.messages.envelope import Envelope, read_instance
from seatpool.mirror.messages.parsed import RecheckRequest

SOURCE = "aws.ec2"
DETAIL_TYPE = "EC2 Spot Instance Interruption Warning"
NOTICE = timedelta(minutes=2)


def read_spot_interruption(envelope: Envelope) -> RecheckRequest:
    """Reads the event. Raises RejectedMessage."""
    return RecheckRequest(
        source=read_instance(envelope.detail, "instance-id"),
        account=envelope.account,
        region=envelope.region,
        at=envelope.time,
        wait=NOTICE,
    )
