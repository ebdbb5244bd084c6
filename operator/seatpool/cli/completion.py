"""Completes names from the cluster: pools, servers, users and namespaces, and the names in the kubeconfig.

A completion must never be in the way. If the API server does not answer within a moment, nothing is offered.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seatpool.cli.cluster import ClusterAccess

LONGEST = 2.0
"""Seconds that a user waits for names at most."""


def pools(ctx: Any, incomplete: str) -> list[str]:
    """Returns names of LicensePools."""
    from seatpool.api.licensepool import LicensePool

    return _asked(ctx, incomplete, lambda cluster: _object_names(cluster, LicensePool))


def pools_and_servers(ctx: Any, incomplete: str) -> list[str]:
    """Returns names of LicensePools and LicenseServers. A name that both have is written with its kind."""
    from seatpool.api.licensepool import LicensePool
    from seatpool.api.licenseserver import LicenseServer

    async def read(cluster: "ClusterAccess") -> list[str]:
        of_pools, of_servers = await asyncio.gather(
            _object_names(cluster, LicensePool), _object_names(cluster, LicenseServer)
        )
        both = set(of_pools) & set(of_servers)
        plain = [name for name in {*of_pools, *of_servers} if name not in both]
        return plain + [f"{kind}/{name}" for name in both for kind in ("pool", "server")]

    return _asked(ctx, incomplete, read)


def users(ctx: Any, incomplete: str) -> list[str]:
    """Returns the users who own workbenches."""

    async def read(cluster: "ClusterAccess") -> list[str]:
        from seatpool.explain.workbench_table import read_rows

        rows = await read_rows(cluster.kube, namespace=cluster.namespace, identity=cluster.identity)
        return [row.user for row in rows if row.user is not None]

    return _asked(ctx, incomplete, read)


def pools_and_users(ctx: Any, incomplete: str) -> list[str]:
    """Returns names of LicensePools and of users."""
    return sorted({*pools(ctx, incomplete), *users(ctx, incomplete)})


def namespaces(ctx: Any, incomplete: str) -> list[str]:
    """Returns the namespaces of the cluster. If the caller may not list them, those of the kubeconfig."""

    async def read(cluster: "ClusterAccess") -> list[str]:
        from seatpool.kube.errors import KubeError

        try:
            return await cluster.kube.namespaces()
        except KubeError:
            return list(_kubeconfig(ctx).namespaces)

    return _asked(ctx, incomplete, read)


def contexts(ctx: Any, incomplete: str) -> list[str]:
    """Returns the contexts of the kubeconfig."""
    return _quiet(lambda: _kubeconfig(ctx).names("contexts"), incomplete)


def clusters(ctx: Any, incomplete: str) -> list[str]:
    """Returns the clusters of the kubeconfig."""
    return _quiet(lambda: _kubeconfig(ctx).names("clusters"), incomplete)


def kubeconfig_users(ctx: Any, incomplete: str) -> list[str]:
    """Returns the users of the kubeconfig."""
    return _quiet(lambda: _kubeconfig(ctx).names("users"), incomplete)


def _asked(ctx: Any, incomplete: str, read: Callable[["ClusterAccess"], Any]) -> list[str]:
    from seatpool.cli.cluster import CommandOptions, connect
    from seatpool.cli.cluster_options import shared_values

    async def names() -> list[str]:
        async with asyncio.timeout(LONGEST), connect(CommandOptions.read(**shared_values(ctx.params))) as cluster:
            found: list[str] = await read(cluster)
            return found

    return _quiet(lambda: asyncio.run(names()), incomplete)


def _quiet(names: Callable[[], Iterable[str]], incomplete: str) -> list[str]:
    from seatpool.domain.errors import SeatpoolError
    from seatpool.text import natural_key

    try:
        found = {name for name in names() if name.startswith(incomplete) and name.isprintable() and " " not in name}
    except (SeatpoolError, OSError, ValueError):  # TimeoutError is an OSError
        return []
    return sorted(found, key=natural_key)


async def _object_names(cluster: "ClusterAccess", kind: Any) -> list[str]:
    """Returns the names of the objects, with the namespace if all namespaces are looked at."""
    found = [one["metadata"] for one in await cluster.kube.list_cached(kind, namespace=cluster.namespace)]
    return [str(one["name"]) if cluster.namespace is not None else f"{one['namespace']}/{one['name']}" for one in found]


def _kubeconfig(ctx: Any) -> Any:
    from seatpool.cli.cluster import CommandOptions
    from seatpool.cli.cluster_options import shared_values
    from seatpool.kube.kubeconfig import Kubeconfig

    return Kubeconfig(CommandOptions.read(**shared_values(ctx.params)).choice)
