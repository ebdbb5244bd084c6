"""Runs `approve`, `pause`, `resume` and `verify`.

Each command shows what will happen, asks, writes, and says how to see the result. What it writes is an annotation or a field
of the LicenseServer or LicensePool. The operator watches these.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from seatpool.api.annotations import APPROVE_CHANGE, VERIFY
from seatpool.api.base import format_instant
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.cli.cluster import ClusterAccess, CommandOptions, connect
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.held_change import ApprovalRequest, approval_request, pool_keys_of, pool_or_server, server_named
from seatpool.explain.snapshot import Snapshot, read_snapshot
from seatpool.kube.client import KubeClient
from seatpool.text import TimeFormat, format_names

Confirm = Callable[[str], bool]
Echo = Callable[[str], None]
POLL_INTERVAL = 0.5
"""Seconds between two reads of the status of a server."""


async def approve_change(options: CommandOptions, *, name: str, confirm: Confirm, echo: Echo) -> bool:
    """Runs `seatpool approve`. Returns False if the user does not confirm."""
    async with connect(options) as cluster:
        seen = await _read(cluster, with_users=True)
        server = server_named(seen, name)
        change = approval_request(seen, server)
        echo(f"{_server_and_pools(seen, server)}; the guard holds changes back for all of them together.")
        for line in _preview(change, cluster.times):
            echo(line)
        if not confirm(f"Let it happen on LicenseServer {server.key}?"):
            echo("Nothing was changed.")
            return False
        await _approve(cluster.kube, server, change)
    echo(f"Approved change {change.token}; the operator applies it now. To see it: seatpool status")
    return True


async def set_suspended(options: CommandOptions, *, name: str, suspended: bool, echo: Echo) -> bool:
    """Runs `seatpool pause` and `seatpool resume`."""
    async with connect(options) as cluster:
        target = pool_or_server(await _read(cluster), name)
        if target.spec.suspend is suspended:
            echo(f"{target.kind} {target.key} is {'suspended' if suspended else 'not suspended'} already.")
            return True
        await _suspend(cluster.kube, target, suspended=suspended)
    echo(f"{target.kind} {target.key} is {'suspended: its list stays as it is' if suspended else 'going on'}.")
    return True


async def verify(options: CommandOptions, *, name: str, wait: float, echo: Echo) -> bool:
    """Runs `seatpool verify`. Returns False if the lists were not read back within `wait` seconds."""
    async with connect(options) as cluster:
        seen = await _read(cluster)
        server = server_named(seen, name)
        if server.spec.suspend:
            raise SeatpoolError(
                f"LicenseServer {server.key} is suspended: resume it first (seatpool resume server/{server.key})"
            )
        echo(f"{_server_and_pools(seen, server)}; they are read back together.")
        since = cluster.now
        await _request_verification(cluster.kube, server, now=since)
        if not wait:
            echo(f"Asked the operator to read back the lists of LicenseServer {server.key}.")
            return True
        deadline = asyncio.get_running_loop().time() + wait
        while asyncio.get_running_loop().time() < deadline:
            raw = await cluster.kube.get(LicenseServer, server.metadata.namespace, server.metadata.name)
            verified = LicenseServer.model_validate(raw).status.last_verified
            if verified is not None and verified >= since.replace(microsecond=0):
                echo(
                    f"The lists of LicenseServer {server.key} were read back at {cluster.times.format_time(verified)}."
                )
                return True
            await asyncio.sleep(POLL_INTERVAL)
    echo(f"Within {wait:g} s the lists of LicenseServer {server.key} were not read back; see: seatpool status")
    return False


async def _approve(kube: KubeClient, server: LicenseServer, change: ApprovalRequest) -> None:
    """Approves this very change, by an annotation with its token. Raises KubeError."""
    await _annotate(kube, server, APPROVE_CHANGE, change.token)


async def _request_verification(kube: KubeClient, server: LicenseServer, *, now: datetime) -> None:
    """Asks the operator to read back the lists of the server now. Raises KubeError."""
    await _annotate(kube, server, VERIFY, format_instant(now))


async def _annotate(kube: KubeClient, server: LicenseServer, name: str, value: str) -> None:
    metadata = server.metadata
    await kube.merge_patch(
        LicenseServer, metadata.namespace, metadata.name, {"metadata": {"annotations": {name: value}}}
    )


async def _suspend(kube: KubeClient, target: LicensePool | LicenseServer, *, suspended: bool) -> None:
    """Sets `spec.suspend` of a pool or a server. Raises KubeError."""
    metadata = target.metadata
    await kube.merge_patch(type(target), metadata.namespace, metadata.name, {"spec": {"suspend": suspended}})


async def _read(cluster: ClusterAccess, *, with_users: bool = False) -> Snapshot:
    return await read_snapshot(
        cluster.kube, namespace=cluster.namespace, identity=cluster.identity, now=cluster.now,
        ledgers=with_users, workbenches=with_users,
    )  # fmt: skip


def _server_and_pools(seen: Snapshot, server: LicenseServer) -> str:
    pools = pool_keys_of(seen, server)
    return f"LicenseServer {server.key} has the lists of {format_names(pools, most=20) if pools else 'no pool'}"


def _preview(change: ApprovalRequest, times: TimeFormat) -> list[str]:
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
