"""Reads EC2's instance states. Only its own words count, because a wrong guess loses or steals a seat."""

from collections.abc import Mapping
from typing import Any

from seatpool.api.workbench import InstanceState
from seatpool.mirror.messages.envelope import RejectedMessage
from seatpool.mirror.messages.parsed import RejectReason

_STATES = {state.value: state for state in InstanceState}


def read_state(fields: Mapping[str, Any], name: str) -> InstanceState:
    """Returns the state in a field. Raises RejectedMessage."""
    value = fields.get(name)
    state = _STATES.get(value) if isinstance(value, str) else None
    if state is None:
        raise RejectedMessage(RejectReason.UNKNOWN_STATE, f"field {name}: {value!r} is not one of {', '.join(_STATES)}")
    return state
