"""The outcomes of parsing a message. There is one for every possible text.

The values of the enums and the names of the outcome classes are also metric labels, so each set is closed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seatpool.api.workbench import InstanceState, WorkbenchSource
from seatpool.mirror.regions import AccountRegion


class KindName(StrEnum):
    """Kinds of messages, as metrics and logs name them."""

    STATE_CHANGE = "state_change"
    WORKBENCH = "workbench"
    HUB_INSTANCE = "hub_instance"
    TASK_STATE_CHANGE = "task_state_change"
    HUB_TASK = "hub_task"
    TAG_CHANGE = "tag_change"
    SPOT_INTERRUPTION = "spot_interruption"
    SCALING_ACTION = "scaling_action"
    SCALING_TERMINATION = "scaling_termination"
    UNKNOWN = "unknown"


class RejectReason(StrEnum):
    """Reasons why a message cannot be handled. Such a message goes to the dead-letter queue."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    DUPLICATE_KEY = "duplicate_key"
    NOT_AN_ENVELOPE = "not_an_envelope"
    BAD_FIELD = "bad_field"
    UNKNOWN_STATE = "unknown_state"
    UNKNOWN_ACCOUNT = "unknown_account"
    REFUSED_BY_API = "refused_by_api"


class IgnoreReason(StrEnum):
    """Reasons why a good message changes nothing. Such a message is deleted."""

    UNKNOWN_KIND = "unknown_kind"
    OTHER_RESOURCE = "other_resource"
    OTHER_TAGS = "other_tags"
    UNTAGGED = "untagged"
    NO_SUCH_INSTANCE = "no_such_instance"
    NO_OBJECT = "not_held"
    """The message asks to check an instance that has no active Workbench object."""
    TOO_LATE = "too_late"
    """It came late, and EC2 of that account may not be asked whether it still holds."""
    EVENTS_ONLY = "events_only"
    """The owner of the instance is unknown, and EC2 of that account may not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateReport:
    """The state of a machine at a time, and its owner and type if the message has them."""

    source: WorkbenchSource
    account: str
    region: str
    state: InstanceState
    at: datetime
    owner: str | None = None
    type: str | None = None
    claimed_at: datetime | None = None
    """The time in the message, if it is in the future and not believed. `at` is then the time of the parsing."""
    sent_at: datetime | None = None
    """Time at which the message came into the queue, by the clock of SQS. None: not known."""

    def delay(self) -> timedelta:
        """Returns how late the event came into the queue. No clock of ours has a part in it."""
        return self.sent_at - self.at if self.sent_at is not None else timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecheckRequest:
    """Something may have happened to an instance. EC2 has to be asked for its state when the request is due."""

    source: WorkbenchSource
    account: str
    region: str
    at: datetime
    wait: timedelta = timedelta(0)
    """Time from the event until EC2 can answer."""
    retagged: bool = False
    """True: owner, type or both tags may have changed."""
    claimed_at: datetime | None = None
    """As in StateReport. Such a request is due at once."""

    @property
    def due(self) -> datetime:
        """Time at which EC2 is asked."""
        return self.at + self.wait


@dataclass(frozen=True, slots=True)
class Actionable:
    """The message reports a state."""

    kind: KindName
    report: StateReport


@dataclass(frozen=True, slots=True)
class Askable:
    """The message makes the mirror ask EC2."""

    kind: KindName
    request: RecheckRequest


@dataclass(frozen=True, slots=True)
class Irrelevant:
    """The message is deleted without an effect."""

    kind: KindName
    reason: IgnoreReason


@dataclass(frozen=True, slots=True)
class Malformed:
    """The message goes to the dead-letter queue."""

    kind: KindName
    reason: RejectReason
    detail: str
    unknown: AccountRegion | None = None
    """The account and region that are not configured. None: the reason is another one."""


Parsed = Actionable | Askable | Irrelevant | Malformed
