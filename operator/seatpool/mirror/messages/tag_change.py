"""Reads `Tag Change on Resource`: tags were set, changed or removed, perhaps those of owner and type.

The event carries the tags, but EC2 is asked anyway. Two changes in one second may arrive in any order, and only EC2
knows the last one.
"""

import re
from collections.abc import Callable
from datetime import timedelta

from seatpool.api.workbench import WorkbenchSource
from seatpool.mirror.messages.envelope import Envelope, IgnoredMessage, RejectedMessage
from seatpool.mirror.messages.parsed import IgnoreReason, RecheckRequest, RejectReason
from seatpool.mirror.names import ec2_instance

SOURCE = "aws.tag"
DETAIL_TYPE = "Tag Change on Resource"
_INSTANCE = re.compile(r"arn:aws[a-z-]*:ec2:[a-z0-9-]+:[0-9]{12}:instance/(i-(?:[0-9a-f]{8}|[0-9a-f]{17}))")


def tag_change_reader(*, tags: frozenset[str], lag: timedelta) -> Callable[[Envelope], RecheckRequest]:
    """Returns a reader of changes of these tags. EC2 is asked `lag` later, when its answer surely covers the change."""

    def read(envelope: Envelope) -> RecheckRequest:
        detail = envelope.detail
        if (detail.get("service"), detail.get("resource-type")) != ("ec2", "instance"):
            raise IgnoredMessage(IgnoreReason.OTHER_RESOURCE)
        changed = detail.get("changed-tag-keys")
        if not isinstance(changed, list) or not all(isinstance(key, str) for key in changed):
            raise RejectedMessage(
                RejectReason.BAD_FIELD, f"field changed-tag-keys: {changed!r} is not a list of strings"
            )
        if tags.isdisjoint(changed):
            raise IgnoredMessage(IgnoreReason.OTHER_TAGS)
        return RecheckRequest(
            source=_read_instance(envelope),
            account=envelope.account,
            region=envelope.region,
            at=envelope.time,
            wait=lag,
            retagged=True,
        )

    return read


def _read_instance(envelope: Envelope) -> WorkbenchSource:
    resources = envelope.fields.get("resources")
    if isinstance(resources, list) and len(resources) == 1 and isinstance(resources[0], str):
        found = _INSTANCE.fullmatch(resources[0])
        if found is not None:
            return ec2_instance(found[1])
    raise RejectedMessage(
        RejectReason.BAD_FIELD, f"field resources: {resources!r} is not a list of one EC2 instance's ARN"
    )
