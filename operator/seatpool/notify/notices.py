"""Defines the notices about seats.

A notice may arrive twice, after a crash or when its receipt was lost. It has the same id then. It is sent after the
license server was seen to have the list, so that no user starts a tool into a denial. The status of the Workbench is
the source of truth. A receiver that was away for long reads that.
"""

import hashlib
from typing import Annotated, ClassVar

from pydantic import Field

from seatpool.api.base import Instant, Model

SHOWN = 20
People = Annotated[tuple[str, ...], Field(max_length=SHOWN)]


class Notice(Model):
    """Fields of every notice."""

    type: ClassVar[str]

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Identifies the news. It is the same however often the notice is sent."""
    at: Instant
    """When the operator saw that it is so."""
    installation: str
    """The installation of Seatpool that sends it."""
    pool: str
    """The LicensePool, as namespace/name."""
    product: str
    """The licensed product."""
    server: str
    """The LicenseServer, as namespace/name."""


class SeatAssigned(Notice):
    """A user has a seat, and the license server has confirmed it: the tool can be started."""

    type: ClassVar[str] = "SeatAssigned"

    user: str
    """The user."""
    reason: str
    """Why, in one word."""
    since: Instant
    """Since when the seat is held."""
    revision: int
    """The revision of the list that was read back."""
    workbenches: People = ()
    """Names of the user's active workbenches, the first 20."""


class SeatWaiting(Notice):
    """A user waits for a seat, or has moved up in the line."""

    type: ClassVar[str] = "SeatWaiting"

    user: str
    """The user."""
    position: Annotated[int, Field(ge=1)]
    """Place in the line, 1 is next."""
    waiting: Annotated[int, Field(ge=1)]
    """How many users wait."""
    since: Instant
    """Since when the user waits."""
    reason: str
    """The rule that decides, in one word."""
    earliest: Instant | None = None
    """Earliest time of a seat by time alone; absent when another user has to stop a workbench first."""
    likely_from: Instant | None = None
    """Begin of a range in which the seat comes in about eight of ten cases, by how long the last seats were held. Absent:
    there is no estimate. It is that of the moment `at`, and `seatpool why` has the present one."""
    likely_until: Instant | None = None
    """End of that range."""
    workbenches: People = ()
    """Names of the user's active workbenches, the first 20."""


class SeatDenied(Notice):
    """A user gets no seat of the pool, because its rules deny it, or because the license server cannot have the user."""

    type: ClassVar[str] = "SeatDenied"

    user: str
    """The user."""
    reason: str
    """Denied: the user is in deniedUsers. NotListable: the license server does not know the user, or cannot write the id."""
    since: Instant
    """Since when the user has had an active workbench."""
    workbenches: People = ()
    """Names of the user's active workbenches, the first 20."""


class WaitEnded(Notice):
    """A user does not wait any more, and got no seat: the last workbench that needed one stopped."""

    type: ClassVar[str] = "WaitEnded"

    user: str
    """The user."""
    reason: str
    """Why, in one word."""
    waited_seconds: Annotated[int, Field(ge=0)]
    """How long the user waited."""


class SeatReleased(Notice):
    """A user has no seat any more, and the license server has confirmed it."""

    type: ClassVar[str] = "SeatReleased"

    user: str
    """The user."""
    reason: str
    """Why, in one word."""
    held_seconds: Annotated[int, Field(ge=0)]
    """How long the seat was held."""
    revision: int
    """The revision of the list that was read back."""


class PoolSaturated(Notice):
    """The first user has to wait for a seat of a pool."""

    type: ClassVar[str] = "PoolSaturated"

    seats: int
    """How many seats there are."""
    waiting: int
    """How many users wait."""


class DriftDetected(Notice):
    """A list on the license server was changed by another program or by hand."""

    type: ClassVar[str] = "DriftDetected"

    added: People = ()
    """Users who were added, the first 20."""
    removed: People = ()
    """Users who were removed, the first 20."""
    adds: int = 0
    """How many were added."""
    removes: int = 0
    """How many were removed."""


KINDS: tuple[type[Notice], ...] = (
    SeatAssigned,
    SeatWaiting,
    SeatDenied,
    WaitEnded,
    SeatReleased,
    PoolSaturated,
    DriftDetected,
)


def notice_id(*facts: object) -> str:
    """Returns the id of a notice, a hash of the facts that make it that notice."""
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:32]
