"""Computes what an APIKey is now: whether it is approved, can be taken, is accepted, or has ended. Pure."""

from dataclasses import dataclass
from datetime import datetime

from seatpool.api.apikey import APIKey, APIKeyStatus, KeyPhase
from seatpool.api.base import format_duration, format_instant
from seatpool.api.conditions import condition, merge
from seatpool.api.reasons import ConditionReason, message
from seatpool.settings.web import KeySettings

_PHASES = {
    ConditionReason.APPROVAL_NEEDED: KeyPhase.REQUESTED,
    ConditionReason.KEY_NOT_TAKEN: KeyPhase.APPROVED,
    ConditionReason.KEY_ISSUED: KeyPhase.ISSUED,
    ConditionReason.APPROVAL_REFUSED: KeyPhase.REFUSED,
    ConditionReason.TOO_LONG: KeyPhase.REFUSED,
    ConditionReason.KEY_REVOKED: KeyPhase.ENDED,
    ConditionReason.KEY_EXPIRED: KeyPhase.ENDED,
    ConditionReason.WORKBENCH_ENDED: KeyPhase.ENDED,
}
"""The phase by the reason of Ready."""
_APPROVAL = {
    ConditionReason.APPROVED_BY_ADMIN: True,
    ConditionReason.APPROVED_BY_POLICY: True,
    ConditionReason.APPROVAL_REFUSED: False,
    ConditionReason.TOO_LONG: False,
    ConditionReason.APPROVAL_NEEDED: None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyState:
    """What an APIKey is at a time."""

    ready: ConditionReason
    """Why its key is accepted or not."""
    approval: ConditionReason
    """Why it is approved or not."""
    said: str
    """The reason of `ready` in a sentence."""
    approval_said: str
    """The reason of `approval` in a sentence."""

    @property
    def phase(self) -> KeyPhase:
        """Returns where it is in its life."""
        return _PHASES[self.ready]


def state_of(key: APIKey, settings: KeySettings, *, has_workbench: bool, now: datetime) -> KeyState:
    """Returns what an APIKey is now. `has_workbench`: the workbench that it is for is active, or it is for none."""
    approval = _approval(key, settings)
    ready = _ready(key, settings, approval=approval, has_workbench=has_workbench, now=now)
    values = _values(key, settings)
    return KeyState(
        ready=ready, approval=approval, said=message(ready, **values), approval_said=message(approval, **values)
    )


def end_of(key: APIKey, settings: KeySettings, *, now: datetime) -> datetime:
    """Returns when a key that is issued now ends."""
    spec, latest = key.spec, now + settings.longest
    if spec.valid_for is not None:
        return min(now + spec.valid_for, latest)
    return min(spec.expires_at or latest, latest)


def status_of(key: APIKey, state: KeyState, *, now: datetime) -> APIKeyStatus:
    """Returns the status that says what an APIKey is. Everything but phase and conditions stays."""
    generation = key.metadata.generation
    holds = {KeyPhase.ISSUED: True, KeyPhase.REQUESTED: None}.get(state.phase, False)
    conditions = (
        condition("Ready", holds, state.ready.value, state.said, generation=generation, now=now),
        condition(
            "Approved", _APPROVAL[state.approval], state.approval.value, state.approval_said, generation=generation,
            now=now,
        ),
    )  # fmt: skip
    return key.status.model_copy(
        update={
            "observed_generation": generation,
            "phase": state.phase,
            "conditions": merge(key.status.conditions, conditions),
        }
    )


def _approval(key: APIKey, settings: KeySettings) -> ConditionReason:
    spec = key.spec
    if spec.approved is False:
        return ConditionReason.APPROVAL_REFUSED
    # What was approved once stays approved, also if the settings change. Else two replicas with the settings from before and
    # after a change would each undo what the other wrote.
    was_approved = key.is_issued or _is_told_approved(key)
    if not was_approved and _too_long(key, settings):
        return ConditionReason.TOO_LONG
    if spec.approved is True:
        return ConditionReason.APPROVED_BY_ADMIN
    if spec.scope in settings.approve or was_approved:
        return ConditionReason.APPROVED_BY_POLICY
    return ConditionReason.APPROVAL_NEEDED


def _is_told_approved(key: APIKey) -> bool:
    """Tells whether the status says that an APIKey is approved by what approves it now: an admin, or the settings."""
    reason = ConditionReason.APPROVED_BY_ADMIN if key.spec.approved else ConditionReason.APPROVED_BY_POLICY
    return any((one.type, one.reason) == ("Approved", reason.value) for one in key.status.conditions)


def _ready(
    key: APIKey, settings: KeySettings, *, approval: ConditionReason, has_workbench: bool, now: datetime
) -> ConditionReason:
    if key.status.phase is KeyPhase.ENDED:
        return _ended_by(key)
    if key.spec.revoked:
        return ConditionReason.KEY_REVOKED
    if _ends_at(key, settings) <= now:
        return ConditionReason.KEY_EXPIRED
    if key.is_issued and not has_workbench:
        return ConditionReason.WORKBENCH_ENDED
    if _APPROVAL[approval] is not True:
        return approval
    return ConditionReason.KEY_ISSUED if key.is_issued else ConditionReason.KEY_NOT_TAKEN


def _ended_by(key: APIKey) -> ConditionReason:
    """Returns why a key ended. It never comes back, also if its workbench does."""
    told = {one.reason for one in key.status.conditions if one.type == "Ready"}
    ended = (reason for reason, phase in _PHASES.items() if phase is KeyPhase.ENDED and reason.value in told)
    return next(ended, ConditionReason.KEY_REVOKED)


def _ends_at(key: APIKey, settings: KeySettings) -> datetime:
    """Returns when a key ends, or until when it can be taken."""
    if key.is_issued:
        return key.status.expires_at or _asked_at(key)  # a hash without an end is none of ours
    latest = _asked_at(key) + settings.longest
    return min(key.spec.expires_at or latest, latest)


def _too_long(key: APIKey, settings: KeySettings) -> bool:
    spec = key.spec
    if spec.valid_for is not None:
        return spec.valid_for > settings.longest
    return spec.expires_at is not None and spec.expires_at > _asked_at(key) + settings.longest


def _asked_at(key: APIKey) -> datetime:
    created = key.metadata.creation_timestamp
    assert created is not None  # noqa: S101 - the API server sets it
    return created


def _values(key: APIKey, settings: KeySettings) -> dict[str, object]:
    spec = key.spec
    by_duration = spec.valid_for is not None
    return {
        "name": key.metadata.name,
        "namespace": key.metadata.namespace,
        "user": spec.user,
        "workbench": spec.workbench,
        "field": "spec.validFor" if by_duration else "spec.expiresAt",
        "value": format_duration(spec.valid_for) if spec.valid_for is not None else _told(spec.expires_at),
        "longest": format_duration(settings.longest),
        "at": _told(_ends_at(key, settings)),
    }


def _told(at: datetime | None) -> str:
    return "" if at is None else format_instant(at)
