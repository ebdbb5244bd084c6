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
from seatpool.terminal.progress import progress
from seatpool.text import TimeFormat, format_names

Confirm = Callable[[str], bool]
Echo = Callable[[str], None]
POLL_INTERVAL = 0.5
"""Seconds between two reads of the status of a server."""


async def approve_change(options: CommandOptions, *, name: str, wait: float, confirm: Confirm, echo: Echo) -> bool:
    """Runs `seatpool approve`. Returns False if the user does not confirm, or if it has no effect within `wait` seconds."""
    async with connect(options) as cluster:
        seen = await _read(cluster, with_users=True)
        server = server_named(seen, name)
        change = approval_request(seen, server)
        echo(f"{_server_and_pools(seen, server)}; the guard weighs their changes together.")
        for line in _preview(change, cluster.times):
            echo(line)
        if not confirm(f"Let it happen on LicenseServer {server.key}?"):
            echo("Nothing was changed.")
            return False
        await _annotate(cluster.kube, server, APPROVE_CHANGE, change.token)
        if not wait:
            echo(f"Approved change {change.token}. To see what comes of it: seatpool status")
            return True
        found = await _until(cluster.kube, server, lambda now: _outcome(now, change), seconds=wait)
    echo(
        found
        or f"Within {wait:g} s the operator did not take the approval of change {change.token}; see: seatpool status"
    )
    return found is not None


def _outcome(server: LicenseServer, change: ApprovalRequest) -> str | None:
    """Returns what came of an approval. None: nothing yet."""
    guard = server.status.guard
    if guard.approved == change.token:
        held = "" if guard.held is None else f" Another change is held back since: {guard.held}."
        return f"The change {change.token} is made.{held} To see it: seatpool status"
    if guard.held is None:
        return "No change is held back any more: the users have come back, or so few leave that the guard lets them go."
    return None


async def set_suspended(options: CommandOptions, *, name: str, suspended: bool, echo: Echo) -> bool:
    """Runs `seatpool pause` and `seatpool resume`."""
    async with connect(options) as cluster:
        target = pool_or_server(await _read(cluster), name)
        if target.spec.suspend is suspended:
            echo(
                f"{target.kind} {target.key} is {'suspended already' if suspended else 'not suspended'}; nothing to do."
            )
            return True
        await _suspend(cluster.kube, target, suspended=suspended)
    echo(f"{target.kind} {target.key} is {'suspended: its list stays as it is' if suspended else 'running again'}.")
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

        def read_back(now: LicenseServer) -> str | None:
            verified = now.status.last_verified
            if verified is None or verified < since.replace(microsecond=0):
                return None
            return f"The lists of LicenseServer {server.key} were read back at {cluster.times.format_time(verified)}."

        found = await _until(cluster.kube, server, read_back, seconds=wait)
    echo(found or f"Within {wait:g} s the lists of LicenseServer {server.key} were not read back; see: seatpool status")
    return found is not None


async def _until(
    kube: KubeClient, server: LicenseServer, outcome: Callable[[LicenseServer], str | None], *, seconds: float
) -> str | None:
    """Reads the server until it has an outcome, and returns that. None: it had none in time. Raises KubeError."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    with progress("Waiting for the operator"):
        while clock() < deadline:
            raw = await kube.get(LicenseServer, server.metadata.namespace, server.metadata.name)
            found = outcome(LicenseServer.model_validate(raw))
            if found is not None:
                return found
            await asyncio.sleep(POLL_INTERVAL)
    return None


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
    lines = [f"Held back since {times.format_time(change.since)}: {change.message.partition('; ')[0]}."]
    for pool, users in _by_pool(change.leaving).items():
        gone = [user for user in users if user in change.without_workbench]
        stopped = [user for user in users if user not in change.without_workbench]
        lines.append(f"  {pool}: {len(users)} lose their seats")
        lines += [f"    workbenches stopped: {format_names(stopped, most=20)}"] if stopped else []
        lines += [f"    no Workbench is left: {format_names(gone, most=20)}"] if gone else []
    if not change.leaving:
        lines.append("  Nobody of those whom the operator showed would lose a seat any more.")
    for pool, users in _by_pool(change.held_on).items():
        lines.append(f"  {pool}: {len(users)} came to leave later and are not approved: {format_names(users, most=20)}")
    return lines


def _by_pool(pairs: tuple[tuple[str, str], ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pool, user in pairs:
        found.setdefault(pool, []).append(user)
    return found
