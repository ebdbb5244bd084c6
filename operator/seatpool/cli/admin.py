"""The commands by which an admin decides: they show what will happen, ask, write, and say how to see the outcome."""

import asyncio
from collections.abc import Callable

from seatpool.api.licenseserver import LicenseServer
from seatpool.cli.cluster import Access, Asked, access
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.held_change import (
    ApprovalRequest,
    approval_request,
    approve,
    ask_to_verify,
    pool_keys_of,
    pool_or_server,
    server_named,
    suspend,
)
from seatpool.explain.snapshot import Snapshot, read_snapshot
from seatpool.text import TimeFormat, format_names

Ask = Callable[[str], bool]
Tell = Callable[[str], None]
LOOK_EVERY = 0.5


async def approve_change(asked: Asked, *, name: str, ask: Ask, tell: Tell) -> bool:
    """`seatpool approve`."""
    async with access(asked) as cluster:
        seen = await _look(cluster, everybody=True)
        server = server_named(seen, name)
        change = approval_request(seen, server)
        tell(f"{_whose(seen, server)}; the guard holds changes back for all of them together.")
        for line in _shown(change, cluster.times):
            tell(line)
        if not ask(f"Let it happen on LicenseServer {server.key}?"):
            tell("Nothing was changed.")
            return False
        await approve(cluster.kube, server, change)
    tell(f"Approved change {change.token}; the operator applies it now. To see it: seatpool status")
    return True


async def set_suspended(asked: Asked, *, name: str, suspended: bool, tell: Tell) -> bool:
    """`seatpool pause` and `seatpool resume`."""
    async with access(asked) as cluster:
        target = pool_or_server(await _look(cluster), name)
        if target.spec.suspend is suspended:
            tell(f"{target.kind} {target.key} is {'suspended' if suspended else 'not suspended'} already.")
            return True
        await suspend(cluster.kube, target, suspended=suspended)
    tell(f"{target.kind} {target.key} is {'suspended: its list stays as it is' if suspended else 'going on'}.")
    return True


async def verify(asked: Asked, *, name: str, wait: float, tell: Tell) -> bool:
    """`seatpool verify`."""
    async with access(asked) as cluster:
        seen = await _look(cluster)
        server = server_named(seen, name)
        if server.spec.suspend:
            raise SeatpoolError(
                f"LicenseServer {server.key} is suspended: resume it first (seatpool resume server/{server.key})"
            )
        tell(f"{_whose(seen, server)}; they are read back together.")
        since = cluster.now
        await ask_to_verify(cluster.kube, server, now=since)
        if not wait:
            tell(f"Asked the operator to read back the lists of LicenseServer {server.key}.")
            return True
        deadline = asyncio.get_running_loop().time() + wait
        while asyncio.get_running_loop().time() < deadline:
            raw = await cluster.kube.get(LicenseServer, server.metadata.namespace, server.metadata.name)
            verified = LicenseServer.model_validate(raw).status.last_verified
            if verified is not None and verified >= since.replace(microsecond=0):
                tell(
                    f"The lists of LicenseServer {server.key} were read back at {cluster.times.format_time(verified)}."
                )
                return True
            await asyncio.sleep(LOOK_EVERY)
    tell(f"Within {wait:g} s the lists of LicenseServer {server.key} were not read back; see: seatpool status")
    return False


async def _look(cluster: Access, *, everybody: bool = False) -> Snapshot:
    return await read_snapshot(
        cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now,
        ledgers=everybody, workbenches=everybody,
    )  # fmt: skip


def _whose(seen: Snapshot, server: LicenseServer) -> str:
    pools = pool_keys_of(seen, server)
    return f"LicenseServer {server.key} has the lists of {format_names(pools, most=20) if pools else 'no pool'}"


def _shown(change: ApprovalRequest, times: TimeFormat) -> list[str]:
    by_pool: dict[str, list[str]] = {}
    for pool, user in change.leaving:
        by_pool.setdefault(pool, []).append(user)
    lines = [f"Held back since {times.format_time(change.since)}: {change.message.partition('; ')[0]}."]
    lines += [
        f"  {pool}: {len(users)} lose their seats: {format_names(users, most=20)}" for pool, users in by_pool.items()
    ]
    if not change.is_the_same:
        lines.append(
            "  By what is seen now it would be another change than the operator shows; if it changed, the operator will ask "
            "again."
        )
    return lines
