"""Reads the custom event of the published pipeline, so that an existing installation can be connected.

Its Lambda has read the tags already. The event has owner and type, so EC2 need not be asked.
"""

from seatpool.mirror.messages.envelope import Envelope, read_instance, read_text
from seatpool.mirror.messages.instance_state import read_state
from seatpool.mirror.messages.parsed import StateReport

MAX_TAG_VALUE = 256


def read_workbench_event(envelope: Envelope) -> StateReport:
    """Reads the event. Raises RejectedMessage."""
    detail = envelope.detail
    return StateReport(
        source=read_instance(detail, "instance-id"),
        account=envelope.account,
        region=envelope.region,
        state=read_state(detail, "workbench-state"),
        at=envelope.time,
        owner=read_text(detail, "user-id", max_length=MAX_TAG_VALUE),
        type=read_text(detail, "workbench-type", max_length=MAX_TAG_VALUE),
    )
