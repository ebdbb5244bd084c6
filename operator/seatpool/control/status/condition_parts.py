"""Builds a condition without its times: type, whether it holds, reason and message."""

from seatpool.api.reasons import ConditionReason, message
from seatpool.control.state.server_view import ConditionParts


def parts(
    kind: str, holds: bool | None, reason: ConditionReason, text: str = "", /, **values: object
) -> ConditionParts:
    """Returns the parts of a condition. Without a text, the message is that of the reason with these values."""
    return kind, holds, reason, text or message(reason, **values)
