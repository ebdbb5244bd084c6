"""Defines the values from which the status of a LicenseServer is rendered."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from seatpool.api.licenseserver import GuardStatus
from seatpool.api.reasons import ConditionReason
from seatpool.control.state.pool_state import Failure, ObservedList, PoolState
from seatpool.policy.guard import HeldChange

ConditionParts = tuple[str, bool | None, ConditionReason, str]
"""A condition's type, whether it holds (None: unknown), its reason, and its message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerView:
    """State of a license server that its stored status does not have yet."""

    observed: Mapping[str, ObservedList] = field(default_factory=dict)
    """The lists that were read, by product."""
    pool_states: Mapping[str, PoolState] = field(default_factory=dict)
    """States of the pools that are applied to the server, by key."""
    duplicates: tuple[str, ...] = ()
    """Pools that are not applied, each with the older one that manages its list."""
    reached: bool | None = None
    """Whether the last command was answered; None: none was sent yet."""
    fault: Failure | None = None
    """Why the last command failed as a whole."""
    pass_failure: Failure | None = None
    """Why the last pass failed; None: it did not."""
    held: HeldChange | None = None
    """The change that the guard holds back."""
    guard: GuardStatus | None = None
    """What is stored of the guard; None: nothing was decided yet."""
    lease_problem: str | None = None
    """Why no process may be the leader."""
    uninventoried: tuple[str, ...] = ()
    """Accounts that were never inventoried completely."""
    common: tuple[ConditionParts, ...] = ()
    """Conditions about the mirror and the settings, the same on every server."""
    unlistable: Mapping[str, str] | None = None
    """Users whom the server's lists cannot have, each with the reason; None: not known yet."""
    last_applied: datetime | None = None
    last_verified: datetime | None = None
