"""Every sentence that people are told, in one table.

`seatpool why` says them, the tests compare word for word, and the reference page is generated from here: what a person
reads on the screen can be looked up as it stands. A rule's sentence has the name of the rule's reason, so a decision and its
explanation cannot drift apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from seatpool.api.reasons import ConditionReason
from seatpool.domain.reasons import Reason


class Say(StrEnum):
    """What is not a rule's reason nor a condition's."""

    HAS_SEAT = "HasSeat"
    SEAT_PENDING = "SeatPending"
    SEAT_OVER = "SeatOver"
    WAITS = "Waits"
    IS_DENIED = "IsDenied"
    NOT_DECIDED = "NotDecided"
    NEEDS_NONE = "NeedsNone"
    UNKNOWN_USER = "UnknownUser"
    NO_POOL = "NoPool"
    INVALID_OWNER = "InvalidOwner"

    SEAT_ENDS = "SeatEnds"
    SEAT_STAYS = "SeatStays"
    BY_TIME_ALONE = "ByTimeAlone"
    SEAT_COMES = "SeatComes"
    SOMEBODY_MUST_STOP = "SomebodyMustStop"
    SPEC_MUST_CHANGE = "SpecMustChange"
    OBSTACLE_FIRST = "ObstacleFirst"
    ONE_STOP_IS_ENOUGH = "OneStopIsEnough"
    SEVERAL_MUST_STOP = "SeveralMustStop"
    NO_STOP_HELPS = "NoStopHelps"
    LIKELY_RANGE = "LikelyRange"
    TOO_FEW_SEATS = "TooFewSeats"
    LONGER_THAN_BEFORE = "LongerThanBefore"
    RULES_DECIDE_TOO = "RulesDecideToo"

    SPEC_UNSEEN = "SpecUnseen"
    NOT_VERIFIED_LATELY = "NotVerifiedLately"


class Part(StrEnum):
    """Which line of an answer a sentence is."""

    STANDING = "how the person stands"
    RULE = "the rule that decides"
    WHEN = "when it changes"
    OBSTACLE = "what stands in the way"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A template, and where it is said."""

    part: Part
    template: str
    field: str = ""
    """The field of the pool's or server's spec that decides."""


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence with its values: the id is for programs, the text for people."""

    id: str
    text: str


def say(what: str, **values: str) -> Said:
    """The sentence with these values."""
    return Said(str(what), SENTENCES[what].template.format(**values))


SENTENCES: Mapping[str, Sentence] = {
    # how the person stands
    Say.HAS_SEAT: Sentence(Part.STANDING, "{user} has a seat of {pool} since {since}."),
    Say.SEAT_PENDING: Sentence(
        Part.STANDING,
        "{user} was given a seat of {pool} at {since}, and the license server has not confirmed it yet: do not start the "
        "tool before it has.",
    ),
    Say.SEAT_OVER: Sentence(Part.STANDING, "{user} has a seat of {pool} since {since}, and it ends now."),
    Say.WAITS: Sentence(
        Part.STANDING, "{user} waits for a seat of {pool}: position {position} of {waiting}, since {since}."
    ),
    Say.IS_DENIED: Sentence(Part.STANDING, "{user} is denied a seat of {pool}."),
    Say.NOT_DECIDED: Sentence(
        Part.STANDING, "{user} needs a seat of {pool}, and the operator has not decided about it yet."
    ),
    Say.NEEDS_NONE: Sentence(
        Part.STANDING, "{user} has no seat of {pool} and needs none: no workbench that it serves is active."
    ),
    Say.UNKNOWN_USER: Sentence(Part.STANDING, "{user} has no workbench, no seat, and waits for none."),
    Say.NO_POOL: Sentence(
        Part.STANDING, "Workbench {workbench} is of type {type}, and no pool serves that type in namespace {namespace}."
    ),
    Say.INVALID_OWNER: Sentence(Part.STANDING, "Workbench {workbench}, spec.owner: {problem}."),
    # the rule that decides: has a seat
    Reason.GRANTED: Sentence(Part.RULE, "An active workbench needs the product: {workbenches}.", "workbenchTypes"),
    Reason.PROTECTED: Sentence(
        Part.RULE, "{user} is among spec.protectedUsers and always on the list.", "protectedUsers"
    ),
    Reason.ADOPTED: Sentence(
        Part.RULE,
        "{user} was on the list before the operator first wrote it, and a workbench is active: {workbenches}.",
        "adoption",
    ),
    Reason.MINIMUM_HOLD: Sentence(
        Part.RULE,
        "The seat is not needed any more; spec.minimumHold ({duration}) keeps it until {until}.",
        "minimumHold",
    ),
    Reason.LINGERING: Sentence(
        Part.RULE, "No workbench is active; spec.linger ({duration}) keeps the seat until {until}.", "linger"
    ),
    # the rule that decides: waits
    Reason.POOL_FULL: Sentence(Part.RULE, "All {seats} seats are taken.", "seats"),
    Reason.SEATS_RESERVED: Sentence(
        Part.RULE, "{free} of {seats} seats are free, and kept for others: {kept}.", "reservations"
    ),
    Reason.SEATS_COOLING_DOWN: Sentence(
        Part.RULE,
        "{free} of {seats} seats are free, but others had them lately: spec.seatCoolDown ({duration}) blocks the next of them "
        "until {until}.",
        "seatCoolDown",
    ),
    Reason.REASSIGNMENT_BUDGET_SPENT: Sentence(
        Part.RULE,
        "{free} of {seats} seats are free, but others had them: {used} of the {count} changes that spec.maxReassignments "
        "permits in {window} are used.",
        "maxReassignments",
    ),
    Reason.READMISSION_BLOCKED: Sentence(
        Part.RULE,
        "{user} left the list lately: spec.readmitAfter ({duration}) permits no return before {until}.",
        "readmitAfter",
    ),
    Reason.DENIED: Sentence(Part.RULE, "{user} is among spec.deniedUsers and never gets a seat.", "deniedUsers"),
    # the rule that decides: lost a seat
    Reason.WORKBENCHES_STOPPED: Sentence(
        Part.RULE, "The last workbench stopped, and spec.minimumHold and spec.linger are over.", "linger"
    ),
    Reason.SEATS_REDUCED: Sentence(Part.RULE, "The pool has more people than its {seats} seats.", "seats"),
    Reason.MADE_ROOM_FOR_PROTECTED: Sentence(
        Part.RULE, "The pool is full, and somebody among spec.protectedUsers has no seat.", "protectedUsers"
    ),
    Reason.USER_DENIED: Sentence(
        Part.RULE, "{user} is among spec.deniedUsers, and spec.minimumHold is over.", "deniedUsers"
    ),
    # when it changes
    Say.SEAT_ENDS: Sentence(Part.WHEN, "It ends at {until} unless a workbench of {user} starts before."),
    Say.SEAT_STAYS: Sentence(Part.WHEN, "It stays while that is so."),
    Say.BY_TIME_ALONE: Sentence(Part.WHEN, "By time alone, not before {earliest}."),
    Say.SEAT_COMES: Sentence(
        Part.WHEN, "If nobody starts or stops a workbench before, {user} has a seat at {instant}."
    ),
    Say.SOMEBODY_MUST_STOP: Sentence(Part.WHEN, "No instant is certain: somebody has to stop a workbench first."),
    Say.SPEC_MUST_CHANGE: Sentence(
        Part.WHEN, "Time does not change that: an admin would have to change {field} of {pool}."
    ),
    Say.OBSTACLE_FIRST: Sentence(Part.WHEN, "No instant is certain while what stands in the way is there."),
    Say.ONE_STOP_IS_ENOUGH: Sentence(Part.WHEN, "A seat would come {instant} if one of these stopped now: {holders}."),
    Say.SEVERAL_MUST_STOP: Sentence(
        Part.WHEN, "{count} seats have to come free: if these stopped now, a seat would come {instant}: {holders}."
    ),
    Say.NO_STOP_HELPS: Sentence(Part.WHEN, "Nobody's stop would free a seat for {user}."),
    Say.LIKELY_RANGE: Sentence(
        Part.WHEN,
        "Likely between {begin} and {end}, eight times of ten, if the seats that are taken are held as long as the last {seats} "
        "were.",
    ),
    Say.TOO_FEW_SEATS: Sentence(
        Part.WHEN,
        "A likely range cannot be given yet: it takes {fewest} seats that have ended, and of {pool} {count} are known.",
    ),
    Say.LONGER_THAN_BEFORE: Sentence(
        Part.WHEN,
        "A likely range cannot be given: too many seats have been held for longer than any of the last {seats} that ended.",
    ),
    Say.RULES_DECIDE_TOO: Sentence(
        Part.WHEN,
        "A likely range cannot be given: {field} of {pool} decides too, and not only how long seats are held.",
    ),
    # what stands in the way
    ConditionReason.ELDER_POOL: Sentence(
        Part.OBSTACLE,
        "Conflict: product {product} on server {server} belongs to the elder pool {claimant}; {pool} is not applied.",
        "product",
    ),
    ConditionReason.FOREIGN_OWNER: Sentence(
        Part.OBSTACLE,
        "Conflict: another installation owns the list of {product} on server {server}; nothing is written.",
        "product",
    ),
    ConditionReason.SUSPENDED: Sentence(
        Part.OBSTACLE, "Pool {pool} is suspended: nobody gets a seat and nobody loses one.", "suspend"
    ),
    ConditionReason.SERVER_SUSPENDED: Sentence(
        Part.OBSTACLE, "Server {server} is suspended: its lists stay as they are.", "suspend"
    ),
    ConditionReason.DRY_RUN: Sentence(
        Part.OBSTACLE,
        "DryRun: the list of {pool} is computed and not written; a seat here is none on the license server.",
        "mode",
    ),
    ConditionReason.SERVER_MISSING: Sentence(
        Part.OBSTACLE, "There is no LicenseServer {server}; the list of {pool} cannot be written.", "serverRef"
    ),
    ConditionReason.SERVER_UNREACHABLE: Sentence(
        Part.OBSTACLE, "Server {server} cannot be reached since {since}: its lists stay as they are.", "target"
    ),
    ConditionReason.TOO_MANY_RELEASES: Sentence(
        Part.OBSTACLE,
        "Server {server} holds a change back since {since}, because it would put out many people at once: nobody loses a "
        "seat before somebody decides (seatpool approve {name}).",
        "guard",
    ),
    ConditionReason.INVENTORY_UNKNOWN: Sentence(
        Part.OBSTACLE,
        "The inventory is not complete since {since}: nobody loses a seat before all accounts were asked.",
        "workbenchTypes",
    ),
    ConditionReason.INVENTORY_STALE: Sentence(
        Part.OBSTACLE,
        "EC2 does not answer for some accounts or regions since {since}: nobody there loses a seat for that, and workbenches "
        "that stopped there may still count.",
    ),
    ConditionReason.EVENTS_DISCONNECTED: Sentence(
        Part.OBSTACLE,
        "The queue of EC2's events cannot be read since {since}: starts and stops are seen by the inventory only, and so late.",
    ),
    ConditionReason.APPLY_FAILED: Sentence(
        Part.OBSTACLE, "Server {server} does not take the list of {product} since {since}; it is tried again."
    ),
    ConditionReason.READ_FAILED: Sentence(
        Part.OBSTACLE,
        "The list of {product} on server {server} cannot be read since {since}; nothing is written before it was.",
    ),
    ConditionReason.LIST_DIFFERS: Sentence(
        Part.OBSTACLE,
        "Server {server} shows another list of {product} than was written, since {since}; it is written again.",
    ),
    ConditionReason.NOT_READ_YET: Sentence(
        Part.OBSTACLE, "The list of {product} on server {server} has not been read yet."
    ),
    Say.SPEC_UNSEEN: Sentence(
        Part.OBSTACLE, "The operator has not looked at the present spec of {pool} yet; is it running?"
    ),
    Say.NOT_VERIFIED_LATELY: Sentence(
        Part.OBSTACLE,
        "The lists of server {server} were not read back since {since}, and should be every {interval}; is the operator running?",
        "verifyInterval",
    ),
    ConditionReason.DELETING: Sentence(Part.OBSTACLE, "Pool {pool} is being deleted."),
}
