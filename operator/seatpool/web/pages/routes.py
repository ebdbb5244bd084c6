"""Defines the pages. Each asks for the rights that the same answer of the API needs.

As in the API, the router asks who the reader is before every page. Signing in is in `sign_in`, because nobody is known there.
"""

from contextlib import ExitStack
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.web.pages.charts import concurrency, seats_curve, wait_bars, week_map, within
from seatpool.web.pages.contents import CONTENTS, Content
from seatpool.web.pages.live import PageFeed
from seatpool.web.pages.reader import Reader, reader_of
from seatpool.web.pages.rendering import page_response
from seatpool.web.pages.svg import NARROW, WIDE
from seatpool.web.pages.views.buyer import PlanView, plan_view, usage_answer
from seatpool.web.pages.views.developer import KEYS, calls
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.routes import EventStream
from seatpool.web.routing import Authenticated, Name, Namespace, authenticated, service_of
from seatpool.web.usage import Plan, Usage

router = APIRouter(dependencies=[Depends(authenticated)], include_in_schema=False, default_response_class=Response)
RANGES = (("7d", "7 days"), ("30d", "30 days"), ("90d", "90 days"), ("365d", "a year"))
USUAL_RANGE = "30d"
Target = Annotated[str, Query(max_length=320)]


@router.get("/")
async def seat_page(request: Request, caller: Authenticated) -> Response:
    """Shows the reader's own seats. It needs no right."""
    return await _live_page(request, reader_of(request, service_of(request), caller), "seat", "My seats")


@router.get("/pools")
async def pools_page(request: Request, caller: Authenticated) -> Response:
    """Shows the pools that the reader may list."""
    return await _live_page(request, reader_of(request, service_of(request), caller), "pools", "Pools")


@router.get("/pools/{namespace}/{name}")
async def pool_page(request: Request, caller: Authenticated, namespace: Namespace, name: Name) -> Response:
    """Shows one pool. Its address stays the same, so a portal can link to it."""
    reader = reader_of(request, service_of(request), caller)
    return await _live_page(request, reader, "pool", "Pools", f"{namespace}/{name}")


@router.get("/admin")
async def admin_page(request: Request, caller: Authenticated) -> Response:
    """Shows what needs a hand. The reader may list LicenseServers."""
    return await _live_page(request, reader_of(request, service_of(request), caller), "admin", "Admin")


@router.get("/buyer")
async def buyer_page(
    request: Request,
    caller: Authenticated,
    pool: Target = "",
    since: Annotated[str, Query(pattern="^(7d|30d|90d|365d)$")] = USUAL_RANGE,
    seats: Annotated[int | None, Query(ge=0, le=1_000_000)] = None,
    plan: Annotated[str, Query(pattern="^(yes)?$")] = "",
) -> Response:
    """Shows how a pool was used, and with `plan` what other numbers of seats would have given. It names no user."""
    reader = reader_of(request, service_of(request), caller)
    keys = await reader.pools()
    chosen = pool or max(keys, key=lambda key: _waiting(reader, key), default="")
    values: dict[str, Any] = {
        "pools": keys if not chosen or chosen in keys else (*keys, chosen), "pool": chosen, "since": since, "ranges": RANGES,
        "plan_url": "/buyer?" + urlencode({"pool": chosen, "since": since, "plan": "yes"}), "within": within,
        "usage": None, "plan": None, "problem": None, "plan_problem": None, "charts": {},
    }  # fmt: skip
    try:
        found = await _pool(reader, chosen)
        past = reader.service.past
        if past is None:
            raise Refusal(ProblemId.NO_HISTORY)
        usage = await past.usage(found, since=since, zone=reader.zone)
        values |= {"usage": usage, "answer": usage_answer(usage), "charts": _charts(usage, reader, found.spec.product)}
        if plan and not usage.steps:
            plan = ""
    except Refusal as refusal:
        if refusal.id in (ProblemId.FORBIDDEN, ProblemId.NOT_FOUND):
            raise
        values["problem"] = refusal.details(audience=reader.service.settings.audience)
        return await _page(request, reader, "buyer.html.jinja", "Usage", "Usage", **values)
    if plan:
        try:
            made = await past.plan(found, since=since, zone=reader.zone)
        except Refusal as refusal:
            values["plan_problem"] = refusal.details(audience=reader.service.settings.audience)
        else:
            view = plan_view(made, seats)
            values |= {"plan": view, "target": made.target}
            values["charts"] |= _curves(made, view, found.spec.product)
    return await _page(request, reader, "buyer.html.jinja", "Usage", "Usage", **values)


@router.get("/developer")
async def developer_page(request: Request, caller: Authenticated) -> Response:
    """Shows each call of the API, and lets the reader try it. It needs no right."""
    reader = reader_of(request, service_of(request), caller)
    found = calls(request.app.openapi())
    key_call = next((one for one in found if one.path == KEYS and one.method == "POST"), None)
    return await _page(
        request, reader, "developer.html.jinja", "API", "API", calls=found, key_call=key_call,
        audience=reader.service.settings.audience,
    )  # fmt: skip


@router.get("/stream")
async def stream(
    request: Request,
    caller: Authenticated,
    page: Annotated[str, Query(pattern="^(seat|pools|pool|admin)$")],
    target: Target = "",
) -> Response:
    """Sends the elements of a page that change. The reader may see the page."""
    service = service_of(request)
    reader = reader_of(request, service, caller)
    await CONTENTS[page](reader, target)  # a refusal is a response with its status, and no stream
    opened = ExitStack()
    subscription = opened.enter_context(service.streams.opened(caller.limited_as, has_key=caller.key is not None))
    feed = PageFeed(reader=reader, token=request.state.token, page=page, target=target, subscription=subscription)
    return EventStream(feed.events(), opened)


async def _live_page(request: Request, reader: Reader, name: str, section: str, target: str = "") -> Response:
    content: Content = await CONTENTS[name](reader, target)
    query = {"page": name} | ({"target": target} if target else {})
    return await _page(
        request, reader, f"{name}.html.jinja", content.title, section, stream=f"/stream?{urlencode(query)}",
        part={one.id: one.html for one in content.fragments}, **content.values,
    )  # fmt: skip


async def _page(
    request: Request, reader: Reader, template: str, title: str, section: str, *, stream: str = "", **values: Any
) -> Response:
    del request
    return page_response(
        template, title=title, section=section, sections=await _sections(reader), reader=reader.service.shown_name(reader.caller),
        can_sign_out=reader.can_sign_out, zone_name=str(reader.zone), zone_text=reader.zone_text, times=reader.times,
        stream=stream, **values,
    )  # fmt: skip


async def _sections(reader: Reader) -> list[tuple[str, str]]:
    """Returns the names and addresses of the pages that the reader may open."""
    service, store = reader.service, reader.service.cluster.store
    found = [("My seats", "/")]
    for kind, keys, sections in (
        (LicensePool, store.pools, [("Pools", "/pools"), ("Usage", "/buyer")]),
        (LicenseServer, store.servers, [("Admin", "/admin")]),
    ):
        namespaces = {key.partition("/")[0] for key in keys}
        if await service.authorizer.scope(reader.caller, kind, namespaces):
            found += sections
    key = reader.caller.key
    return [(name, path) for name, path in (*found, ("API", "/developer")) if key is None or key.opens("GET", path)]


def _waiting(reader: Reader, key: str) -> int:
    line = reader.service.answers.pool_line(key)
    return (line.waiting if line is not None else None) or 0


async def _pool(reader: Reader, key: str) -> LicensePool:
    """Returns a pool that the reader may get. Raises Refusal."""
    namespace, _, name = key.partition("/")
    service = reader.service
    if not await service.authorizer.may_get(reader.caller, LicensePool, namespace, name):
        raise Refusal(ProblemId.FORBIDDEN, verb="get", resource="licensepools", where=f"namespace {namespace}")
    found = service.cluster.store.pools.get(key)
    if found is None:
        raise Refusal(ProblemId.NOT_FOUND, kind="LicensePool", name=key, list="/pools")
    return found


def _charts(usage: Usage, reader: Reader, product: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    seats = usage.seats[-1].seats if usage.seats else None
    for suffix, width in (("", WIDE), ("_narrow", NARROW)):
        if usage.steps:
            found[f"time{suffix}"] = concurrency(
                f"c-time{suffix}", usage, zone=reader.zone, width=width, product=product
            )
        if usage.week:
            found[f"week{suffix}"] = week_map(f"c-week{suffix}", usage.week, seats=seats, width=width, product=product)
        found[f"waits{suffix}"] = wait_bars(f"c-waits{suffix}", usage.waits, width=width, product=product)
    return found


def _curves(plan: Plan, view: PlanView, product: str) -> dict[str, Any]:
    if not plan.points:
        return {}
    chosen = view.chosen.seats if view.chosen is not None else None
    return {
        f"curve{suffix}": seats_curve(
            f"c-curve{suffix}", plan.points, now=plan.seats_now, chosen=chosen, width=width, product=product
        )
        for suffix, width in (("", WIDE), ("_narrow", NARROW))
    }
