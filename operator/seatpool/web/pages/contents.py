"""Collects what each page shows, from the answers of the API, as far as its reader may see it. No page asks for more."""

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from seatpool.api.licensepool import LicensePool
from seatpool.explain.overview import PoolLine
from seatpool.text import TimeFormat
from seatpool.web.answers import STATUS_FRESH
from seatpool.web.cluster import FRESH
from seatpool.web.pages.admin_answer import Sight, admin_answer, sight_of
from seatpool.web.pages.fragments import Fragment, container
from seatpool.web.pages.reader import Reader
from seatpool.web.pages.rendering import part
from seatpool.web.pages.views.pool import PoolRow, pool_row, pool_view
from seatpool.web.pages.views.seat import my_seats
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.stream import me_of
from seatpool.web.visible_users import VisibleUsers

_NO_TIMES = TimeFormat(zone=UTC, now=datetime(2000, 1, 1, tzinfo=UTC))
MOST_POOLS = 500
"""Pools that a page shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content of a page."""

    title: str
    fragments: tuple[Fragment, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    """What its template needs beyond the fragments. It does not change while the page is open."""


async def seat_content(reader: Reader, _target: str) -> Content:
    """Returns the page of the reader's own seats."""
    service, times = reader.service, reader.times
    pools = service.cluster.store.pools
    me = me_of(service, reader.caller, reader.zone)
    named = () if me.answer is None else (one.pool for one in me.answer.pools)
    view = my_seats(me, {key: pools[key].spec.product for key in named if key in pools})
    cards = (Fragment(f"seat:{one.pool}", part("_seat.html.jinja", one, times)) for one in view.seats)
    rows = (Fragment(f"workbench:{row.key}", part("_workbench.html.jinja", row, times)) for row in view.workbenches)
    return Content(
        title="My seats",
        fragments=(
            Fragment("news", part("_news.html.jinja", view.news, times)),
            container("div", "seats", cards, class_="cards"),
            Fragment("remarks", part("_remarks.html.jinja", view.remarks, times)),
            _rows("workbenches", rows, 4, "No workbench"),
        ),
        values={"view": view},
    )


async def pools_content(reader: Reader, _target: str) -> Content:
    """Returns the page of all pools that the reader may list."""
    keys = await reader.pools()

    def compute() -> Content:
        rows = [pool_row(line) for line in _lines(reader, keys)]
        more = max(0, len(rows) - MOST_POOLS)
        return Content(title="Pools", fragments=(_pool_rows(reader, rows),), values={"more": more})

    cluster = reader.service.cluster
    versions = tuple(cluster.pool_version(key) for key in keys)
    return _shared(reader, ("pools", keys), versions, compute)


async def pool_content(reader: Reader, target: str) -> Content:
    """Returns the page of one pool."""
    service = reader.service
    namespace, _, name = target.partition("/")
    if not await service.authorizer.may_get(reader.caller, LicensePool, namespace, name):
        raise Refusal(ProblemId.FORBIDDEN, verb="get", resource="licensepools", where=f"namespace {namespace}")
    found = service.cluster.store.pools.get(target)
    if found is None:
        raise Refusal(ProblemId.NOT_FOUND, kind="LicensePool", name=target, list="/pools")
    visible = await reader.visible(found)
    pool = service.cluster.store.pools.get(target, found)
    version = service.cluster.pool_version(target)
    return _shared(reader, ("pool", target, visible), version, lambda: _pool(reader, pool, visible))


def _pool(reader: Reader, pool: LicensePool, visible: VisibleUsers) -> Content:
    times, view = reader.times, pool_view(reader.service.answers.pool(pool, visible, reader.zone))
    holders = (
        Fragment(f"holder:{index}", part("_holder.html.jinja", (index, one, one.user == visible.own), times))
        for index, one in enumerate(view.holders)
    )
    waiting = (
        Fragment(f"waiter:{index}", part("_waiter.html.jinja", (index, one, one.user == visible.own), times))
        for index, one in enumerate(view.waiting)
    )
    return Content(
        title=view.row.product,
        fragments=(
            Fragment("news", part("_news.html.jinja", view.answer, times)),
            Fragment("summary", part("_pool_summary.html.jinja", replace(view, holders=(), waiting=()), times)),
            _rows("waiting", waiting, 5, "Nobody waits"),
            _rows("holders", holders, 4, "Nobody has a seat"),
            Fragment("rules", part("_rules.html.jinja", view.rules, times)),
        ),
        values={"view": view},
    )


async def admin_content(reader: Reader, _target: str) -> Content:
    """Returns the page of an admin: who may list license servers."""
    sight = await sight_of(reader)
    version = reader.service.cluster.version
    return _shared(reader, ("admin", sight), version, lambda: _admin(reader, sight), fresh=STATUS_FRESH)


def _admin(reader: Reader, sight: Sight) -> Content:
    times, view = reader.times, admin_answer(reader, sight)
    servers = (Fragment(one.id, part("_server.html.jinja", one, times)) for one in view.servers)
    lists = (Fragment(one.id, part("_list.html.jinja", one, times)) for one in view.lists)
    held = (Fragment(f"held:{one.server}", part("_held.html.jinja", one, times)) for one in view.held)
    return Content(
        title="Admin",
        fragments=(
            Fragment("news", part("_news.html.jinja", view.headline, times)),
            Fragment("verdict", part("_verdict.html.jinja", (view.badge, view.headline), times)),
            container("div", "held", held),
            Fragment("troubles", part("_troubles.html.jinja", (view.troubles, view.notes), times)),
            _rows("servers", servers, 8, "No license server"),
            Fragment("operators", part("_operators.html.jinja", view.operators, times)),
            _rows("lists", lists, 6, "No list"),
            _pool_rows(reader, list(view.pools)),
        ),
    )


def _shared(
    reader: Reader, name: Hashable, version: Hashable, compute: Callable[[], Content], *, fresh: float = FRESH
) -> Content:
    """Returns what all readers see who may see the same, made once for them."""
    return reader.service.cluster.computed(
        ("page", name, str(reader.zone)), version, compute, fresh=fresh,
        lines=lambda found: sum(1 + len(one.rows) for one in found.fragments),
    )  # fmt: skip


def _lines(reader: Reader, keys: tuple[str, ...]) -> list[PoolLine]:
    found = (reader.service.answers.pool_line(key) for key in keys)
    return sorted((line for line in found if line is not None), key=lambda line: line.urgency)


def _pool_rows(reader: Reader, rows: list[PoolRow]) -> Fragment:
    made = (Fragment(row.id, part("_pool_row.html.jinja", row, reader.times)) for row in rows[:MOST_POOLS])
    return _rows("pools", made, 5, "No pool")


def _rows(id: str, rows: Iterable[Fragment], columns: int, none: str) -> Fragment:  # noqa: A002
    """Returns the body of a table, with a row that says so if there is none."""
    found = tuple(rows) or (Fragment(f"{id}:none", part("_none.html.jinja", (f"{id}:none", columns, none), _NO_TIMES)),)
    return container("tbody", id, found)


CONTENTS: Mapping[str, Callable[[Reader, str], Awaitable[Content]]] = {
    "seat": seat_content,
    "pools": pools_content,
    "pool": pool_content,
    "admin": admin_content,
}
"""The pages that change while they are open, by the name that the stream has for them."""
