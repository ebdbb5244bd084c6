"""Renders the condition SettingsApplied of every LicenseServer: whether the files of the operator's settings are in use.

A refused file of owners changes no list, so nothing else would show it. The message does not quote the error: it may name
owners of any namespace, and users of each namespace read their LicenseServers. The operator's log has it.
"""

from collections.abc import Sequence
from datetime import datetime

from seatpool.api.base import format_instant
from seatpool.api.reasons import ConditionReason
from seatpool.control.state.server_view import ConditionParts
from seatpool.control.status.condition_parts import parts

SETTINGS = "SettingsApplied"


def settings_part(refused_since: datetime | None, *, waiting: Sequence[str]) -> ConditionParts:
    """Returns the condition. `waiting`: changed settings that need a restart."""
    if refused_since is not None:
        return parts(SETTINGS, False, ConditionReason.SETTINGS_REFUSED, refused=format_instant(refused_since))
    if waiting:
        return parts(SETTINGS, True, ConditionReason.SETTINGS_WAIT, names=", ".join(waiting))
    return parts(SETTINGS, True, ConditionReason.SETTINGS_APPLIED)
