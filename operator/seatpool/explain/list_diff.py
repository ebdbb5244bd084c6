"""A pool's list three times: as it should be, as it was written, and as it was read back.

The names on the license server are in no status (a list may have five thousand); what is there is its hash, its length, and
the first people that differ. That is enough to see whether it is right, and who is concerned if it is not.
"""

from dataclasses import dataclass
from datetime import datetime

from seatpool.api.licensepool import LicensePool, PoolDifference
from seatpool.api.licenseserver import ProductState
from seatpool.domain.listing import list_hash
from seatpool.explain.problems import Obstacle, condition_of, obstacles
from seatpool.explain.snapshot import Snapshot
from seatpool.text import TimeFormat


@dataclass(frozen=True, slots=True)
class ListState:
    """One of the three."""

    what: str
    people: int | None
    hash: str | None
    revision: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The whole answer."""

    pool: str
    in_sync: str
    reason: str
    message: str
    states: tuple[ListState, ...]
    users: tuple[str, ...]
    """The list as it should be."""
    difference: PoolDifference | None
    obstacles: tuple[Obstacle, ...]

    @property
    def is_well(self) -> bool:
        return self.difference is None and self.in_sync == "True"


def diff(snapshot: Snapshot, pool: LicensePool, *, times: TimeFormat) -> Diff:
    """How the pool's list differs from the one on the license server."""
    server, memory = snapshot.server_of(pool.key), snapshot.memory(pool.key)
    users = tuple(sorted(memory.assigned)) if memory is not None else ()
    written, read = None, None
    if server is not None:
        flying = server.status.in_flight
        written = _state_of(pool, flying.products) if flying is not None else None
        read = _state_of(pool, server.status.applied)
    in_sync = condition_of(pool.status.conditions, "InSync")
    return Diff(
        pool=pool.key,
        in_sync="Unknown" if in_sync is None else in_sync.status.value,
        reason="" if in_sync is None else in_sync.reason,
        message="" if in_sync is None else in_sync.message,
        states=(
            ListState(
                "as it should be", len(users) if memory is not None else None, list_hash(users) if memory else None
            ),
            _shown(
                "on its way", written, server.status.in_flight.sent_at if server and server.status.in_flight else None
            ),
            _shown("read back", read, server.status.last_verified if server is not None else None),
        ),
        users=users,
        difference=pool.status.difference,
        obstacles=obstacles(snapshot, pool, times=times),
    )


def _state_of(pool: LicensePool, states: tuple[ProductState, ...]) -> ProductState | None:
    return next((state for state in states if state.product == pool.spec.product), None)


def _shown(what: str, state: ProductState | None, at: datetime | None) -> ListState:
    if state is None:
        return ListState(what, None, None)
    return ListState(what, state.count, state.hash or None, state.revision or None, at)
