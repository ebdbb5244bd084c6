"""SeatLedger: the durable memory behind a pool's rules, written by the operator only."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from seatpool.api.base import AGE_COLUMN, Instant, Model, PrinterColumn, Resource, column

SEATS_PER_LEDGER = 500

# One writer, who writes whole objects. If the API server knew each entry by its key, its notes about who owns which entry
# would be half of an object and double the time that storing one of 250 seats takes.
_WHOLE = {"x-kubernetes-list-type": "atomic"}


class LedgerGrant(Model):
    """A seat that somebody has."""

    user: str
    """The named user."""
    since: Instant
    """When the seat was given."""
    idle_since: Instant | None = None
    """When the last workbench stopped, if the seat lingers."""
    reason: str
    """Why it was given or is kept."""


class LedgerWaiting(Model):
    """Somebody who waits."""

    user: str
    """The named user."""
    since: Instant
    """Since when; it decides the place in the line."""


class LedgerVacated(Model):
    """A seat that was freed and has not been given to anybody since."""

    user: str
    """Who had it last."""
    at: Instant
    """When it was freed."""


class LedgerReadmit(Model):
    """Somebody who may not return yet."""

    user: str
    """The named user."""
    until: Instant
    """When a seat may be given to this person again."""


class LedgerEnded(Model):
    """A seat that was freed, or a wait that ended, of which the history or the receivers of notices do not know yet."""

    user: str
    """The named user."""
    what: Literal["Seat", "Wait"]
    """Which of the two."""
    since: Instant
    """When it began."""
    at: Instant
    """When it ended."""
    reason: str
    """Why, in one word."""


class SeatLedgerSpec(Model):
    """A share of one pool's memory. A person's entries are all in the same share."""

    pool: str
    """Name of the LicensePool."""
    shares: Annotated[int, Field(ge=1)] = 1
    """Into how many SeatLedger objects the memory is divided."""
    assigned: Annotated[tuple[LedgerGrant, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Who has a seat."""
    waiting: Annotated[tuple[LedgerWaiting, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Who waits for one."""
    vacated: Annotated[tuple[LedgerVacated, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Freed seats that a cool-down or a budget still remembers."""
    readmit: Annotated[tuple[LedgerReadmit, ...], Field(json_schema_extra=_WHOLE)] = ()
    """Who may not return yet."""
    reassignments: Annotated[tuple[Instant, ...], Field(json_schema_extra=_WHOLE)] = ()
    """When seats passed from one person to another, as far back as the budget's window reaches."""
    ended: Annotated[tuple[LedgerEnded, ...], Field(json_schema_extra=_WHOLE)] = ()
    """What ended lately, kept until the history has it and whoever is notified was told; only written while one of the two
    is configured."""


class SeatLedger(Resource):
    """The durable memory behind a pool's rules: who has a seat since when, who waits, what is blocked until when.
    The operator writes it, before it changes a list; nobody else should."""

    kind: ClassVar[str] = "SeatLedger"
    plural: ClassVar[str] = "seatledgers"
    singular: ClassVar[str] = "seatledger"
    short_names: ClassVar[tuple[str, ...]] = ("ledger",)
    has_status: ClassVar[bool] = False
    columns: ClassVar[tuple[PrinterColumn, ...]] = (
        column("Pool", ".spec.pool", "The pool that it belongs to."),
        column("Holders", ".spec.assigned[*].user", "Who has a seat."),
        column("Waiting", ".spec.waiting[*].user", "Who waits for one.", wide=True),
        AGE_COLUMN,
    )

    spec: SeatLedgerSpec
