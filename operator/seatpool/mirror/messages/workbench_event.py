"""The custom event of the published pipeline, so that an existing installation can plug in.

Its Lambda has read the tags already: the event says whose the instance is, and EC2 need not be asked.
"""

from seatpool.mirror.messages.envelope import Envelope, read_instance_id, read_text
from seatpool.mirror.messages.instance_state import read_state
from seatpool.mirror.messages.parsed import Hint

MAX_TAG_VALUE = 256


def read_workbench_event(envelope: Envelope) -> Hint:
    detail = envelope.detail
    return Hint(
        instance_id=read_instance_id(detail, "instance-id"),
        account=envelope.account,
        region=envelope.region,
        state=read_state(detail, "workbench-state"),
        at=envelope.time,
        owner=read_text(detail, "user-id", max_length=MAX_TAG_VALUE),
        type=read_text(detail, "workbench-type", max_length=MAX_TAG_VALUE),
    )
