"""Every reason that a condition or an Event can have, each with a sentence; the reference page is generated from here."""

from enum import StrEnum


class ConditionReason(StrEnum):
    """Why a condition is as it is: one word that programs can rely on."""

    # pools
    IN_SYNC = "InSync"
    APPLYING = "Applying"
    APPLY_FAILED = "ApplyFailed"
    READ_FAILED = "ReadFailed"
    LIST_DIFFERS = "ListDiffers"
    NOT_READ_YET = "NotReadYet"
    DRY_RUN = "DryRun"
    SUSPENDED = "Suspended"
    ACTIVE = "Active"
    SERVER_MISSING = "ServerMissing"
    SERVER_UNREACHABLE = "ServerUnreachable"
    SERVER_SUSPENDED = "ServerSuspended"
    SEATS_FREE = "SeatsFree"
    USERS_WAIT = "UsersWait"
    SOLE_CLAIM = "SoleClaim"
    ELDER_POOL = "ElderPool"
    FOREIGN_OWNER = "ForeignOwner"
    INVALID_SPEC = "InvalidSpec"
    DELETING = "Deleting"
    # servers
    REACHABLE = "Reachable"
    NOT_TRIED_YET = "NotTriedYet"
    WITHIN_LIMITS = "WithinLimits"
    TOO_MANY_RELEASES = "TooManyReleases"
    INVENTORY_UNKNOWN = "InventoryUnknown"
    NO_POOLS = "NoPools"
    OUT_OF_SYNC = "OutOfSync"
    # workbenches
    ALL_ASSIGNED = "AllAssigned"
    SOME_WAIT = "SomeWait"
    NO_POOL = "NoPool"
    INACTIVE = "Inactive"
    INVALID_OWNER = "InvalidOwner"
    LIST_PENDING = "ListPending"
    UNDECIDED = "Undecided"


class EventReason(StrEnum):
    """Reasons of Kubernetes Events, in the past tense."""

    SEATS_GRANTED = "SeatsGranted"
    SEATS_RELEASED = "SeatsReleased"
    USERS_WAITING = "UsersWaiting"
    USERS_ADOPTED = "UsersAdopted"
    APPLY_FAILED = "ApplyFailed"
    LIST_RECOVERED = "ListRecovered"
    DRIFT_DETECTED = "DriftDetected"
    CHANGE_HELD = "ChangeHeld"
    SERVER_UNREACHABLE = "ServerUnreachable"
    SERVER_RECOVERED = "ServerRecovered"
    OWNER_REFUSED = "OwnerRefused"
    FOREIGN_OWNER_FOUND = "ForeignOwnerFound"
    INVALID_SPEC = "InvalidSpec"


SENTENCES: dict[ConditionReason, str] = {
    ConditionReason.IN_SYNC: "The list on the license server was read back and is as it should be.",
    ConditionReason.APPLYING: "A changed list is on its way to the license server.",
    ConditionReason.APPLY_FAILED: "The license server did not take the list; it is tried again.",
    ConditionReason.READ_FAILED: "The list on the license server cannot be read; nothing is written before it was.",
    ConditionReason.LIST_DIFFERS: "The list on the license server is another one than was written; it is written again.",
    ConditionReason.NOT_READ_YET: "The list on the license server has not been read yet.",
    ConditionReason.DRY_RUN: "DryRun: the list is computed and shown, and not written.",
    ConditionReason.SUSPENDED: "Suspended by spec.suspend: the list stays as it is.",
    ConditionReason.ACTIVE: "Not suspended.",
    ConditionReason.SERVER_MISSING: "There is no LicenseServer of that name in the pool's namespace.",
    ConditionReason.SERVER_UNREACHABLE: "The license server cannot be reached; its lists stay as they are.",
    ConditionReason.SERVER_SUSPENDED: "The license server is suspended by its spec.suspend.",
    ConditionReason.SEATS_FREE: "Nobody waits.",
    ConditionReason.USERS_WAIT: "People wait for a seat.",
    ConditionReason.SOLE_CLAIM: "No other pool claims the product on this server.",
    ConditionReason.ELDER_POOL: "An elder pool claims the same product on this server; this one is not applied.",
    ConditionReason.FOREIGN_OWNER: "Another installation owns the list on the license server.",
    ConditionReason.INVALID_SPEC: "The spec cannot be used.",
    ConditionReason.DELETING: "The pool is being deleted.",
    ConditionReason.REACHABLE: "The last command was answered.",
    ConditionReason.NOT_TRIED_YET: "No command has been sent yet.",
    ConditionReason.WITHIN_LIMITS: "No change is held back.",
    ConditionReason.TOO_MANY_RELEASES: "A change would put out suspiciously many people at once and is held back.",
    ConditionReason.INVENTORY_UNKNOWN: "An account has never been inventoried; nobody is released until it was.",
    ConditionReason.NO_POOLS: "No pool refers to this server.",
    ConditionReason.OUT_OF_SYNC: "Some lists are not yet as they should be.",
    ConditionReason.ALL_ASSIGNED: "The owner has a seat of every pool that serves this workbench.",
    ConditionReason.SOME_WAIT: "The owner waits for a seat.",
    ConditionReason.NO_POOL: "No pool serves workbenches of this type.",
    ConditionReason.INACTIVE: "The workbench is not active and needs no seat.",
    ConditionReason.INVALID_OWNER: "No license server could take the owner's name.",
    ConditionReason.LIST_PENDING: "The seat was given; the license server has not confirmed the list yet.",
    ConditionReason.UNDECIDED: "The pool has not decided yet; its own conditions say why, if this lasts.",
}
