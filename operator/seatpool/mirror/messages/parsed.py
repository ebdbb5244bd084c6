"""What became of a message's text. Parsing never raises: whatever somebody may send has a name here.

The names are also metric labels, so each is a closed set.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from seatpool.api.workbench import InstanceState


class KindName(StrEnum):
    """The kinds of messages, as metrics and logs name them."""

    STATE_CHANGE = "state_change"
    WORKBENCH = "workbench"
    TAG_CHANGE = "tag_change"
    SPOT_INTERRUPTION = "spot_interruption"
    SCALING_ACTION = "scaling_action"
    SCALING_TERMINATION = "scaling_termination"
    UNKNOWN = "unknown"


class Flaw(StrEnum):
    """What is wrong with a message that nobody can handle."""

    TOO_LARGE = "too_large"
    NOT_JSON = "not_json"
    DUPLICATE_KEY = "duplicate_key"
    NOT_AN_ENVELOPE = "not_an_envelope"
    BAD_FIELD = "bad_field"
    UNKNOWN_STATE = "unknown_state"
    FUTURE_TIME = "future_time"
    UNKNOWN_ACCOUNT = "unknown_account"
    REFUSED_BY_API = "refused_by_api"


class Irrelevance(StrEnum):
    """Why a good message does not concern us."""

    UNKNOWN_KIND = "unknown_kind"
    OTHER_RESOURCE = "other_resource"
    OTHER_TAGS = "other_tags"
    UNTAGGED = "untagged"
    NO_SUCH_INSTANCE = "no_such_instance"
    NOT_HELD = "not_held"
    """A hint that an instance ends, of which no object tells."""
    EVENTS_ONLY = "events_only"
    """Nobody can say whose the instance is: EC2 of that account may not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """An instance, a time and a state, and perhaps whose it is."""

    instance_id: str
    account: str
    region: str
    state: InstanceState
    at: datetime
    owner: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """Something may have happened to an instance. It says nothing for sure: EC2 has to be asked, when it is due."""

    instance_id: str
    account: str
    region: str
    at: datetime
    wait: timedelta = timedelta(0)
    """From the event's time until there is something to see."""
    retagged: bool = False
    """Whose it is may have changed, and whether it is a workbench at all."""

    @property
    def due(self) -> datetime:
        return self.at + self.wait


@dataclass(frozen=True, slots=True)
class Actionable:
    """A message to act on."""

    kind: KindName
    hint: Hint


@dataclass(frozen=True, slots=True)
class Askable:
    """A message that makes EC2 be asked."""

    kind: KindName
    suspicion: Suspicion


@dataclass(frozen=True, slots=True)
class Irrelevant:
    """A message to drop."""

    kind: KindName
    reason: Irrelevance


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message for the dead-letter queue."""

    kind: KindName
    flaw: Flaw
    detail: str
    place: tuple[str, str] | None = None
    """The account and region that are not configured, if that is the flaw."""


Parsed = Actionable | Askable | Irrelevant | Malformed
