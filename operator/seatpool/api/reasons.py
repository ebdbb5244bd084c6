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
    INVENTORY_COMPLETE = "InventoryComplete"
    INVENTORY_STALE = "InventoryStale"
    INVENTORY_PENDING = "InventoryPending"
    NO_ACCOUNTS = "NoAccounts"
    EVENTS_CONNECTED = "EventsConnected"
    EVENTS_DISCONNECTED = "EventsDisconnected"
    EVENTS_PENDING = "EventsPending"
    EVENTS_REFUSED = "EventsRefused"
    NO_QUEUE = "NoQueue"
    NO_POOLS = "NoPools"
    OUT_OF_SYNC = "OutOfSync"
    LEASE_REFUSED = "LeaseRefused"
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
    INVENTORY_STALE = "InventoryStale"
    INVENTORY_RECOVERED = "InventoryRecovered"
    EVENTS_DISCONNECTED = "EventsDisconnected"
    EVENTS_RECONNECTED = "EventsReconnected"
    EVENTS_REFUSED = "EventsRefused"
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
    ConditionReason.INVENTORY_COMPLETE: "EC2 was asked for all workbenches of every account and region.",
    ConditionReason.INVENTORY_STALE: "EC2 cannot be asked for some workbenches; nobody there is released for that.",
    ConditionReason.INVENTORY_PENDING: "EC2 has not been asked for all workbenches yet.",
    ConditionReason.NO_ACCOUNTS: "No account may be asked for its workbenches: they live by events, or are written by hand.",
    ConditionReason.EVENTS_CONNECTED: "The queue of events answers.",
    ConditionReason.EVENTS_DISCONNECTED: "The queue of events does not answer; changes are seen with the next inventory.",
    ConditionReason.EVENTS_PENDING: "The queue of events has not answered yet.",
    ConditionReason.EVENTS_REFUSED: "The queue of events answers, and brings events of accounts that are not listed.",
    ConditionReason.NO_QUEUE: "There is no queue of events; changes are seen with the next inventory.",
    ConditionReason.NO_POOLS: "No pool refers to this server.",
    ConditionReason.OUT_OF_SYNC: "Some lists are not yet as they should be.",
    ConditionReason.LEASE_REFUSED: "The operator may not renew its Lease; nothing is sent, and all lists stay as they are.",
    ConditionReason.ALL_ASSIGNED: "The owner has a seat of every pool that serves this workbench.",
    ConditionReason.SOME_WAIT: "The owner waits for a seat.",
    ConditionReason.NO_POOL: "No pool serves workbenches of this type.",
    ConditionReason.INACTIVE: "The workbench is not active and needs no seat.",
    ConditionReason.INVALID_OWNER: "No license server could take the owner's name.",
    ConditionReason.LIST_PENDING: "The seat was given; the license server has not confirmed the list yet.",
    ConditionReason.UNDECIDED: "The pool has not decided yet; its own conditions say why, if this lasts.",
}

CONDITION_TYPES: dict[str, dict[str, str]] = {
    "LicensePool": {
        "Ready": "The list on the license server is as it should be, or is left alone because somebody wants it so.",
        "Reconciling": "A list is on its way, or is about to be read.",
        "InSync": "The list was read back and is as it should be; Unknown while it is suspended.",
        "Saturated": "Somebody waits for a seat.",
        "Conflict": "Somebody else claims the product's list: another pool, or another installation.",
        "Suspended": "The pool is suspended by spec.suspend.",
    },
    "LicenseServer": {
        "Ready": "The server answers, holds no change back, and its lists are as they should be.",
        "Reachable": "The last command was answered.",
        "InSync": "All lists of the server are as they should be.",
        "Guarded": "Nobody is released now: a change is held back, or an inventory is not complete.",
        "InventoryFresh": "EC2 answered for every account and region when it was last asked for everything.",
        "EventsConnected": "The queue of EC2's events answers.",
    },
    "Workbench": {"Ready": "The owner has every seat that the workbench needs, and the license server confirmed it."},
}
"""The conditions of each kind, and what it means that they hold."""

EVENT_SENTENCES: dict[EventReason, str] = {
    EventReason.SEATS_GRANTED: "People got a seat, and the license server confirmed the list.",
    EventReason.SEATS_RELEASED: "Seats came free, and the license server confirmed the list.",
    EventReason.USERS_WAITING: "People began to wait.",
    EventReason.USERS_ADOPTED: "First contact: people were on the list before the operator came, and keep their seats for now.",
    EventReason.APPLY_FAILED: "The license server did not take a list, or shows another one than was written.",
    EventReason.LIST_RECOVERED: "A list that was not as it should be is right again.",
    EventReason.DRIFT_DETECTED: "Somebody else changed a list; the message names who was added and who was removed.",
    EventReason.CHANGE_HELD: "The guard holds a change back, because it would put out suspiciously many people at once.",
    EventReason.SERVER_UNREACHABLE: "A license server cannot be reached.",
    EventReason.SERVER_RECOVERED: "A license server answers again.",
    EventReason.OWNER_REFUSED: "No license server could take the name of a workbench's owner.",
    EventReason.FOREIGN_OWNER_FOUND: "Another installation owns a list.",
    EventReason.INVALID_SPEC: "An object cannot be read or computed with.",
    EventReason.INVENTORY_STALE: "EC2 does not answer for some accounts and regions; nobody there is released for that.",
    EventReason.INVENTORY_RECOVERED: "EC2 answers again for accounts and regions that it did not answer for.",
    EventReason.EVENTS_DISCONNECTED: "The queue of EC2's events cannot be read; changes are seen by the inventory only.",
    EventReason.EVENTS_RECONNECTED: "The queue of EC2's events can be read again.",
    EventReason.EVENTS_REFUSED: "Events came from accounts that are not in mirror.accounts.",
}
