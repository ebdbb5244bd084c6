"""What became of a message's text. Parsing never raises: whatever somebody may send has a name here.

The names are also metric labels, so each is a closed set.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from seatpool.api.workbench import InstanceState


class KindName(StrEnum):
    """The kinds of messages, as metrics and logs name them."""

    STATE_CHANGE = "state_change"
    WORKBENCH = "workbench"
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
    UNTAGGED = "untagged"
    NO_SUCH_INSTANCE = "no_such_instance"
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


@dataclass(frozen=True, slots=True)
class Actionable:
    """A message to act on."""

    kind: KindName
    hint: Hint


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


Parsed = Actionable | Irrelevant | Malformed
