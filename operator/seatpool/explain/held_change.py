"""Computes what approving a held change would do, and which object a name on the command line means.

The change that is approved is the one that the operator shows, named by its token. If the workbenches change meanwhile, the
operator asks again. The writes are in `cli.admin`.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from seatpool.api.annotations import APPROVE_CHANGE
from seatpool.api.base import Resource
from seatpool.api.conditions import ConditionStatus
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import ConditionReason
from seatpool.domain.allocate import allocate
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.memory import PoolMemory
from seatpool.domain.reasons import Reason
from seatpool.explain.problems import condition_of
from seatpool.explain.snapshot import Snapshot
from seatpool.policy.guard import hold

_TOKEN = re.compile(re.escape(APPROVE_CHANGE) + r"=([0-9a-f]{12})\b")


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """The change that a server holds back, as an admin has to judge it."""

    server: str
    token: str
    message: str
    since: datetime
    leaving: tuple[tuple[str, str], ...]
    """(pool, user) pairs who would lose their seats by the workbenches that are seen now."""
    is_the_same: bool
    """False: the workbenches have changed since the operator computed the change."""


def approval_request(snapshot: Snapshot, server: LicenseServer) -> ApprovalRequest:
    """Returns what an approval would do. Raises SeatpoolError if nothing is held back."""
    guarded = condition_of(server.status.conditions, "Guarded")
    held = guarded is not None and guarded.status is ConditionStatus.TRUE
    if guarded is None or not held or guarded.reason != ConditionReason.TOO_MANY_RELEASES:
        raise SeatpoolError(f"LicenseServer {server.key} holds no change back: there is nothing to approve")
    named = _TOKEN.search(guarded.message)
    if named is None:
        raise SeatpoolError(
            f"LicenseServer {server.key}: the condition Guarded names no change to approve; its message is: {guarded.message}"
        )
    pools = [pool for pool in snapshot.store.pools_of_server(server.key) if not pool.spec.suspend]
    demand = snapshot.demand(pools)
    leaving, present = [], 0
    for pool in pools:
        memory = snapshot.memory(pool.key) or PoolMemory.empty()
        present += len(memory.assigned)
        answer = allocate(snapshot.store.rules[pool.key], demand.needs(pool.key), memory, snapshot.now)
        leaving += [(pool.key, gone.user) for gone in answer.released if gone.reason is Reason.WORKBENCHES_STOPPED]
    current = hold(server, present=present, leaving=leaving)
    return ApprovalRequest(
        server=server.key,
        token=named.group(1),
        message=guarded.message,
        since=guarded.last_transition_time,
        leaving=tuple(sorted(leaving)),
        is_the_same=current is not None and current.token == named.group(1),
    )


def pool_or_server(snapshot: Snapshot, name: str) -> LicensePool | LicenseServer:
    """Returns the object of a name: `pool/NAME`, `server/NAME`, `NAMESPACE/NAME` or `NAME`. It must be the only one."""
    found = _named(snapshot, name)
    if len(found) > 1:
        raise _several(name, found)
    return found[0]


def server_named(snapshot: Snapshot, name: str) -> LicenseServer:
    """Returns the server of that name, or the server of the pool of that name.

    The guard and the read-back work per server.
    """
    found = _named(snapshot, name)
    keys = {one.key if isinstance(one, LicenseServer) else snapshot.store.server_of(one.key) for one in found}
    if len(keys) > 1:
        raise _several(name, found)
    key = keys.pop()
    server = snapshot.store.servers.get(key)
    if server is None:
        raise SeatpoolError(
            f"LicensePool {found[0].key}, spec.serverRef.name: there is no LicenseServer {key}; create it, or change the field"
        )
    return server


def pool_keys_of(snapshot: Snapshot, server: LicenseServer) -> tuple[str, ...]:
    """Returns the keys of the pools whose lists are on the server."""
    return tuple(pool.key for pool in snapshot.store.pools_of_server(server.key))


def _named(snapshot: Snapshot, name: str) -> list[LicensePool | LicenseServer]:
    """Returns every object that the name can mean. Raises SeatpoolError if there is none."""
    wanted, kinds = name, frozenset({"pool", "server"})
    for kind in ("pool", "server"):
        if name.startswith(f"{kind}/"):
            wanted, kinds = name.removeprefix(f"{kind}/"), frozenset({kind})
    found: list[LicensePool | LicenseServer] = []
    if "pool" in kinds:
        found += [pool for pool in snapshot.store.pools.values() if wanted in (pool.key, pool.metadata.name)]
    if "server" in kinds:
        found += [server for server in snapshot.store.servers.values() if wanted in (server.key, server.metadata.name)]
    if not found:
        raise SeatpoolError(f"there is neither a LicensePool nor a LicenseServer {name}")
    return found


def _several(name: str, found: Iterable[Resource]) -> SeatpoolError:
    names = ", ".join(sorted(f"{_short(type(one))}/{one.key}" for one in found))
    return SeatpoolError(f"{name} is the name of several objects; write one of: {names}")


def _short(kind: type[Resource]) -> str:
    return "pool" if kind is LicensePool else "server"
