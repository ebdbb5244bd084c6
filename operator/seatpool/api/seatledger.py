"""Defines SeatLedger: the durable memory behind a pool's rules, written by the operator only."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from seatpool.api.base import AGE_COLUMN, Instant, Model, PrinterColumn, Resource, column

SEATS_PER_LEDGER = 500

# There is one writer, and it writes whole objects. If each entry had a key, managedFields would be half of an object. Storing one
# with 250 seats would take twice as long.
_WHOLE = {"x-kubernetes-list-type": "atomic"}


class LedgerGrant(Model):
    """A seat that a user has."""

    user: str
    """The named user."""
    since: Instant
    """When the seat was given."""
    idle_since: Instant | None = None
    """When the last workbench stopped, if the seat lingers."""
    reason: str
    """Why it was given or is kept."""


class LedgerWaiting(Model):
    """A user who waits for a seat."""

    user: str
    """The named user."""
    since: Instant
    """Start of the wait. It decides the place in the line."""


class LedgerVacated(Model):
    """A freed seat that no user has got since."""

    user: str
    """The user who had it last."""
    at: Instant
    """When it was freed."""


class LedgerLeft(Model):
    """A user who left and has not returned since."""

    user: str
    """The named user."""
    at: Instant
    """When the user left."""
    reason: str | None = None
    """Why, one word."""


class LedgerReassignment(Model):
    """A seat that passed from one user to another."""

    user: str
    """The user who got it."""
    at: Instant
    """When it was given."""


class LedgerEnded(Model):
    """A freed seat or an ended wait that the history or a receiver of notifications does not have yet."""

    user: str
    """The named user."""
    what: Literal["Seat", "Wait"]
    """Seat: a seat was freed. Wait: a wait ended."""
    since: Instant
    """When it began."""
    at: Instant
    """When it ended."""
    reason: str
    """Reason of the end, one word."""


class SeatLedgerSpec(Model):
    """A share of the memory of one product on one license server. All entries of a user are in the same share."""

    server: str
    """Name of the LicenseServer."""
    product: str
    """Name of the product."""
    pool: str
    """Name of the LicensePool that wrote it last. The next pool of the same product and server goes on with it."""
    shares: Annotated[int, Field(ge=1)] = 1
    """Number of SeatLedger objects that hold the memory."""
    holders: int = 0
    """Number of users in assigned."""
    waiters: int = 0
    """Number of users in waiting."""
    assigned: Annotated[tuple[LedgerGrant, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Users who have a seat."""
    waiting: Annotated[tuple[LedgerWaiting, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Users who wait for one."""
    vacated: Annotated[tuple[LedgerVacated, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Freed seats that no other user has got since."""
    left: Annotated[tuple[LedgerLeft, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Users who left in the last 31 days, or as far back as readmitAfter looks."""
    reassignments: Annotated[tuple[LedgerReassignment, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Seats that passed from one user to another: the last 200, or as many as maxReassignments counts."""
    ended: Annotated[tuple[LedgerEnded, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Seats and waits that ended lately. They are kept until the history and all receivers of notifications have them, and only
    written if one of the two is configured."""


class SeatLedger(Resource):
    """The durable memory behind a pool's rules: who has a seat since when, who waits, who left when.
    It belongs to the product on its LicenseServer, and outlives the pool. The operator writes it before it changes a list.
    No other program or person should write it."""

    kind: ClassVar[str] = "SeatLedger"
    plural: ClassVar[str] = "seatledgers"
    singular: ClassVar[str] = "seatledger"
    short_names: ClassVar[tuple[str, ...]] = ("ledger",)
    has_status: ClassVar[bool] = False
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        column("Pool", ".spec.pool", "The pool that wrote it last."),
        column("Server", ".spec.server", "The LicenseServer of the product.", wide=True),
        column("Holders", ".spec.holders", "Number of users in this share who have a seat.", type="integer"),
        column("Waiting", ".spec.waiters", "Number of users in this share who wait for one.", type="integer"),
        AGE_COLUMN,
    )

    spec: SeatLedgerSpec
