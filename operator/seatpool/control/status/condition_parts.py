"""Builds a condition without its times: type, whether it holds, reason and message."""

from seatpool.api.reasons import SENTENCES, ConditionReason
from seatpool.control.state.server_view import ConditionParts


def parts(kind: str, holds: bool | None, reason: ConditionReason, message: str = "") -> ConditionParts:
    """Returns the parts of a condition. `message` empty: the sentence of its reason."""
    return kind, holds, reason, message or SENTENCES[reason]
