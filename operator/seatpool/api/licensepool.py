"""Defines LicensePool: one licensed product on one server, how many seats it has, and who gets them."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from seatpool.api import rule_fields
from seatpool.api.base import (
    AGE_COLUMN,
    READY_COLUMNS,
    STATUS_COLUMN,
    Duration,
    Instant,
    Model,
    PrinterColumn,
    Resource,
    cel,
    column,
    rules,
)
from seatpool.api.conditions import Conditions
from seatpool.api.licenseserver import Mode
from seatpool.api.workbench import InstanceState

MAX_SEATS = 5000
SHOWN_WAITING = 20
SHOWN_DIFFERENCE = 20
USER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$"
USER_GLOB = r"^([A-Za-z0-9*?]|\[!?[A-Za-z0-9._@+-]+\])([A-Za-z0-9._@+*?-]|\[!?[A-Za-z0-9._@+-]+\])*$"
TYPE_GLOB = r"^([A-Za-z0-9*?]|\[!?[A-Za-z0-9._+-]+\])([A-Za-z0-9._+*?-]|\[!?[A-Za-z0-9._+-]+\])*$"

User = Annotated[str, Field(pattern=USER_PATTERN)]
Namespace = Annotated[str, Field(pattern=r"^(\*|[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)$", max_length=63)]
TypeGlob = Annotated[
    str,
    Field(
        max_length=128,
        json_schema_extra=rules(
            cel(
                f"self.matches(r'{TYPE_GLOB}')",
                "can match nothing: a type is letters, digits and . _ + -, begins with a letter or digit; "
                "write it out or use * ? [abc], for example vew-matlab or vew-*",
            )
        ),
    ),
]
UserGlob = Annotated[
    str,
    Field(
        max_length=128,
        json_schema_extra=rules(
            cel(
                f"self.matches(r'{USER_GLOB}')",
                "can match nobody: a user id is letters, digits and . _ @ + -, begins with a letter or digit; write it out or "
                "use * ? [abc], for example phd-*",
            )
        ),
    ),
]


class Order(StrEnum):
    """Which waiting user is next."""

    FIRST_COME = "FirstCome"
    PRIORITY = "Priority"


class EmptyList(StrEnum):
    """What is written if no user should be on the list."""

    WRITE = "Write"
    KEEP_PLACEHOLDER = "KeepPlaceholder"


class Adoption(StrEnum):
    """What happens to users who are on the list before the operator first writes it."""

    ADOPT = "Adopt"
    OVERWRITE = "Overwrite"


class OnDelete(StrEnum):
    """What happens to the list when the pool is deleted."""

    RETAIN = "Retain"
    CLEAR = "Clear"


class ServerRef(Model):
    """The LicenseServer, in the pool's own namespace."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
    """Name of the LicenseServer."""


class Reservation(Model):
    """Seats that are kept free for some users."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel("has(self.users) != has(self.userPattern)", "give either users or userPattern"),
            cel(
                "!has(self.users) || self.seats <= size(self.users)",
                "more seats than users: nobody could have the others; lower seats or name more users",
                field_path=".seats",
            ),
        )
    )

    name: Annotated[str, Field(min_length=1, max_length=63)]
    """Name of the reservation. It appears in explanations."""
    users: (
        Annotated[tuple[User, ...], Field(max_length=500, json_schema_extra={"x-kubernetes-list-type": "set"})] | None
    ) = None
    """The users it is for."""
    user_pattern: UserGlob | None = None
    """The users it is for, as a glob such as phd-*. It is normalised like user ids, and refused if it can match none."""
    seats: Annotated[int, Field(ge=1, le=MAX_SEATS)]
    """How many seats are kept free for them."""


class Priority(Model):
    """Weight of some users in the waiting line."""

    user_pattern: UserGlob
    """The users, as a glob such as oncall-*. It is normalised like user ids, and refused if it can match none."""
    weight: Annotated[int, Field(ge=-1000, le=1000)]
    """Higher goes first. All other users have 0. The first pattern that matches counts."""


class MaxReassignments(Model):
    """A budget of re-assignments: how often seats may pass from one user to another."""

    count: Annotated[int, Field(ge=0, le=1000)]
    """How many re-assignments the vendor permits in the window."""
    window: Duration
    """Length of the sliding window, for example 365d."""


class LicensePoolSpec(Model):
    """One licensed product: its seats, who gets them, and the vendor's rules."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            cel(
                "!has(self.reservations) || self.seats < 0 || self.reservations.map(r, r.seats).sum() <= self.seats",
                "the reservations together have more seats than the pool: raise seats or lower the reservations",
                field_path=".reservations",
            ),
            cel(
                "!has(self.protectedUsers) || self.seats < 0 || size(self.protectedUsers) <= self.seats",
                "there are more protectedUsers than seats: each of them takes one",
                field_path=".protectedUsers",
            ),
            cel(
                "!has(self.protectedUsers) || !has(self.deniedUsers) || "
                "!self.protectedUsers.exists(u, u in self.deniedUsers)",
                "a user is both in protectedUsers and in deniedUsers: choose one",
                field_path=".deniedUsers",
            ),
            cel(
                "self.order != 'FirstCome' || !has(self.priorities) || size(self.priorities) == 0",
                "priorities are only used with order: Priority",
                field_path=".priorities",
            ),
            cel(
                "!has(self.reservations) || self.reservations.all(r, !has(r.userPattern) || "
                "self.reservations.exists_one(s, has(s.userPattern) && s.userPattern == r.userPattern))",
                "two reservations have the same userPattern: the second one is for nobody; put their seats together",
                field_path=".reservations",
            ),
            cel(
                "!has(self.priorities) || self.priorities.all(p, "
                "self.priorities.exists_one(q, q.userPattern == p.userPattern))",
                "two priorities have the same userPattern: the first one counts; keep one",
                field_path=".priorities",
            ),
        )
    )

    server_ref: Annotated[
        ServerRef,
        Field(
            json_schema_extra=rules(
                cel("self == oldSelf", "serverRef cannot change; create another pool and delete this one")
            )
        ),
    ]
    """The license server that holds the list. It cannot change."""
    product: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,62}$",
            json_schema_extra=rules(
                cel("self == oldSelf", "product cannot change; create another pool and delete this one")
            ),
        ),
    ]
    """The licensed product, as the vendor's client names it. It cannot change."""
    seats: Annotated[int, Field(ge=0, le=MAX_SEATS)]
    """How many named users the license has: the list is never longer."""
    workbench_types: Annotated[tuple[TypeGlob, ...], Field(min_length=1, max_length=100)]
    """Types of workbenches that have the product installed, as globs such as vew-matlab or vew-*."""
    workbench_namespaces: Annotated[tuple[Namespace, ...], Field(max_length=100)] = ()
    """Namespaces whose Workbenches are served. Empty: the pool's own. *: all."""
    active_states: Annotated[tuple[InstanceState, ...], Field(min_length=1, max_length=6)] = (
        InstanceState.PENDING,
        InstanceState.RUNNING,
    )
    """Instance states in which a workbench needs a seat."""
    order: Order = Order.FIRST_COME
    """Which waiting user is next. FirstCome: by time. Priority: by weight, then by time."""
    reservations: Annotated[
        tuple[Reservation, ...],
        Field(
            max_length=50, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
        ),
    ] = ()
    """Seats that are kept free for some users. A user belongs to the first reservation that names or matches the user."""
    priorities: Annotated[tuple[Priority, ...], Field(max_length=100)] = ()
    """Weights in the waiting line, used with order Priority."""
    protected_users: Annotated[
        tuple[User, ...], Field(max_length=500, json_schema_extra={"x-kubernetes-list-type": "set"})
    ] = ()
    """Users who are always on the list. Each takes a seat."""
    denied_users: Annotated[
        tuple[User, ...], Field(max_length=500, json_schema_extra={"x-kubernetes-list-type": "set"})
    ] = ()
    """Users who never get a seat."""
    minimum_hold: Annotated[Duration, Field(description=rule_fields.MINIMUM_HOLD.text)] = timedelta(0)
    linger: Annotated[Duration, Field(description=rule_fields.LINGER.text)] = timedelta(0)
    seat_cool_down: Annotated[Duration, Field(description=rule_fields.SEAT_COOL_DOWN.text)] = timedelta(0)
    readmit_after: Annotated[Duration, Field(description=rule_fields.READMIT_AFTER.text)] = timedelta(0)
    max_reassignments: Annotated[MaxReassignments | None, Field(description=rule_fields.MAX_REASSIGNMENTS.text)] = None
    mode: Mode = Mode.ENFORCE
    """Enforce writes the list. DryRun only computes and shows it."""
    suspend: bool = False
    """Stop changing the list. It stays as it is."""
    empty_list: EmptyList = EmptyList.WRITE
    """What is written if no user should be on the list. For some vendors an empty list admits every user."""
    adoption: Adoption = Adoption.ADOPT
    """Adopt: users found on the list at first contact keep their seat for the linger time. Overwrite: they do not."""
    on_delete: OnDelete = OnDelete.RETAIN
    """Retain leaves the list on the server if the pool is deleted. Clear empties it first."""


class PoolWaiting(Model):
    """A user who waits for a seat."""

    user: str
    """The named user."""
    since: Instant
    """Start of the wait."""
    reason: str
    """Reason of the wait, one word."""


class PoolUnlistable(Model):
    """A user whom the license server's list cannot have."""

    user: str
    """The named user."""
    problem: str
    """Why not, in a sentence without its end."""


class PoolDifference(Model):
    """Difference between the desired list and the license server's: on its way there, or only shown in DryRun."""

    add: tuple[str, ...] = ()
    """The first 20 users who are missing on it."""
    remove: tuple[str, ...] = ()
    """The first 20 entries that should not be on it."""
    adds: int = 0
    """Number of missing users."""
    removes: int = 0
    """Number of entries that should not be on it."""
    since: Instant
    """Since when the list has differed."""


class PoolSeatDurations(Model):
    """How long the last seats were held until their holder's last workbench stopped."""

    seats: Annotated[int, Field(ge=1)]
    """Number of seats that were measured, the last 500 at most."""
    seconds: Annotated[
        tuple[int, ...], Field(min_length=11, max_length=11, json_schema_extra={"x-kubernetes-list-type": "atomic"})
    ]
    """The shortest duration, the nine deciles and the longest, in seconds."""


class LicensePoolStatus(Model):
    """State of the pool."""

    observed_generation: int = -1
    """The metadata.generation that this status was computed from. -1: the operator has not seen the pool yet."""
    seats: int | None = None
    """Seats that can be given."""
    used: int | None = None
    """Users on the list."""
    waiting: int | None = None
    """Users who wait for a seat."""
    oldest_wait: Instant | None = None
    """Start of the longest current wait."""
    queue: tuple[PoolWaiting, ...] = ()
    """The first 20 waiting users, in order."""
    unlistable: tuple[PoolUnlistable, ...] = ()
    """The first 100 users who need a seat and whom the license server's list cannot have."""
    still_in_use: tuple[str, ...] | None = None
    """The first 20 users who are off the list and have a license checked out still. Absent: not asked."""
    reassignments_used: int | None = None
    """Re-assignments in the current window of the budget."""
    list_hash: str | None = None
    """SHA-256 of the desired list: users in order, each followed by a newline."""
    difference: PoolDifference | None = None
    """What differs on the license server. Absent: nothing does, or the list is not known."""
    revision: int | None = None
    """Revision of the list, if the list that was read back is the desired one."""
    seat_lengths: PoolSeatDurations | None = None
    """How long seats are held, to estimate how long a wait may last. Absent until a few have ended."""
    conditions: Conditions = ()


class LicensePool(Resource):
    """One licensed product: its seats and who gets them. Seatpool keeps the product's named-user list on the license
    server equal to the people whose workbenches are active, within the seats and the vendor's rules."""

    kind: ClassVar[str] = "LicensePool"
    plural: ClassVar[str] = "licensepools"
    singular: ClassVar[str] = "licensepool"
    short_names: ClassVar[tuple[str, ...]] = ("pool", "pools")
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        *READY_COLUMNS,
        column("Seats", ".spec.seats", "Seats that can be given.", type="integer"),
        column("Used", ".status.used", "Users on the list.", type="integer"),
        column("Waiting", ".status.waiting", "Users who wait for a seat.", type="integer"),
        column("Product", ".spec.product", "The licensed product."),
        column("Server", ".spec.serverRef.name", "The license server."),
        column(
            "Oldest-Wait", ".status.oldestWait", "How long the longest current wait has lasted.", type="date", wide=True
        ),
        STATUS_COLUMN,
        AGE_COLUMN,
    )

    spec: LicensePoolSpec
    status: LicensePoolStatus = LicensePoolStatus()

    @property
    def server_key(self) -> str:
        """`namespace/name` of the server that the pool refers to. It may not exist."""
        return f"{self.metadata.namespace}/{self.spec.server_ref.name}"
