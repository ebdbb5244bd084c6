"""Collects the data of the status screen: problems, notes, servers and pools, the urgent ones first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from seatpool.api.base import format_duration
from seatpool.api.conditions import Condition
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.explain.operator_life import OperatorLife
from seatpool.explain.problems import Problem, condition_of, problems, server_problems
from seatpool.explain.snapshot import Snapshot
from seatpool.explain.workbench_table import WorkbenchRow
from seatpool.text import TimeFormat, natural_key

ACTIVE = frozenset({"pending", "running"})
"""States in which a workbench needs a seat, unless a pool says otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLine:
    """The line of a license server."""

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
    """The line of a pool."""

    name: str
    server: str
    product: str
    mode: str
    seats: int
    is_applied: bool
    """False: no list is written for it, because another pool has its product, or its server is missing."""
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
    def urgency(self) -> tuple[bool, int, object]:
        """Returns the sort key: pools with a problem first, then pools in which most users wait."""
        return self.problems == 0, -(self.waiting or 0), natural_key(self.name)


@dataclass(frozen=True, slots=True)
class RefusedOwner:
    """Active workbenches whose owner no license server could take. They get no seat."""

    owner: str
    problem: str
    workbenches: int
    example: str
    """One of the workbenches, as `namespace/name`."""


@dataclass(frozen=True, slots=True)
class UnservedType:
    """Active workbenches of a type that no pool serves, among the pools that are seen."""

    type: str
    workbenches: int
    example: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The data of the whole screen."""

    operators: tuple[OperatorLife, ...]
    servers: tuple[ServerLine, ...]
    pools: tuple[PoolLine, ...]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]
    """Problems that an admin set on purpose."""
    unreadable: tuple[str, ...]
    refused_owners: tuple[RefusedOwner, ...]
    unserved_types: tuple[UnservedType, ...]

    @property
    def is_well(self) -> bool:
        alive = all(one.is_well for one in self.operators)
        return alive and not self.problems and not self.unreadable and not self.refused_owners


def overview(
    snapshot: Snapshot, *, lives: tuple[OperatorLife, ...], times: TimeFormat, only: frozenset[str] | None = None
) -> Overview:
    """Returns the state of all servers and pools, as the operator last wrote it, and what no pool takes care of.

    `only` has the keys of the pools that are shown, with their servers. None: all.
    """
    found: dict[tuple[str, str], Problem] = {}
    servers, pools = [], []
    shown_servers = None if only is None else {snapshot.store.server_of(pool) for pool in only}
    for server in snapshot.store.servers.values():
        if shown_servers is not None and server.key not in shown_servers:
            continue
        of_server = server_problems(server, times=times)
        servers.append(_server_line(server, _count(of_server)))
        found |= {(one.object, one.message.id): one for one in of_server}
    for pool in snapshot.store.pools.values():
        if only is not None and pool.key not in only:
            continue
        of_pool = problems(snapshot, pool, times=times)
        pools.append(_pool_line(snapshot, pool, _count(of_pool)))
        found |= {(one.object, one.message.id): one for one in of_pool}
    ordered = [found[key] for key in sorted(found, key=_servers_first)]
    refused, unserved = _without_pool(snapshot) if only is None else ((), ())
    return Overview(
        operators=lives,
        servers=tuple(sorted(servers, key=lambda line: (line.problems == 0, natural_key(line.name)))),
        pools=tuple(sorted(pools, key=lambda line: line.urgency)),
        problems=tuple(one for one in ordered if not one.is_intended),
        notes=tuple(one for one in ordered if one.is_intended),
        unreadable=snapshot.unreadable,
        refused_owners=refused,
        unserved_types=unserved,
    )


def server_line(server: LicenseServer, *, times: TimeFormat) -> ServerLine:
    """Returns the line of one server."""
    return _server_line(server, _count(server_problems(server, times=times)))


def pool_line(snapshot: Snapshot, pool: LicensePool, *, times: TimeFormat) -> PoolLine:
    """Returns the line of one pool."""
    return _pool_line(snapshot, pool, _count(problems(snapshot, pool, times=times)))


def _without_pool(snapshot: Snapshot) -> tuple[tuple[RefusedOwner, ...], tuple[UnservedType, ...]]:
    """Returns the active workbenches for which nothing can be done: their owner is refused, or no pool serves their type."""
    index = snapshot.demand(snapshot.store.pools.values(), rows=())
    served = cache(index.serves)
    active = [row for row in snapshot.rows if row.state in ACTIVE]
    refused: dict[str, list[WorkbenchRow]] = {}
    unserved: dict[str, list[WorkbenchRow]] = {}
    for row in active:
        if not served(row.kind):
            unserved.setdefault(row.type, []).append(row)
        elif row.user is None:
            refused.setdefault(row.owner, []).append(row)
    return (
        tuple(
            RefusedOwner(owner, rows[0].problem or "", len(rows), rows[0].key)
            for owner, rows in sorted(refused.items())
        ),
        tuple(UnservedType(kind, len(rows), rows[0].key) for kind, rows in sorted(unserved.items())),
    )


def _count(found: Iterable[Problem]) -> int:
    return sum(not one.is_intended for one in found)


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
        is_applied=server is not None and snapshot.store.owner_pool(pool.key) == pool.key,
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
