"""Catalogue of every reason that a condition or an Event can have, with its texts.

A reason has up to three texts. The *meaning* is one sentence without values, for the reference page. The *message* is the
template of the condition's or Event's text. The *why* is the template of the line that `seatpool why` shows for a
condition. `message()` fills the templates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto

from seatpool.api.annotations import APPROVE_CHANGE, OVERWRITE_UNREADABLE, TAKE_OVER


class ConditionReason(StrEnum):
    """Reasons of conditions. Programs can rely on the words."""

    # pools
    IN_SYNC = "InSync"
    APPLYING = "Applying"
    APPLY_FAILED = "ApplyFailed"
    READ_FAILED = "ReadFailed"
    LIST_DIFFERS = "ListDiffers"
    UNREADABLE_ENTRIES = "UnreadableEntries"
    POOL_FAILED = "PoolFailed"
    PASS_FAILED = "PassFailed"  # noqa: S105
    NOT_READ_YET = "NotReadYet"
    DRY_RUN = "DryRun"
    SUSPENDED = "Suspended"
    ACTIVE = "Active"
    SERVER_MISSING = "ServerMissing"
    SERVER_UNREACHABLE = "ServerUnreachable"
    SERVER_SUSPENDED = "ServerSuspended"
    NOT_ALLOWED = "NotAllowed"
    SEATS_FREE = "SeatsFree"
    USERS_WAIT = "UsersWait"
    SOLE_CLAIM = "SoleClaim"
    DUPLICATE_PRODUCT = "DuplicateProduct"
    FOREIGN_OWNER = "ForeignOwner"
    INVALID_SPEC = "InvalidSpec"
    DELETING = "Deleting"
    ALL_EFFECTIVE = "AllEffective"
    RULES_WITHOUT_EFFECT = "RulesWithoutEffect"
    ALL_LISTABLE = "AllListable"
    USERS_NOT_LISTABLE = "UsersNotListable"
    PARTLY_APPLIED = "PartlyApplied"
    NOTHING_UNDOES_IT = "NothingUndoesIt"
    UNDONE_ELSEWHERE = "UndoneElsewhere"
    # servers
    REACHABLE = "Reachable"
    NOT_TRIED_YET = "NotTriedYet"
    WITHIN_LIMITS = "WithinLimits"
    TOO_MANY_RELEASES = "TooManyReleases"
    INVENTORY_UNKNOWN = "InventoryUnknown"
    INVENTORY_COMPLETE = "InventoryComplete"
    NOTHING_TAGGED = "NothingTagged"
    INVENTORY_STALE = "InventoryStale"
    INVENTORY_PENDING = "InventoryPending"
    NO_ACCOUNTS = "NoAccounts"
    EVENTS_CONNECTED = "EventsConnected"
    EVENTS_DISCONNECTED = "EventsDisconnected"
    EVENTS_PENDING = "EventsPending"
    EVENTS_REFUSED = "EventsRefused"
    NO_QUEUE = "NoQueue"
    SETTINGS_APPLIED = "SettingsApplied"
    SETTINGS_WAIT = "SettingsWait"
    SETTINGS_REFUSED = "SettingsRefused"
    NO_POOLS = "NoPools"
    NO_LIST_OF_ITS_OWN = "NoListOfItsOwn"
    OUT_OF_SYNC = "OutOfSync"
    LISTS_LEFT_ALONE = "ListsLeftAlone"
    LEASE_REFUSED = "LeaseRefused"
    # workbenches
    ALL_ASSIGNED = "AllAssigned"
    SOME_WAIT = "SomeWait"
    DENIED = "Denied"
    NOT_LISTABLE = "NotListable"
    NO_POOL = "NoPool"
    INACTIVE = "Inactive"
    INVALID_OWNER = "InvalidOwner"
    LIST_PENDING = "ListPending"
    UNDECIDED = "Undecided"
    # keys of the HTTP API
    APPROVED_BY_POLICY = "ApprovedByPolicy"
    APPROVED_BY_ADMIN = "ApprovedByAdmin"
    APPROVAL_NEEDED = "ApprovalNeeded"
    APPROVAL_REFUSED = "ApprovalRefused"
    TOO_LONG = "TooLong"
    KEY_NOT_TAKEN = "KeyNotTaken"
    KEY_ISSUED = "KeyIssued"
    KEY_REVOKED = "KeyRevoked"
    KEY_EXPIRED = "KeyExpired"
    WORKBENCH_ENDED = "WorkbenchEnded"


class EventReason(StrEnum):
    """Reasons of Kubernetes Events."""

    SEATS_GRANTED = "SeatsGranted"
    SEATS_RELEASED = "SeatsReleased"
    USERS_WAITING = "UsersWaiting"
    USERS_ADOPTED = "UsersAdopted"
    LEDGER_LOST = "LedgerLost"
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
    OWNERS_MERGED = "OwnersMerged"
    FOREIGN_OWNER_FOUND = "ForeignOwnerFound"
    INVALID_SPEC = "InvalidSpec"


class Form(Enum):
    """The place where a reason is shown."""

    STATUS = auto()
    """As a condition's message, or as an Event."""
    WHY = auto()
    """As a line of `seatpool why`, which names the object."""


@dataclass(frozen=True, slots=True)
class ReasonText:
    """The texts of one reason."""

    meaning: str
    message: str = ""
    """Empty: the meaning is the message."""
    why: str = ""
    """Empty: `seatpool why` never shows this reason."""
    field: str = ""
    """Field of the pool's or server's spec that decides, for `seatpool why`."""


def message(reason: ConditionReason | EventReason, form: Form = Form.STATUS, /, **values: object) -> str:
    """Returns the text of a reason with these values.

    A template with placeholders needs values. Without values the reason's meaning is returned instead.
    """
    text = CONDITIONS[reason] if isinstance(reason, ConditionReason) else EVENTS[reason]
    if form is Form.WHY:
        template = text.why
    elif text.message and (values or "{" not in text.message):
        template = text.message
    else:
        template = text.meaning
    return template.format(**values)


_FOREIGN_OWNER = (
    "the list of product {product!r} on the license server belongs to installation {owner}, ours is {installation}; nothing "
    "is written. To take it over: kubectl annotate --overwrite licenseserver/{server} -n {namespace} "
    f"{TAKE_OVER}={{owner}}@{{revision}}"
)
_CHANGE_HELD = (
    "{total} of {present} users{where} would lose their seats within {window}, more than the {percent} % that "
    "spec.guard.maxReleasePercent allows; {gone} have lost them, {leaving} are held. If it is right: kubectl annotate "
    f"--overwrite licenseserver/{{server}} -n {{namespace}} {APPROVE_CHANGE}={{token}}"
)
_UNREACHABLE = "{fault}: {error}"
_ONE_PRODUCT = "product {product!r}: {detail}"

CONDITIONS: Mapping[ConditionReason, ReasonText] = {
    # pools
    ConditionReason.IN_SYNC: ReasonText("The list on the license server was read back and is as it should be."),
    ConditionReason.APPLYING: ReasonText("A changed list is on its way to the license server."),
    ConditionReason.APPLY_FAILED: ReasonText(
        "The license server did not take the list; it is tried again.",
        message=_ONE_PRODUCT,
        why="Server {server} does not take the list of {product} since {since}; it is tried again.",
    ),
    ConditionReason.READ_FAILED: ReasonText(
        "The list on the license server cannot be read; nothing is written before it was.",
        message=_ONE_PRODUCT,
        why="The list of {product} on server {server} cannot be read since {since}; nothing is written before it was.",
    ),
    ConditionReason.LIST_DIFFERS: ReasonText(
        "The list on the license server is another one than was written; it is written again.",
        message=_ONE_PRODUCT,
        why="Server {server} shows another list of {product} than was written, since {since}; it is written again.",
    ),
    ConditionReason.UNREADABLE_ENTRIES: ReasonText(
        "The list on the license server has entries that are no user ids; nothing is written before an admin says so.",
        message="{count} of the {total} entries of the list of product {product!r} are no user ids, for example {examples}; "
        "nothing is written, because a misread list would put its users out. If the client prints the list in another form, "
        "set spec.xlc.listFormat of LicenseServer {server}. To overwrite the entries: kubectl annotate --overwrite "
        f"licenseserver/{{server}} -n {{namespace}} {OVERWRITE_UNREADABLE}={{token}}",
        why="The list of {product} on server {server} has entries that are no user ids since {since}; nothing is written.",
    ),
    ConditionReason.POOL_FAILED: ReasonText(
        "This pool cannot be computed or stored; its list stays as it is. The other pools go on.",
        message="{problem}; the list of this pool stays as it is, and the other pools go on",
        why="Pool {pool} cannot be computed or stored since {since}: people on the list keep working; new ones get no seat.",
    ),
    ConditionReason.PASS_FAILED: ReasonText(
        "The last pass over this server's pools failed; all its lists stay as they are.",
        message="the last pass failed: {problem}; all lists of the server stay as they are until a pass succeeds",
        why="The last pass over server {server} failed since {since}: people on its lists keep working; new ones get no seat.",
    ),
    ConditionReason.NOT_READ_YET: ReasonText(
        "The list on the license server has not been read yet.",
        why="The list of {product} on server {server} has not been read yet.",
    ),
    ConditionReason.DRY_RUN: ReasonText(
        "DryRun: the list is computed and shown, and not written.",
        message="DryRun: {adds} would be added ({add}), {removes} removed ({remove})",
        why="{pool} is in trial mode (DryRun): nothing is written; a seat shown here does not work.",
        field="mode",
    ),
    ConditionReason.SUSPENDED: ReasonText(
        "Suspended by spec.suspend: the list stays as it is.",
        why="Pool {pool} is suspended: people on the list keep working; new ones get no seat.",
        field="suspend",
    ),
    ConditionReason.ACTIVE: ReasonText("Not suspended."),
    ConditionReason.SERVER_MISSING: ReasonText(
        "There is no LicenseServer of that name in the pool's namespace.",
        message="spec.serverRef.name: there is no LicenseServer {server!r} in namespace {namespace}; create it, or create "
        "another pool with the right name",
        why="There is no LicenseServer {server}; the list of {pool} cannot be written.",
        field="serverRef",
    ),
    ConditionReason.SERVER_UNREACHABLE: ReasonText(
        "The license server cannot be reached; its lists stay as they are.",
        message=_UNREACHABLE,
        why="Server {server} cannot be reached since {since}: people on its lists keep working; new ones get no seat.",
        field="target",
    ),
    ConditionReason.SERVER_SUSPENDED: ReasonText(
        "The license server is suspended by its spec.suspend.",
        why="Server {server} is suspended: people on its lists keep working; new ones get no seat.",
        field="suspend",
    ),
    ConditionReason.NOT_ALLOWED: ReasonText(
        "The operator's setting servers.allowed does not allow the LicenseServer; nothing is sent to it.",
        message="{problem}; nothing is sent: change the field, or have it allowed in the operator's setting servers.allowed",
        why="Server {server} is not allowed by the operator's settings since {since}: people on its lists keep working; "
        "new ones get no seat.",
    ),
    ConditionReason.SEATS_FREE: ReasonText("No user waits."),
    ConditionReason.USERS_WAIT: ReasonText("Users wait for a seat.", message="{count} wait for a seat: {users}"),
    ConditionReason.SOLE_CLAIM: ReasonText("No other pool claims the product on this server."),
    ConditionReason.DUPLICATE_PRODUCT: ReasonText(
        "An older LicensePool already manages this product on this server. This pool is not applied.",
        message="product {product!r} on server {server!r} belongs to the older pool {owner}; this pool is not applied. Delete "
        "one of the two",
        why="Conflict: product {product} on server {server} belongs to the older pool {owner}; {pool} is not applied.",
        field="product",
    ),
    ConditionReason.FOREIGN_OWNER: ReasonText(
        "Another installation owns the list on the license server.",
        message=_FOREIGN_OWNER,
        why="Conflict: another installation owns the list of {product} on server {server}; nothing is written.",
        field="product",
    ),
    ConditionReason.INVALID_SPEC: ReasonText(
        "The object cannot be read, or the pool's server cannot; nothing is done for it until it is mended.",
        message="{problem}; {meanwhile}",
        why="LicenseServer {server} cannot be read: people on its lists keep working; new ones get no seat.",
    ),
    ConditionReason.DELETING: ReasonText(
        "The pool is being deleted.",
        message="The list is being emptied because of spec.onDelete: Clear; set it to Retain to delete the pool as it is",
        why="Pool {pool} is being deleted.",
    ),
    ConditionReason.ALL_EFFECTIVE: ReasonText("Every rule of the spec can have an effect."),
    ConditionReason.RULES_WITHOUT_EFFECT: ReasonText(
        "Some rules of the spec match nobody or exclude each other; the others count.",
        message="{rules}",
        why="Some rules of {pool} have no effect: {detail}.",
    ),
    ConditionReason.ALL_LISTABLE: ReasonText("The license server can have every user who needs a seat."),
    ConditionReason.USERS_NOT_LISTABLE: ReasonText(
        "The license server's list cannot have some users; the seats go to the others.",
        message="{count} of the users who need a seat cannot be on the list, and the seats go to the others: {users}",
        why="License server {server} cannot have some users on the list of {pool}: {detail}.",
    ),
    ConditionReason.NOTHING_UNDOES_IT: ReasonText("Nothing beside the list undoes it."),
    ConditionReason.UNDONE_ELSEWHERE: ReasonText(
        "The list is written, and something beside it on the server undoes it or a part of it.",
        message="the list is written, but: {notes}",
        why="Something on license server {server} undoes the list of {pool}: {detail}.",
    ),
    ConditionReason.PARTLY_APPLIED: ReasonText(
        "A part of a long change is made, and the rest follows at once.",
        message="product {product!r}: {detail}; the rest follows at once",
    ),
    # servers
    ConditionReason.REACHABLE: ReasonText("The last command was answered."),
    ConditionReason.NOT_TRIED_YET: ReasonText("No command has been sent yet."),
    ConditionReason.WITHIN_LIMITS: ReasonText("No change is held back."),
    ConditionReason.TOO_MANY_RELEASES: ReasonText(
        "A change would release suspiciously many users at once and is held back.",
        message=_CHANGE_HELD,
        why="Many people would lose their seats of server {server} at once. Held since {since} until an admin approves: "
        "seatpool approve {name}.",
        field="guard",
    ),
    ConditionReason.INVENTORY_UNKNOWN: ReasonText(
        "An account has never been inventoried; no user is released until it was.",
        message="{accounts} has never been inventoried completely; nobody is released until it was",
        why="The inventory is not complete since {since}: nobody loses a seat before all accounts were asked.",
        field="workbenchTypes",
    ),
    ConditionReason.INVENTORY_COMPLETE: ReasonText("Every source was asked for all its workbenches."),
    ConditionReason.NOTHING_TAGGED: ReasonText(
        "EC2 was asked everywhere, and no instance has the tags of a workbench. So nothing is done.",
        message="no instance has {tags}, so nothing is done; EC2 shows {regions}. Check mirror.profile, tag_owner, tag_type "
        "and require if there are workbenches",
    ),
    ConditionReason.INVENTORY_STALE: ReasonText(
        "Some sources cannot be asked for their workbenches; no user there is released for that.",
        message="nobody there is released for that: {regions}",
        why="EC2 does not answer for some accounts or regions since {since}: nobody there loses a seat for that, and "
        "workbenches that stopped there may still count.",
    ),
    ConditionReason.INVENTORY_PENDING: ReasonText("Not every source has been asked for all its workbenches yet."),
    ConditionReason.NO_ACCOUNTS: ReasonText(
        "No account may be asked for its workbenches: they live by events, or are written by hand."
    ),
    ConditionReason.EVENTS_CONNECTED: ReasonText("The queue of events answers."),
    ConditionReason.EVENTS_DISCONNECTED: ReasonText(
        "The queue of events does not answer; changes are seen with the next inventory.",
        message="since {since} ({fault}: {error})",
        why="The queue of EC2's events cannot be read since {since}: starts and stops are seen by the inventory only, and so "
        "late.",
    ),
    ConditionReason.EVENTS_PENDING: ReasonText("The queue of events has not answered yet."),
    ConditionReason.EVENTS_REFUSED: ReasonText(
        "The queue of events answers, and brings events of accounts that are not listed.",
        message="events of accounts that are not listed are refused: {accounts}; add them to mirror.accounts, or stop "
        "forwarding",
    ),
    ConditionReason.NO_QUEUE: ReasonText("There is no queue of events; changes are seen with the next inventory."),
    ConditionReason.SETTINGS_APPLIED: ReasonText("The operator uses its settings as the files have them."),
    ConditionReason.SETTINGS_WAIT: ReasonText(
        "Some changed settings of the operator need a restart.",
        message="changed and in use after a restart only: {names}",
    ),
    ConditionReason.SETTINGS_REFUSED: ReasonText(
        "A changed settings file or owner mapping cannot be used, and the old one stays in use.",
        message="a settings file or owner mapping that changed cannot be used since {refused}, and the old one stays in use; "
        "the operator's log says why (changed settings refused)",
        why="A changed settings file or owner mapping is refused since {since}: the old one stays in use, and the operator's log "
        "says why.",
    ),
    ConditionReason.NO_LIST_OF_ITS_OWN: ReasonText(
        "Every pool that refers to this server claims a list that an older pool manages; nothing is written for it.",
        message="older pools manage the same lists, so nothing is written for this server: {pools}. Delete one of the two",
    ),
    ConditionReason.NO_POOLS: ReasonText("No pool refers to this server."),
    ConditionReason.OUT_OF_SYNC: ReasonText(
        "Some lists are not yet as they should be.", message="not as they should be: {pools}"
    ),
    ConditionReason.LISTS_LEFT_ALONE: ReasonText(
        "Every list that is written is as it should be; those of pools in DryRun or suspended are not written.",
        message="every list that is written is as it should be; not written, because in DryRun or suspended: {pools}",
    ),
    ConditionReason.LEASE_REFUSED: ReasonText(
        "The operator may not renew its Lease; nothing is sent, and all lists stay as they are.", message="{error}"
    ),
    # workbenches
    ConditionReason.ALL_ASSIGNED: ReasonText("The owner has a seat of every pool that serves this workbench."),
    ConditionReason.SOME_WAIT: ReasonText("The owner waits for a seat.", message="No seat yet: {pools}"),
    ConditionReason.DENIED: ReasonText(
        "The owner is denied a seat by spec.deniedUsers of a pool.",
        message="Denied: ask your license admin (spec.deniedUsers): {pools}",
    ),
    ConditionReason.NOT_LISTABLE: ReasonText(
        "The license server's list cannot have the owner, so another user gets the seat.",
        message="No seat: the license server does not know the owner, or cannot write the id: {pools}. "
        "Ask who administers its accounts; the pool's condition UsersListable says why",
    ),
    ConditionReason.NO_POOL: ReasonText(
        "No pool serves workbenches of this type, so the owner is on no list.",
        message="no pool serves type {type} in namespace {namespace}; the owner is on no list",
    ),
    ConditionReason.INACTIVE: ReasonText("The workbench is not active and needs no seat."),
    ConditionReason.INVALID_OWNER: ReasonText(
        "No license server could take the owner's name.", message="spec.owner: {problem}"
    ),
    ConditionReason.LIST_PENDING: ReasonText("The seat was given; the license server has not confirmed the list yet."),
    ConditionReason.UNDECIDED: ReasonText("The pool has not decided yet; its own conditions say why, if this lasts."),
    # keys of the HTTP API
    ConditionReason.APPROVED_BY_POLICY: ReasonText("The setting web.keys.approve approves keys of this scope."),
    ConditionReason.APPROVED_BY_ADMIN: ReasonText("A user who may approve keys set spec.approved."),
    ConditionReason.APPROVAL_NEEDED: ReasonText(
        "A user who may approve keys has to set spec.approved.",
        message="to approve it: kubectl patch apikey {name} -n {namespace} --type merge -p "
        '\'{{"spec":{{"approved":true}}}}\'',
    ),
    ConditionReason.APPROVAL_REFUSED: ReasonText("A user who may approve keys set spec.approved to false."),
    ConditionReason.TOO_LONG: ReasonText(
        "The key would be valid longer than the setting web.keys.longest allows.",
        message="{field} is {value}, and web.keys.longest is {longest}; ask for another key that ends sooner",
    ),
    ConditionReason.KEY_NOT_TAKEN: ReasonText(
        "The key is approved, and its user has not taken it yet.",
        message="the key is shown once to {user}: POST /api/v1/keys/{namespace}/{name}/secret",
    ),
    ConditionReason.KEY_ISSUED: ReasonText("The key was shown to its user and is accepted."),
    ConditionReason.KEY_REVOKED: ReasonText("The key was revoked by spec.revoked."),
    ConditionReason.KEY_EXPIRED: ReasonText(
        "The key ended by itself, or was not taken in time.", message="it ended at {at}; create another APIKey"
    ),
    ConditionReason.WORKBENCH_ENDED: ReasonText(
        "The workbench that the key was for stopped, is gone, or belongs to another user.",
        message="workbench {workbench} stopped, is gone, or belongs to another user; create another APIKey",
    ),
}

EVENTS: Mapping[EventReason, ReasonText] = {
    EventReason.SEATS_GRANTED: ReasonText(
        "Users got a seat, and the license server confirmed the list.",
        message="{users} got a seat (revision {revision})",
    ),
    EventReason.SEATS_RELEASED: ReasonText(
        "Seats came free, and the license server confirmed the list.",
        message="{users}: seat freed (revision {revision})",
    ),
    EventReason.USERS_WAITING: ReasonText(
        "Users began to wait.", message="{users} began to wait ({reason}); {waiting} wait for {seats} seats"
    ),
    EventReason.LEDGER_LOST: ReasonText(
        "Seatpool wrote a list before, but its SeatLedger is gone: the vendor's rules start afresh.",
        message="the list of product {product!r} has revision {revision} of Seatpool, but there is no SeatLedger of it: the "
        "vendor's rules start afresh; which seats cool down, who may not return yet and what is spent of the budget is not "
        "known any more",
    ),
    EventReason.USERS_ADOPTED: ReasonText(
        "First contact: users were on the list before the operator came, and keep their seats for now.",
        message="first contact: {count} people were on the list and keep their seats for now: {users}",
    ),
    EventReason.APPLY_FAILED: ReasonText(
        "The license server did not take a list, or shows another one than was written.", message=_ONE_PRODUCT
    ),
    EventReason.LIST_RECOVERED: ReasonText(
        "A list that was not as it should be is right again.", message="the list is as it should be again"
    ),
    EventReason.DRIFT_DETECTED: ReasonText(
        "Another program or person changed a list; the message names the users who were added and removed.",
        message="somebody else changed the list: added {added}, removed {removed}",
    ),
    EventReason.CHANGE_HELD: ReasonText(
        "The guard holds a change back, because it would release suspiciously many users at once.", message=_CHANGE_HELD
    ),
    EventReason.SERVER_UNREACHABLE: ReasonText("A license server cannot be reached.", message=_UNREACHABLE),
    EventReason.SERVER_RECOVERED: ReasonText(
        "A license server answers again.", message="the license server answers again"
    ),
    EventReason.OWNER_REFUSED: ReasonText(
        "No license server could take the name of a workbench's owner.", message="spec.owner: {problem}"
    ),
    EventReason.FOREIGN_OWNER_FOUND: ReasonText("Another installation owns a list.", message=_FOREIGN_OWNER),
    EventReason.OWNERS_MERGED: ReasonText(
        "Owners of several domains count as one user, who takes one seat.",
        message="user {user} stands for owners of {domains}, who share one seat; if they are several people, map each to a "
        "user id of his own with identity.strip_domain false",
    ),
    EventReason.INVALID_SPEC: ReasonText("An object cannot be read or computed with.", message="{error}"),
    EventReason.INVENTORY_STALE: ReasonText(
        "A source does not answer for some accounts, regions or rules; no user there is released for that.",
        message="{region}; nobody there is released for that",
    ),
    EventReason.INVENTORY_RECOVERED: ReasonText(
        "A source answers again that did not answer.",
        message="{region} was read again; it had been stale since {since}",
    ),
    EventReason.EVENTS_DISCONNECTED: ReasonText(
        "The queue of EC2's events cannot be read; changes are seen by the inventory only.",
        message="the queue of events: {fault}: {error}; changes are seen with the next inventory",
    ),
    EventReason.EVENTS_RECONNECTED: ReasonText(
        "The queue of EC2's events can be read again.", message="the queue of events answers again"
    ),
    EventReason.EVENTS_REFUSED: ReasonText(
        "Events came from accounts that are not in mirror.accounts.",
        message="events of {account} are refused: add it to mirror.accounts, or stop forwarding them",
    ),
}

SENTENCES: Mapping[ConditionReason, str] = {reason: text.meaning for reason, text in CONDITIONS.items()}
"""The meaning of each reason of a condition."""
EVENT_SENTENCES: Mapping[EventReason, str] = {reason: text.meaning for reason, text in EVENTS.items()}
"""The meaning of each reason of an Event."""

NAMES_NO_USER = frozenset(
    {
        EventReason.LIST_RECOVERED,
        EventReason.LEDGER_LOST,
        EventReason.CHANGE_HELD,
        EventReason.SERVER_RECOVERED,
        EventReason.FOREIGN_OWNER_FOUND,
        EventReason.INVENTORY_STALE,
        EventReason.INVENTORY_RECOVERED,
        EventReason.EVENTS_DISCONNECTED,
        EventReason.EVENTS_RECONNECTED,
        EventReason.EVENTS_REFUSED,
    }
)
"""Reasons of Events whose message never names a user, nor quotes a tag, a spec or a license server, which may name one."""

CONDITION_TYPES: dict[str, dict[str, str]] = {
    "LicensePool": {
        "Ready": "The list on the license server is as it should be, or is left alone on purpose.",
        "Reconciling": "A list is on its way, or is about to be read.",
        "InSync": "The list was read back and is as it should be; Unknown while it is suspended.",
        "Saturated": "At least one user waits for a seat.",
        "Conflict": "Another pool or another installation claims the product's list.",
        "Suspended": "The pool is suspended by spec.suspend.",
        "RulesEffective": "Every rule of the spec can have an effect.",
    },
    "LicenseServer": {
        "Ready": "The server answers, holds no change back, and its lists are as they should be.",
        "Reachable": "The last command was answered.",
        "InSync": "All lists of the server that are written are as they should be.",
        "Guarded": "No user is released now: a change is held back, or an inventory is not complete.",
        "InventoryFresh": "Every source answered when it was last asked for all its workbenches.",
        "EventsConnected": "The queue of EC2's events answers.",
        "SettingsApplied": "The operator's settings files and its owner mapping are in use as they are.",
    },
    "APIKey": {
        "Ready": "The key was shown to its user and is accepted.",
        "Approved": "The key may be issued, by the settings or by an admin.",
    },
    "Workbench": {"Ready": "The owner has every seat that the workbench needs, and the license server confirmed it."},
}
"""The conditions of each kind, with the meaning of status True."""
