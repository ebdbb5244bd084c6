"""Renders the status of an object that the API server admits and the operator cannot read.

Whatever its status said before may be untrue, and may be what cannot be read. So only what cannot be computed again is kept.
"""

from datetime import datetime
from typing import Any

from seatpool.api.base import Resource
from seatpool.api.conditions import ConditionStatus, condition
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import ConditionReason, message
from seatpool.cache.store import UnreadableObject
from seatpool.kube.client import Body

SERVER_MEANWHILE = "nothing is sent to the server until it is mended"
_MEANWHILE = "until it is mended, its last readable version is used, and none after a restart of the operator"


def unreadable_status(found: UnreadableObject, *, now: datetime) -> Body:
    """Returns the whole status: Ready=False with the field, its value and what would be right."""
    metadata, stored = found.raw["metadata"], found.raw.get("status") or {}
    meanwhile = SERVER_MEANWHILE if found.resource is LicenseServer else _MEANWHILE
    text = message(ConditionReason.INVALID_SPEC, problem=found.problem, meanwhile=meanwhile)
    generation = metadata.get("generation")
    ready = condition("Ready", False, ConditionReason.INVALID_SPEC.value, text, generation=generation, now=now).wire()
    since = _last_transition(stored)
    if since is not None:
        ready["lastTransitionTime"] = since
    return _kept(found.resource, stored) | {"observedGeneration": generation, "conditions": [ready]}


def _kept(resource: type[Resource], stored: Body) -> Body:
    """The write-ahead log of a server outlives everything, and so do the seat lengths that estimates are made from."""
    if resource is LicenseServer:
        return stored
    return {name: stored[name] for name in ("seatLengths",) if resource is LicensePool and name in stored}


def _last_transition(stored: Body) -> Any:
    """Returns since when Ready is False. None: it is not yet."""
    for one in stored.get("conditions", ()):
        if (one.get("type"), one.get("status"), one.get("reason")) == (
            "Ready", ConditionStatus.FALSE.value, ConditionReason.INVALID_SPEC.value
        ):  # fmt: skip
            return one.get("lastTransitionTime")
    return None
