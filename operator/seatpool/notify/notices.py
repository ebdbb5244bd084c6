"""What is told about seats: facts, each with an id.

A notice may come twice, after a crash or when its receipt was lost; it has the same id then. It is told after the license
server was seen to have the list, so that nobody starts a tool into a denial. The truth stays in the Workbench's status: a
receiver that was away for long reads that.
"""

import hashlib
from typing import Annotated, ClassVar

from pydantic import Field

from seatpool.api.base import Instant, Model

SHOWN = 20
People = Annotated[tuple[str, ...], Field(max_length=SHOWN)]


class Notice(Model):
    """What every notice says."""

    type: ClassVar[str]

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """The same for the same news, however often it comes."""
    at: Instant
    """When the operator saw that it is so."""
    installation: str
    """Which installation of Seatpool says so."""
    pool: str
    """The LicensePool, as namespace/name."""
    product: str
    """The licensed product."""
    server: str
    """The LicenseServer, as namespace/name."""


class SeatAssigned(Notice):
    """Somebody has a seat, and the license server has confirmed it: the tool can be started."""

    type: ClassVar[str] = "SeatAssigned"

    user: str
    """The person."""
    reason: str
    """Why, in one word."""
    since: Instant
    """Since when the seat is held."""
    revision: int
    """The revision of the list that was read back."""
    workbenches: People = ()
    """Names of the person's active workbenches, the first 20."""


class SeatWaiting(Notice):
    """Somebody waits for a seat, or has moved up in the line."""

    type: ClassVar[str] = "SeatWaiting"

    user: str
    """The person."""
    position: Annotated[int, Field(ge=1)]
    """Place in the line, 1 is next."""
    waiting: Annotated[int, Field(ge=1)]
    """How many wait."""
    since: Instant
    """Since when the person waits."""
    reason: str
    """The rule that decides, in one word."""
    earliest: Instant | None = None
    """By time alone not before; absent when somebody has to stop a workbench first."""
    workbenches: People = ()
    """Names of the person's active workbenches, the first 20."""


class SeatReleased(Notice):
    """Somebody has no seat any more, and the license server has confirmed it."""

    type: ClassVar[str] = "SeatReleased"

    user: str
    """The person."""
    reason: str
    """Why, in one word."""
    held_seconds: Annotated[int, Field(ge=0)]
    """How long the seat was held."""
    revision: int
    """The revision of the list that was read back."""


class PoolSaturated(Notice):
    """The first person has to wait for a seat of a pool."""

    type: ClassVar[str] = "PoolSaturated"

    seats: int
    """How many seats there are."""
    waiting: int
    """How many wait."""


class DriftDetected(Notice):
    """Somebody else changed a list on the license server."""

    type: ClassVar[str] = "DriftDetected"

    added: People = ()
    """Who was added, the first 20."""
    removed: People = ()
    """Who was removed, the first 20."""
    adds: int = 0
    """How many were added."""
    removes: int = 0
    """How many were removed."""


KINDS: tuple[type[Notice], ...] = (SeatAssigned, SeatWaiting, SeatReleased, PoolSaturated, DriftDetected)


def notice_id(*facts: object) -> str:
    """The id of a piece of news, made from what makes it that news."""
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:32]
