"""Computes what an admin sees: the answer of `/api/v1/status`, held changes and lists, as far as the reader may see them."""

from dataclasses import dataclass, replace

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.domain.errors import SeatpoolError
from seatpool.explain.held_change import approval_request
from seatpool.explain.list_diff import Diff, diff
from seatpool.web.answers import Seen
from seatpool.web.pages.reader import Reader
from seatpool.web.pages.views.admin import AdminView, HeldChange, ListRow, admin_view, held_change, list_row
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.sight import seen_by, visible_by_pool, visible_everywhere
from seatpool.web.visible_users import ASK, VisibleUsers

MOST_LISTS = 500
"""Lists that a page shows."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What a reader may see of the cluster."""

    seen: Seen
    pools: tuple[tuple[str, VisibleUsers], ...]
    """What the reader may see of the users of each pool."""
    everywhere: VisibleUsers
    """The same, in a text that can be about any pool."""

    def of(self, pool: str) -> VisibleUsers:
        """Returns what the reader may see of the users of a pool."""
        return dict(self.pools).get(pool, self.everywhere)


async def sight_of(reader: Reader) -> Sight:
    """Returns what a reader may see. Raises Refusal if the reader may list no LicenseServers at all."""
    service, caller = reader.service, reader.caller
    seen = await seen_by(service, caller)
    if not seen.licenseservers:
        raise Refusal(ProblemId.FORBIDDEN, verb="list", resource=LicenseServer.plural, where="a namespace")
    pools = await visible_by_pool(service, caller, seen)
    return Sight(seen, tuple(pools.items()), await visible_everywhere(service, caller, seen))


def admin_answer(reader: Reader, sight: Sight) -> AdminView:
    """Returns what the page of an admin shows."""
    service = reader.service
    found = service.answers.status(sight.seen, sight.everywhere, service.leases(), reader.zone)
    lines = (service.answers.pool_line(key) for key, _ in sight.pools)
    pools = sorted((line for line in lines if line is not None), key=lambda line: line.urgency)
    return admin_view(replace(found, pools=tuple(pools)), _held(reader, sight), _lists(reader, sight))


def _held(reader: Reader, sight: Sight) -> tuple[HeldChange, ...]:
    cluster, found = reader.service.cluster, []
    for key, server in sorted(cluster.store.servers.items()):
        if server.status.guard.held is None or not sight.seen.servers(key):
            continue
        try:
            request = approval_request(cluster.snapshot(), server)
        except SeatpoolError:
            continue  # nothing is held, or by an older operator: its problem is shown
        named = {pool: sight.of(pool) for pool, _ in request.leaving}
        if not sight.everywhere.all_named:
            request = replace(request, message=ASK)
        found.append(held_change(request, named, lambda user: bool(cluster.subject(user).rows)))
    return tuple(found)


def _lists(reader: Reader, sight: Sight) -> tuple[ListRow, ...]:
    store, found = reader.service.cluster.store, []
    for key, visible in sight.pools[:MOST_LISTS]:
        pool = store.pools.get(key)
        if pool is not None:
            found.append(list_row(_compared(reader, pool), visible))
    return tuple(sorted(found, key=lambda row: row.difference == ""))


def _compared(reader: Reader, pool: LicensePool) -> Diff:
    cluster = reader.service.cluster
    return cluster.computed(
        ("diff", pool.key, str(reader.zone)),
        cluster.pool_version(pool.key),
        lambda: replace(diff(cluster.snapshot(), pool, times=reader.times), users=()),
    )
