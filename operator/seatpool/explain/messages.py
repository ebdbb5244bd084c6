"""Defines every message of `seatpool why`, in one table.

The reference page is generated from this table, and the tests compare the texts word for word. A rule's message has the
name of the rule's reason, so a decision and its explanation cannot differ. The messages about conditions come from the
catalogue in `api/reasons.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from seatpool.api import reasons, rule_fields
from seatpool.api.reasons import CONDITIONS, ConditionReason, Form
from seatpool.domain.reasons import Reason


class MessageId(StrEnum):
    """Messages that are neither a rule's reason nor a condition's."""

    HAS_SEAT = "HasSeat"
    SEAT_PENDING = "SeatPending"
    SEAT_OVER = "SeatOver"
    WAITS = "Waits"
    IS_DENIED = "IsDenied"
    NOT_DECIDED = "NotDecided"
    NEEDS_NONE = "NeedsNone"
    UNKNOWN_USER = "UnknownUser"
    LOOK_ELSEWHERE = "LookElsewhere"
    NO_POOL = "NoPool"
    INVALID_OWNER = "InvalidOwner"
    NOT_RUNNING = "NotRunning"

    HELD_SEAT = "HeldSeat"
    DENIED_HOLD = "DeniedHold"

    SEAT_ENDS = "SeatEnds"
    DENIED_SEAT_ENDS = "DeniedSeatEnds"
    GIVES_WAY = "GivesWay"
    SEAT_STAYS = "SeatStays"
    BY_TIME_ALONE = "ByTimeAlone"
    SEAT_COMES = "SeatComes"
    SOMEBODY_MUST_STOP = "SomebodyMustStop"
    SEVERAL_MUST_STOP = "SeveralMustStop"
    TIME_NOT_KNOWN = "TimeNotKnown"
    RELEASES_HELD = "ReleasesHeld"
    SPEC_MUST_CHANGE = "SpecMustChange"
    ACCOUNT_MUST_CHANGE = "AccountMustChange"
    OBSTACLE_FIRST = "ObstacleFirst"
    ONE_STOP_IS_ENOUGH = "OneStopIsEnough"
    STOPS_THAT_HELP = "StopsThatHelp"
    NOT_ALL_TRIED = "NotAllTried"
    NO_STOP_FOUND = "NoStopFound"
    NO_STOP_HELPS = "NoStopHelps"
    LIKELY_RANGE = "LikelyRange"
    LIKELY_TIME = "LikelyTime"
    TOO_FEW_SEATS = "TooFewSeats"
    LONGER_THAN_BEFORE = "LongerThanBefore"
    RULES_DECIDE_TOO = "RulesDecideToo"

    SPEC_UNSEEN = "SpecUnseen"
    NOT_VERIFIED_LATELY = "NotVerifiedLately"


class Part(StrEnum):
    """The line of an answer that a message belongs to."""

    STATE = "how the person stands"
    RULE = "the rule that decides"
    WHEN = "when it changes"
    PROBLEM = "what stands in the way"


@dataclass(frozen=True, slots=True)
class MessageTemplate:
    """A template and its place in the answer."""

    part: Part
    template: str
    field: str = ""
    """The field of the pool's or server's spec that decides."""


@dataclass(frozen=True, slots=True)
class Message:
    """A template filled with values. The id is for programs, the text for people."""

    id: str
    text: str


def message(id: str, **values: str) -> Message:  # noqa: A002
    """Returns the message with these values. The id is a MessageId, or the reason of a seat or of a condition."""
    reason = _CONDITIONS.get(id)
    if reason is not None:
        return Message(reason.value, reasons.message(reason, Form.WHY, **values))
    return Message(str(id), MESSAGES[id].template.format(**values))


_CONDITIONS: Mapping[str, ConditionReason] = {reason: reason for reason, text in CONDITIONS.items() if text.why}
MESSAGES: Mapping[str, MessageTemplate] = {
    # how the person stands
    MessageId.HAS_SEAT: MessageTemplate(Part.STATE, "{user} has a seat of {pool} since {since}."),
    MessageId.SEAT_PENDING: MessageTemplate(
        Part.STATE,
        "{user} was given a seat of {pool} at {since}, and the license server has not confirmed it yet: do not start the "
        "tool before it has.",
    ),
    MessageId.SEAT_OVER: MessageTemplate(Part.STATE, "{user} has a seat of {pool} since {since}, and it ends now."),
    MessageId.WAITS: MessageTemplate(
        Part.STATE, "{user} waits for a seat of {pool}: position {position} of {waiting}, since {since}."
    ),
    MessageId.IS_DENIED: MessageTemplate(Part.STATE, "{user} is denied a seat of {pool}."),
    MessageId.NOT_DECIDED: MessageTemplate(
        Part.STATE, "{user} needs a seat of {pool}, and the operator has not decided about it yet."
    ),
    MessageId.NEEDS_NONE: MessageTemplate(
        Part.STATE, "{user} has no seat of {pool} and needs none: no workbench that it serves is active."
    ),
    MessageId.UNKNOWN_USER: MessageTemplate(
        Part.STATE, "{user} has no workbench and no seat in {where}, and waits for none."
    ),
    MessageId.LOOK_ELSEWHERE: MessageTemplate(
        Part.STATE, "Name another namespace with -n, or look everywhere with -A."
    ),
    MessageId.NOT_RUNNING: MessageTemplate(
        Part.STATE, "{user} needs no seat: no workbench is running, but {workbenches}."
    ),
    MessageId.NO_POOL: MessageTemplate(
        Part.STATE, "Workbench {workbench} is of type {type}, and no pool serves that type in namespace {namespace}."
    ),
    MessageId.INVALID_OWNER: MessageTemplate(Part.STATE, "Workbench {workbench}, spec.owner: {problem}."),
    # the rule that decides: has a seat
    Reason.GRANTED: MessageTemplate(
        Part.RULE, "An active workbench needs the product: {workbenches}.", "workbenchTypes"
    ),
    Reason.PROTECTED: MessageTemplate(
        Part.RULE, "{user} is among spec.protectedUsers and always on the list.", "protectedUsers"
    ),
    Reason.ADOPTED: MessageTemplate(
        Part.RULE,
        "{user} was on the list before the operator first wrote it, and a workbench is active: {workbenches}.",
        "adoption",
    ),
    Reason.MINIMUM_HOLD: MessageTemplate(
        Part.RULE,
        "The seat is not needed any more; spec.minimumHold ({duration}) keeps it until {until}.",
        rule_fields.MINIMUM_HOLD.spec,
    ),
    Reason.LINGERING: MessageTemplate(
        Part.RULE,
        "No workbench is active; spec.linger ({duration}) keeps the seat until {until}.",
        rule_fields.LINGER.spec,
    ),
    MessageId.HELD_SEAT: MessageTemplate(
        Part.RULE, "No workbench is running; the seat stays only because {held}.", "guard"
    ),
    MessageId.DENIED_HOLD: MessageTemplate(
        Part.RULE,
        "{user} is among spec.deniedUsers; spec.minimumHold ({duration}) keeps the seat until {until}.",
        rule_fields.MINIMUM_HOLD.spec,
    ),
    # the rule that decides: waits
    Reason.POOL_FULL: MessageTemplate(Part.RULE, "All {seats} seats are taken.", "seats"),
    Reason.SEATS_RESERVED: MessageTemplate(
        Part.RULE, "{free} of {seats} seats are free, and kept for others: {kept}.", "reservations"
    ),
    Reason.SEATS_COOLING_DOWN: MessageTemplate(
        Part.RULE,
        "{free} of {seats} seats are free, but others had them lately{others}: spec.seatCoolDown ({duration}) blocks "
        "the next of them until {until}.",
        rule_fields.SEAT_COOL_DOWN.spec,
    ),
    Reason.REASSIGNMENT_BUDGET_SPENT: MessageTemplate(
        Part.RULE,
        "{free} of {seats} seats are free, but others had them{others}: {used} of the {count} changes that "
        "spec.maxReassignments permits in {window} are used.",
        rule_fields.MAX_REASSIGNMENTS.spec,
    ),
    Reason.READMISSION_BLOCKED: MessageTemplate(
        Part.RULE,
        "{user} left the list lately: spec.readmitAfter ({duration}) permits no return before {until}.",
        rule_fields.READMIT_AFTER.spec,
    ),
    Reason.DENIED: MessageTemplate(Part.RULE, "{user} is among spec.deniedUsers and never gets a seat.", "deniedUsers"),
    Reason.NOT_LISTABLE: MessageTemplate(
        Part.RULE, "License server {server} cannot have {user} on the list: {problem}.", "serverRef"
    ),
    # the rule that decides: lost a seat
    Reason.WORKBENCHES_STOPPED: MessageTemplate(
        Part.RULE, "The last workbench stopped, and spec.minimumHold and spec.linger are over.", rule_fields.LINGER.spec
    ),
    Reason.SEATS_REDUCED: MessageTemplate(Part.RULE, "The pool has more people than its {seats} seats.", "seats"),
    Reason.MADE_ROOM_FOR_PROTECTED: MessageTemplate(
        Part.RULE, "The pool is full, and a user in spec.protectedUsers has no seat.", "protectedUsers"
    ),
    Reason.USER_DENIED: MessageTemplate(
        Part.RULE, "{user} is among spec.deniedUsers, and spec.minimumHold is over.", "deniedUsers"
    ),
    # when it changes
    MessageId.SEAT_ENDS: MessageTemplate(Part.WHEN, "It ends at {until} unless a workbench of {user} starts before."),
    MessageId.DENIED_SEAT_ENDS: MessageTemplate(Part.WHEN, "It ends at {until}."),
    MessageId.GIVES_WAY: MessageTemplate(Part.WHEN, "It goes to a user in spec.protectedUsers at {until}."),
    MessageId.SEAT_STAYS: MessageTemplate(Part.WHEN, "{user} keeps it while a workbench is running."),
    MessageId.BY_TIME_ALONE: MessageTemplate(Part.WHEN, "Not before {earliest} in any case."),
    MessageId.SEAT_COMES: MessageTemplate(
        Part.WHEN, "If nobody starts or stops a workbench before, {user} has a seat at {instant}."
    ),
    MessageId.SOMEBODY_MUST_STOP: MessageTemplate(
        Part.WHEN, "Nobody can say when: a seat comes free when somebody stops a workbench."
    ),
    MessageId.SEVERAL_MUST_STOP: MessageTemplate(
        Part.WHEN, "Nobody can say when: {count} of those who have a seat must stop first."
    ),
    MessageId.TIME_NOT_KNOWN: MessageTemplate(
        Part.WHEN, "Whether time alone brings a seat is not known: the search was cut short at {instant}, without one."
    ),
    MessageId.RELEASES_HELD: MessageTemplate(Part.WHEN, "No seat comes free before what stands in the way is gone."),
    MessageId.SPEC_MUST_CHANGE: MessageTemplate(
        Part.WHEN, "Time does not change that: ask your license admin ({field} of {pool})."
    ),
    MessageId.ACCOUNT_MUST_CHANGE: MessageTemplate(
        Part.WHEN, "The seat comes some time after the license server has the user: ask who administers its accounts."
    ),
    MessageId.OBSTACLE_FIRST: MessageTemplate(Part.WHEN, "Nothing changes before what stands in the way is gone."),
    MessageId.ONE_STOP_IS_ENOUGH: MessageTemplate(
        Part.WHEN, "A seat would come {instant} if one of these stopped now: {holders}."
    ),
    MessageId.STOPS_THAT_HELP: MessageTemplate(
        Part.WHEN, "A seat would come {instant} if these stopped now: {holders}."
    ),
    MessageId.NOT_ALL_TRIED: MessageTemplate(
        Part.WHEN, "The search was cut short: others, or fewer, may do as well or bring the seat sooner."
    ),
    MessageId.NO_STOP_FOUND: MessageTemplate(
        Part.WHEN, "Whose stop would bring a seat is not known: the search was cut short."
    ),
    MessageId.NO_STOP_HELPS: MessageTemplate(Part.WHEN, "No stop of those who have a seat now would bring {user} one."),
    MessageId.LIKELY_RANGE: MessageTemplate(
        Part.WHEN, "Probably between {begin} and {end} (80 %), going by the last {seats} seats."
    ),
    MessageId.LIKELY_TIME: MessageTemplate(Part.WHEN, "Probably at {begin}, going by the last {seats} seats."),
    MessageId.TOO_FEW_SEATS: MessageTemplate(
        Part.WHEN, "No estimate yet: {pool} has {count} finished seats; {fewest} are needed."
    ),
    MessageId.LONGER_THAN_BEFORE: MessageTemplate(
        Part.WHEN,
        "No estimate: too many holders have kept their seats longer than any of the last {seats} that ended.",
    ),
    MessageId.RULES_DECIDE_TOO: MessageTemplate(Part.WHEN, "No estimate: {field} of {pool} also decides."),
    # what stands in the way
    **{
        reason: MessageTemplate(Part.PROBLEM, CONDITIONS[reason].why, CONDITIONS[reason].field)
        for reason in _CONDITIONS.values()
    },
    MessageId.SPEC_UNSEEN: MessageTemplate(
        Part.PROBLEM, "The operator has not looked at the present spec of {pool} yet; is it running?"
    ),
    MessageId.NOT_VERIFIED_LATELY: MessageTemplate(
        Part.PROBLEM,
        "The lists of server {server} were not read back since {since}, and should be every {interval}; is the operator running?",
        "verifyInterval",
    ),
}
