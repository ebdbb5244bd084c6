"""Computes what an admin sees: the overview of `seatpool status`, held changes and lists, as far as the reader may see them.

A text that may name users is shown as it is only to who may see the names of all pools that it can be about.
"""

from dataclasses import dataclass, replace

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.held_change import approval_request
from seatpool.explain.list_diff import diff
from seatpool.explain.operator_life import operator_lives
from seatpool.explain.overview import Overview, overview
from seatpool.web.cluster import rows_of
from seatpool.web.pages.reader import Reader
from seatpool.web.pages.views.admin import AdminView, HeldChange, ListRow, admin_view, held_change, list_row
from seatpool.web.visible_users import ASK, VisibleUsers

MOST_LISTS = 500
"""Lists that a page shows."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader may see of the cluster."""

    servers: tuple[str, ...]
    pools: tuple[str, ...]
    visible: tuple[VisibleUsers, ...]
    """By pool."""
    own: VisibleUsers
    """What the reader may see of the users of any other pool."""
    every_name: bool
    """Whether the reader may see the names of all users in the namespaces of these servers and pools."""
    everything: bool
    """Whether the reader may list all servers, pools and workbenches."""

    def of(self, pool: str) -> VisibleUsers:
        """Returns what the reader may see of the users of a pool."""
        return self.visible[self.pools.index(pool)] if pool in self.pools else self.own


async def sight_of(reader: Reader) -> Sight:
    """Returns what a reader may see. Raises Refusal if the reader may list no LicenseServers at all."""
    service, store = reader.service, reader.service.cluster.store
    servers = await reader.servers()
    may_list = await service.authorizer.scope(
        reader.caller, LicensePool, {key.partition("/")[0] for key in store.pools}
    )
    pools = {key: pool for key, pool in sorted(store.pools.items()) if key.partition("/")[0] in may_list}
    visible = [await reader.visible(pool) for pool in pools.values()]
    every_server = (await service.authorizer.scope(reader.caller, LicenseServer, ())).everywhere
    every_workbench = (await service.authorizer.scope(reader.caller, Workbench, ())).everywhere
    every_name = await service.authorizer.may_see_names_in(
        reader.caller, {key.partition("/")[0] for key in (*servers, *pools)}, tuple(store.pools.values())
    )
    return Sight(
        servers=servers,
        pools=tuple(pools),
        visible=tuple(visible),
        own=service.own_user_only(reader.caller),
        every_name=every_name,
        everything=may_list.everywhere and every_server and every_workbench and (every_name or not pools),
    )


def admin_answer(reader: Reader, sight: Sight) -> AdminView:
    """Returns what the page of an admin shows."""
    cluster, store, times = reader.service.cluster, reader.service.cluster.store, reader.times
    snapshot = cluster.snapshot()
    if sight.everything:
        snapshot = replace(snapshot, rows=tuple(rows_of(cluster, cluster.workbench_keys())))
    servers = [store.servers[key] for key in sight.servers if key in store.servers]
    lives = operator_lives(servers, reader.service.leases(), identity=store.identity, times=times)
    found = overview(snapshot, lives=lives, times=times, only=None if sight.everything else frozenset(sight.pools))
    return admin_view(_seen(found, sight), _held(reader, sight, servers), _lists(reader, sight))


def _seen(found: Overview, sight: Sight) -> Overview:
    """Returns the overview without what the reader may not see."""
    if sight.everything:
        return found
    servers = tuple(one for one in found.servers if one.name in sight.servers)
    found = replace(found, unreadable=(), servers=servers)
    if sight.every_name:
        return found
    return replace(found, problems=sight.own.problems(found.problems), notes=sight.own.problems(found.notes))


def _held(reader: Reader, sight: Sight, servers: list[LicenseServer]) -> tuple[HeldChange, ...]:
    cluster, found = reader.service.cluster, []
    for server in servers:
        if server.status.guard.held is None:
            continue
        try:
            request = approval_request(cluster.snapshot(), server)
        except SeatpoolError:
            continue  # nothing is held, or by an older operator: its problem is shown
        named = {pool: sight.of(pool) for pool, _ in request.leaving}
        if not sight.every_name:
            request = replace(request, message=ASK)
        found.append(held_change(request, named, lambda user: bool(cluster.subject(user).rows)))
    return tuple(found)


def _lists(reader: Reader, sight: Sight) -> tuple[ListRow, ...]:
    cluster, found = reader.service.cluster, []
    for key, visible in zip(sight.pools[:MOST_LISTS], sight.visible, strict=False):
        pool = cluster.store.pools.get(key)
        if pool is not None:
            found.append(list_row(diff(cluster.snapshot(), pool, times=reader.times), visible))
    return tuple(sorted(found, key=lambda row: row.difference == ""))
