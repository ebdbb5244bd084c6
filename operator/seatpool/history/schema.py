"""Defines the rows of the history: sessions, waits, refusals, and the number of seats of a pool.

A row is what was known of one fact at one instant. The same fact always has the same id. An interval is written when it
begins, when the license server was seen to have it, every hour while it lasts, and when it ends. After a crash some
rows come twice. Readers merge the rows of an id (`store.connect`), so a row that is written again is not counted again.

Instants are UTC. Files lie in `kind=<kind>/day=<day of seen_at>/`, which DuckDB, Athena and Spark read alike.
"""

import hashlib
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from types import UnionType
from typing import Any, ClassVar, get_args, get_type_hints

ID_LENGTH = 24
YEARS = range(1970, 2101)
"""Years that a history can be of. An instant in another year is a mistake."""
_SQL_TYPES = {str: "VARCHAR", datetime: "TIMESTAMP_MS", float: "DOUBLE", int: "BIGINT"}


def fact_id(*facts: object) -> str:
    """Returns the id of a fact, a hash of the values that make it that fact."""
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:ID_LENGTH]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Fields of every row."""

    kind: ClassVar[str]

    id: str
    """The same for the same fact."""
    installation: str
    """Which installation of Seatpool saw it; the name of an import for imported logs."""
    pool: str
    """The LicensePool as namespace/name; for imported logs the licensed feature."""
    product: str
    """The licensed product."""
    server: str
    """The LicenseServer as namespace/name; for imported logs the host."""
    mode: str
    """Enforce, or DryRun for seats that were computed and on no license server."""
    source: str
    """Source of the fact: operator, flexnet or csv."""
    seen_at: datetime
    """When this was so; never before any other instant of the row, except those that are foreseen."""

    @property
    def day(self) -> date:
        """The partition that the row belongs to."""
        return self.seen_at.astimezone(UTC).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(Row):
    """A user has, or had, a seat in an interval."""

    kind: ClassVar[str] = "sessions"

    user_id: str
    """The user, or the pseudonym."""
    workbench_type: str | None = None
    """Type of the workbench that needed the seat first."""
    account: str | None = None
    """AWS account of that workbench."""
    granted_at: datetime
    """When the seat was given."""
    grant_reason: str | None = None
    """Why, in one word."""
    waited_s: float | None = None
    """Seconds of waiting before, from the need on; 0 for a user who was never in the waiting line. None: not known."""
    granted_revision: int | None = None
    """Revision of the list that was first seen to have the user."""
    listed_at: datetime | None = None
    """When the license server was first seen to have the user."""
    released_at: datetime | None = None
    """When the seat was freed; absent while it is held."""
    release_reason: str | None = None
    """Why, in one word."""
    released_revision: int | None = None
    """Revision of the list that was first seen without the user."""
    unlisted_at: datetime | None = None
    """When that was seen; absent when the user came back before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Row):
    """A user waits, or waited, for a seat."""

    kind: ClassVar[str] = "waits"

    user_id: str
    """The user, or the pseudonym."""
    workbench_type: str | None = None
    """Type of the workbench that needs the seat."""
    account: str | None = None
    """AWS account of that workbench."""
    began_at: datetime
    """Since when."""
    reason: str | None = None
    """The rule that decided when the wait began, in one word."""
    ended_at: datetime | None = None
    """When it ended; absent while it lasts."""
    outcome: str | None = None
    """How it ended: Granted, Denied, or NeedEnded when the last workbench stopped first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal(Row):
    """A user was refused: one in deniedUsers, one whom the license server cannot have, or a denial in its log."""

    kind: ClassVar[str] = "refusals"

    user_id: str
    """The user, or the pseudonym."""
    workbench_type: str | None = None
    """Type of the workbench that needed the seat."""
    account: str | None = None
    """AWS account of that workbench."""
    refused_at: datetime
    """When it was refused."""
    reason: str | None = None
    """Why, in one word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity(Row):
    """A pool has so many seats from then on."""

    kind: ClassVar[str] = "capacity"

    since: datetime
    """From when on."""
    seats: int
    """How many seats; 0 says that the pool is gone."""


KINDS: tuple[type[Row], ...] = (Session, Wait, Refusal, Capacity)


def columns(kind: type[Row]) -> dict[str, str]:
    """Returns the columns of a kind's files and their SQL types, in order."""
    hints = get_type_hints(kind)
    return {field.name: _SQL_TYPES[_plain(hints[field.name])] for field in fields(kind)}


def required_columns(kind: type[Row]) -> frozenset[str]:
    """Returns the columns of a kind's files that every row has a value in."""
    hints = get_type_hints(kind)
    return frozenset(field.name for field in fields(kind) if not isinstance(hints[field.name], UnionType))


def row_to_json(row: Row) -> dict[str, Any]:
    """Returns the row with its kind, as JSON can represent it."""
    found: dict[str, Any] = {"kind": row.kind}
    for field in fields(row):
        value = getattr(row, field.name)
        if value is not None:
            found[field.name] = _instant(value) if isinstance(value, datetime) else value
    return found


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")


def _plain(hint: Any) -> Any:
    return next(arg for arg in get_args(hint) if arg is not type(None)) if isinstance(hint, UnionType) else hint
