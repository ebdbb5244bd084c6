"""Compares a pool's list as it should be, as it is on its way, and as it was read back.

The names on the license server are in no status, because a list may have 5,000. The status has the list's hash, its length and
the first users that differ. That is enough to see whether the list is right, and who is concerned if it is not.
"""

from dataclasses import dataclass, field
from datetime import datetime

from seatpool.api.licensepool import LicensePool, PoolDifference
from seatpool.api.licenseserver import ProductState
from seatpool.domain.list_hash import list_hash
from seatpool.explain.problems import Problem, condition_of, problems
from seatpool.explain.snapshot import Snapshot
from seatpool.text import JSON_NAME, TimeFormat


@dataclass(frozen=True, slots=True)
class ListState:
    """One of the three lists."""

    what: str
    people: int | None
    hash: str | None
    revision: int | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """The comparison for one pool."""

    pool: str
    in_sync: str
    reason: str
    message: str
    states: tuple[ListState, ...]
    users: tuple[str, ...]
    """The users who should be on the list."""
    difference: PoolDifference | None
    problems: tuple[Problem, ...] = field(metadata={JSON_NAME: "obstacles"})

    @property
    def is_well(self) -> bool:
        return self.difference is None and self.in_sync == "True"


def diff(snapshot: Snapshot, pool: LicensePool, *, times: TimeFormat) -> Diff:
    """Returns how the pool's list differs from the one on the license server."""
    server, memory = snapshot.server_of(pool.key), snapshot.memory(pool.key)
    users = tuple(sorted(memory.assigned)) if memory is not None else ()
    in_flight = server.status.in_flight if server is not None else None
    sent = _state_of(pool, in_flight.products) if in_flight is not None else None
    read = _state_of(pool, server.status.applied) if server is not None else None
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
            _list_state("on its way", sent, in_flight.sent_at if in_flight is not None else None),
            _list_state("read back", read, server.status.last_verified if server is not None else None),
        ),
        users=users,
        difference=pool.status.difference,
        problems=problems(snapshot, pool, times=times),
    )


def _state_of(pool: LicensePool, states: tuple[ProductState, ...]) -> ProductState | None:
    return next((state for state in states if state.product == pool.spec.product), None)


def _list_state(what: str, state: ProductState | None, at: datetime | None) -> ListState:
    if state is None:
        return ListState(what, None, None)
    return ListState(what, state.count, state.hash or None, state.revision or None, at)
