"""EC2's states in a message: exactly its own words, because a guess here is a lost or a stolen seat."""

from collections.abc import Mapping
from typing import Any

from seatpool.api.workbench import InstanceState
from seatpool.mirror.messages.envelope import Flawed
from seatpool.mirror.messages.parsed import Flaw

_STATES = {state.value: state for state in InstanceState}


def read_state(fields: Mapping[str, Any], name: str) -> InstanceState:
    value = fields.get(name)
    state = _STATES.get(value) if isinstance(value, str) else None
    if state is None:
        raise Flawed(Flaw.UNKNOWN_STATE, f"field {name}: {value!r} is not one of {', '.join(_STATES)}")
    return state
