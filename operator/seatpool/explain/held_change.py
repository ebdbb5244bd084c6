"""Computes what approving a held change would do, and which object a name on the command line means.

An approval is for the users whom the operator shows, named by a token. Who comes to be released later stays held, and the
operator asks again. The writes are in `cli.admin`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from seatpool.api.base import Resource
from seatpool.api.conditions import ConditionStatus
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.reasons import ConditionReason
from seatpool.domain.allocate import allocate
from seatpool.domain.errors import SeatpoolError
from seatpool.domain.memory import PoolMemory
from seatpool.explain.problems import condition_of
from seatpool.explain.snapshot import Snapshot
from seatpool.policy.guard import Token
from seatpool.policy.plan import Question, changes
from seatpool.text import format_known


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """The change that a server holds back, as an admin has to judge it."""

    server: str
    token: str
    message: str
    since: datetime
    leaving: tuple[tuple[str, str], ...]
    """(pool, user) pairs who would lose their seats with this approval, by the workbenches that are seen now."""
    held_on: tuple[tuple[str, str], ...]
    """(pool, user) pairs who came to be released after the operator showed the change. The guard weighs them anew."""
    without_workbench: frozenset[str]
    """Users among `leaving` of whom no Workbench object is left. The workbenches of the others have stopped."""


def approval_request(snapshot: Snapshot, server: LicenseServer) -> ApprovalRequest:
    """Returns what an approval would do. Raises SeatpoolError if nothing is held back."""
    guarded = condition_of(server.status.conditions, "Guarded")
    held = guarded is not None and guarded.status is ConditionStatus.TRUE
    if guarded is None or not held or guarded.reason != ConditionReason.TOO_MANY_RELEASES:
        raise SeatpoolError(f"LicenseServer {server.key} holds no change back: there is nothing to approve")
    token = Token.parse(server.status.guard.held or "")
    if token is None:
        raise SeatpoolError(
            f"LicenseServer {server.key}, status.guard.held: {server.status.guard.held!r} names no change to approve; the "
            "operator writes it again within a minute, if it is of this version"
        )
    ends = _ends(snapshot, server)
    leaving = tuple(sorted(pair for pair, end in ends.items() if token.covers(end)))
    seen = {row.user for row in snapshot.rows}
    return ApprovalRequest(
        server=server.key,
        token=str(token),
        message=guarded.message,
        since=guarded.last_transition_time,
        leaving=leaving,
        held_on=tuple(sorted(ends.keys() - set(leaving))),
        without_workbench=frozenset(user for _, user in leaving if user not in seen),
    )


def _ends(snapshot: Snapshot, server: LicenseServer) -> dict[tuple[str, str], datetime]:
    """Returns who would lose a seat without the guard, as (pool, user), and when the seat was over."""
    pools = [pool for pool in snapshot.store.pools_of_server(server.key) if not pool.spec.suspend]
    demand = snapshot.demand(pools)
    asked = {
        pool.key: Question(
            pool,
            snapshot.store.rules[pool.key],
            demand.needs(pool.key),
            snapshot.memory(pool.key) or PoolMemory.empty(),
        )
        for pool in pools
    }
    answers = {key: allocate(one.rules, one.needs, one.memory, snapshot.now) for key, one in asked.items()}
    found = changes(server, asked, answers, others={}, now=snapshot.now)
    return {(change.pool, user): end for change in found for user, end in change.leaving.items()}


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
        raise _none(snapshot, wanted, kinds)
    return found


def _none(snapshot: Snapshot, wanted: str, kinds: frozenset[str]) -> SeatpoolError:
    objects: list[Resource] = []
    objects += snapshot.store.pools.values() if "pool" in kinds else ()
    objects += snapshot.store.servers.values() if "server" in kinds else ()
    known = {one.key if "/" in wanted else one.metadata.name for one in objects}
    what = " and no ".join(sorted({"pool": "LicensePool", "server": "LicenseServer"}[kind] for kind in kinds))
    return SeatpoolError(f"there is no {what} {wanted}; {format_known(wanted, known)}")


def _several(name: str, found: Iterable[Resource]) -> SeatpoolError:
    names = ", ".join(sorted(f"{_short(type(one))}/{one.key}" for one in found))
    return SeatpoolError(f"{name} is the name of several objects; write one of: {names}")


def _short(kind: type[Resource]) -> str:
    return "pool" if kind is LicensePool else "server"
