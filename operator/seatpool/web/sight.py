"""Finds out which objects and which users' names a caller may see, for the answers that look at everything."""

from collections.abc import Collection

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.web.answers import Seen
from seatpool.web.authorization import Scope
from seatpool.web.caller import Caller
from seatpool.web.service import Service
from seatpool.web.visible_users import ALL_NAMED, VisibleUsers


async def seen_by(service: Service, caller: Caller, *, namespace: str | None = None) -> Seen:
    """Returns the objects that a caller may list, in one namespace or in all."""
    store = service.cluster.store

    async def scope(kind: type[Resource], keys: Collection[str]) -> Scope:
        every = {key.partition("/")[0] for key in keys}
        return await service.authorizer.scope(caller, kind, every if namespace is None else {namespace})

    return Seen(
        licensepools=await scope(LicensePool, store.pools),
        licenseservers=await scope(LicenseServer, store.servers),
        workbench_scope=await scope(Workbench, store.workbenches),
        namespace=namespace,
    )


async def visible_by_pool(service: Service, caller: Caller, seen: Seen) -> dict[str, VisibleUsers]:
    """Returns what a caller may see of the users of each pool that it may list, sorted by pool."""
    own, found = service.own_user_only(caller), {}
    for key, pool in sorted(service.cluster.store.pools.items()):
        if seen.pools(key):
            found[key] = ALL_NAMED if await service.authorizer.may_see_names(caller, pool) else own
    return found


async def visible_everywhere(service: Service, caller: Caller, seen: Seen) -> VisibleUsers:
    """Returns what a caller may see of users in a text that can be about any pool or server that it may list."""
    store = service.cluster.store
    keys = [*filter(seen.pools, store.pools), *filter(seen.servers, store.servers)]
    namespaces = {key.partition("/")[0] for key in keys}
    if await service.authorizer.may_see_names_in(caller, namespaces, tuple(store.pools.values())):
        return ALL_NAMED
    return service.own_user_only(caller)
