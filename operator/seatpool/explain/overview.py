"""Is it well, and if not, what is to be done: everything on one screen, problems first."""

from dataclasses import dataclass
from datetime import datetime

from seatpool.api.base import format_duration
from seatpool.api.conditions import Condition
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.explain.problems import Obstacle, condition_of, obstacles, server_obstacles
from seatpool.explain.snapshot import Snapshot
from seatpool.text import TimeFormat


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLine:
    """One license server."""

    name: str
    mode: str
    ready: str
    in_sync: str
    lists: int
    people: int
    revision: int
    last_changed: datetime | None
    last_verified: datetime | None
    problems: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLine:
    """One pool."""

    name: str
    server: str
    product: str
    mode: str
    seats: int
    used: int | None
    waiting: int | None
    oldest_wait: datetime | None
    in_sync: str
    reason: str
    changes_used: int | None
    changes_allowed: int | None
    changes_window: str
    problems: int

    @property
    def urgency(self) -> tuple[bool, int, str]:
        """Those first that have a problem, then those where most people wait."""
        return self.problems == 0, -(self.waiting or 0), self.name


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole screen."""

    servers: tuple[ServerLine, ...]
    pools: tuple[PoolLine, ...]
    problems: tuple[Obstacle, ...]
    notes: tuple[Obstacle, ...]
    """What is so because somebody wants it."""
    unreadable: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        return not self.problems and not self.unreadable


def overview(snapshot: Snapshot, *, times: TimeFormat) -> Overview:
    """How everything stands, as the operator last wrote it."""
    found: dict[tuple[str, str], Obstacle] = {}
    servers, pools = [], []
    for server in snapshot.store.servers.values():
        own = server_obstacles(server, times=times)
        servers.append(_server_line(server, sum(not one.is_chosen for one in own)))
        found |= {(one.object, one.said.id): one for one in own}
    for pool in snapshot.store.pools.values():
        standing_in_the_way = obstacles(snapshot, pool, times=times)
        pools.append(_pool_line(snapshot, pool, sum(not one.is_chosen for one in standing_in_the_way)))
        found |= {(one.object, one.said.id): one for one in standing_in_the_way}
    told = [found[key] for key in sorted(found, key=_servers_first)]
    return Overview(
        servers=tuple(sorted(servers, key=lambda line: (line.problems == 0, line.name))),
        pools=tuple(sorted(pools, key=lambda line: line.urgency)),
        problems=tuple(one for one in told if not one.is_chosen),
        notes=tuple(one for one in told if one.is_chosen),
        unreadable=snapshot.unreadable,
    )


def _servers_first(key: tuple[str, str]) -> tuple[bool, str, str]:
    shown_by, reason = key
    return not shown_by.startswith(LicenseServer.kind), shown_by, reason


def _server_line(server: LicenseServer, problems: int) -> ServerLine:
    status = server.status
    return ServerLine(
        name=server.key,
        mode=server.spec.mode.value,
        ready=_word(status.conditions, "Ready"),
        in_sync=_word(status.conditions, "InSync"),
        lists=len(status.applied),
        people=status.users,
        revision=status.revision,
        last_changed=status.last_applied,
        last_verified=status.last_verified,
        problems=problems,
    )


def _pool_line(snapshot: Snapshot, pool: LicensePool, problems: int) -> PoolLine:
    server, status, budget = snapshot.server_of(pool.key), pool.status, pool.spec.max_reassignments
    modes = {pool.spec.mode, server.spec.mode} if server is not None else {pool.spec.mode}
    ready = condition_of(status.conditions, "Ready")
    return PoolLine(
        name=pool.key,
        server=pool.spec.server_ref.name,
        product=pool.spec.product,
        mode=(Mode.DRY_RUN if Mode.DRY_RUN in modes else Mode.ENFORCE).value,
        seats=pool.spec.seats,
        used=status.used,
        waiting=status.waiting,
        oldest_wait=status.oldest_wait,
        in_sync=_word(status.conditions, "InSync"),
        reason=ready.reason if ready is not None else "",
        changes_used=status.reassignments_used if budget is not None else None,
        changes_allowed=budget.count if budget is not None else None,
        changes_window="" if budget is None else format_duration(budget.window),
        problems=problems,
    )


def _word(conditions: tuple[Condition, ...], kind: str) -> str:
    found = condition_of(conditions, kind)
    return "-" if found is None else {"True": "yes", "False": "no"}.get(found.status.value, "?")
