"""Defines the routes that read. Each says what it needs, what it answers, and how it is described.

Those of keys are in `keys/routes`.
"""

from collections.abc import AsyncIterable, Collection, Mapping
from contextlib import ExitStack
from typing import Annotated

from fastapi import Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from seatpool.api.base import Resource
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.workbench import Workbench
from seatpool.explain.overview import Overview
from seatpool.explain.why import Explanation
from seatpool.web.answers import Me, PoolAnswer, PoolsPage, ServersPage, WorkbenchesPage
from seatpool.web.authentication import Caller
from seatpool.web.authorization import Scope
from seatpool.web.history import USUAL_TARGET, HistoryAnswers
from seatpool.web.keys import routes as _key_routes  # noqa: F401 - they are on the same router
from seatpool.web.paging import USUAL_PAGE, page_of
from seatpool.web.problems import ProblemId, Refusal
from seatpool.web.replies import reply
from seatpool.web.routing import (
    DESCRIBED,
    PREFIX,
    Authenticated,
    Cursor,
    Described,
    Limit,
    Name,
    Namespace,
    authenticated,
    router,
    service_of,
)
from seatpool.web.routing import get as _get
from seatpool.web.service import Service, read_zone
from seatpool.web.sight import seen_by, visible_everywhere
from seatpool.web.stream import Feed, me_of
from seatpool.web.usage import Plan, Usage
from seatpool.web.visible_users import ALL_NAMED

STREAM = "text/event-stream"
__all__ = ["DESCRIBED", "PREFIX", "STREAM", "Described", "authenticated", "router"]
TimeZone = Annotated[
    str, Query(alias="timeZone", max_length=64, description="Zone of the times in sentences, such as Europe/Berlin.")
]
InNamespace = Annotated[
    str | None, Query(max_length=63, description="Only this namespace. Default: all that the caller may see.")
]
Pool = Annotated[
    str,
    Query(
        max_length=317,
        pattern="^[a-z0-9-]+/[a-z0-9.-]+$",
        description="Namespace and name of the pool, such as lab/matlab.",
    ),
]
Since = Annotated[
    str | None,
    Query(max_length=64, description="A day, an instant, or a length before the end such as 90d. Default: 30 days."),
]
Until = Annotated[str | None, Query(max_length=64, description="A day or an instant. Default: the end of the history.")]
Target = Annotated[str, Query(max_length=128, description="What each need should get, as in `seatpool plan --target`.")]
User = Annotated[str, Path(max_length=256, description="User id, or the owner of a workbench in any spelling.")]


_OF_HISTORY = (
    ProblemId.FORBIDDEN,
    ProblemId.NOT_FOUND,
    ProblemId.NO_HISTORY,
    ProblemId.TOO_MUCH_HISTORY,
    ProblemId.HISTORY_BUSY,
    ProblemId.HISTORY_UNREADABLE,
)


@_get("/me", "The caller's own seats", Me, ProblemId.BAD_PARAMETER)
async def me(request: Request, caller: Authenticated, time_zone: TimeZone = "UTC") -> Response:
    """Tells whether the caller has a seat, the place in line, the likely time, and why. Every caller may ask it."""
    return reply(request, me_of(service_of(request), caller, read_zone(time_zone)))


@_get("/users/{user}", "The seats of a user", Explanation, ProblemId.BAD_PARAMETER, ProblemId.FORBIDDEN)
async def user(request: Request, caller: Authenticated, user: User, time_zone: TimeZone = "UTC") -> Response:
    """Explains why a user has a seat or none, in the pools whose users the caller may see.

    A pool counts if the caller may list the SeatLedgers of its namespace and the Workbenches of the namespaces that it serves.
    A user who is in none of these looks like one who does not exist.
    """
    service, zone = service_of(request), read_zone(time_zone)
    cluster = service.cluster
    found, own = cluster.store.identity.user_or_problem(user)[0] or user, service.own_user_only(caller)
    if found == own.own:
        return reply(request, service.answers.user(found, own, zone))
    pools = tuple(cluster.store.pools.values())
    allowed = {pool.key for pool in pools if await service.authorizer.may_see_names(caller, pool)}
    if not allowed:
        raise Refusal(
            ProblemId.FORBIDDEN, verb="list", resource="seatledgers and workbenches", where="the namespace of a pool"
        )
    rows = await service.authorizer.scope(caller, Workbench, _namespaces(cluster.store.workbenches))
    return reply(
        request,
        service.answers.user(found, ALL_NAMED, zone, pools=frozenset(allowed), rows=rows),
    )


@_get("/pools", "Pools, page by page", PoolsPage, ProblemId.BAD_PARAMETER, ProblemId.BAD_CURSOR, ProblemId.FORBIDDEN)
async def pools(request: Request, caller: Authenticated, cursor: Cursor = None, limit: Limit = USUAL_PAGE) -> Response:
    """Lists the pools of the namespaces in which the caller may list LicensePools."""
    service = service_of(request)
    keys = service.cluster.store.pools
    scope = await _scope(service, caller, LicensePool, keys)
    return reply(request, service.answers.pools_json(page_of(_within(scope, keys), cursor=cursor, limit=limit)))


@_get(
    "/pools/{namespace}/{name}",
    "One pool",
    PoolAnswer,
    ProblemId.BAD_PARAMETER,
    ProblemId.FORBIDDEN,
    ProblemId.NOT_FOUND,
)
async def pool(
    request: Request, caller: Authenticated, namespace: Namespace, name: Name, time_zone: TimeZone = "UTC"
) -> Response:
    """Shows seats, waiting line, rules and what comes next. The caller may get this LicensePool.

    Names of other users are shown to a caller who may also list the SeatLedgers of its namespace and the Workbenches of the
    namespaces that it serves.
    """
    service, zone = service_of(request), read_zone(time_zone)
    found = await _pool(service, caller, namespace, name)
    all_named = await service.authorizer.may_see_names(caller, found)
    visible = ALL_NAMED if all_named else service.own_user_only(caller)
    found = service.cluster.store.pools.get(found.key, found)
    return reply(request, service.answers.pool_json(found, visible, zone))


@_get("/status", "Whether all is well", Overview, ProblemId.BAD_PARAMETER, ProblemId.FORBIDDEN)
async def status(
    request: Request, caller: Authenticated, namespace: InNamespace = None, time_zone: TimeZone = "UTC"
) -> Response:
    """Shows problems, servers and pools in the namespaces in which the caller may list LicensePools or LicenseServers.

    Owners and types without a seat are those of the Workbenches that the caller may list. Details of problems may name users:
    a caller sees them who may see the names of all users in the namespaces of these pools and servers.
    """
    service, zone = service_of(request), read_zone(time_zone)
    seen = await seen_by(service, caller, namespace=namespace)
    if not seen.licensepools and not seen.licenseservers:
        raise Refusal(ProblemId.FORBIDDEN, verb="list", resource=LicensePool.plural, where="a namespace")
    visible = await visible_everywhere(service, caller, seen)
    return reply(request, service.answers.status(seen, visible, service.leases(), zone))


@_get(
    "/servers",
    "License servers, page by page",
    ServersPage,
    ProblemId.BAD_PARAMETER,
    ProblemId.BAD_CURSOR,
    ProblemId.FORBIDDEN,
)
async def servers(
    request: Request, caller: Authenticated, cursor: Cursor = None, limit: Limit = USUAL_PAGE
) -> Response:
    """Lists the license servers of the namespaces in which the caller may list LicenseServers."""
    service = service_of(request)
    keys = service.cluster.store.servers
    scope = await _scope(service, caller, LicenseServer, keys)
    page = page_of(_within(scope, keys), cursor=cursor, limit=limit)
    return reply(request, service.answers.servers(page, service.leases()))


@_get(
    "/workbenches",
    "Workbenches, page by page",
    WorkbenchesPage,
    ProblemId.BAD_PARAMETER,
    ProblemId.BAD_CURSOR,
    ProblemId.FORBIDDEN,
)
async def workbenches(
    request: Request, caller: Authenticated, cursor: Cursor = None, limit: Limit = USUAL_PAGE
) -> Response:
    """Lists the workbenches of the namespaces in which the caller may list Workbenches, with owner and user."""
    service = service_of(request)
    keys = service.cluster.workbench_keys()
    scope = await _scope(service, caller, Workbench, keys)
    page = page_of(keys if scope.everywhere else _within(scope, keys), cursor=cursor, limit=limit)
    return reply(request, service.answers.workbenches(page))


@_get("/usage", "Usage of a pool", Usage, ProblemId.BAD_PARAMETER, ProblemId.NOTHING_RECORDED, *_OF_HISTORY)
async def usage(
    request: Request,
    caller: Authenticated,
    pool: Pool,
    since: Since = None,
    until: Until = None,
    time_zone: TimeZone = "UTC",
) -> Response:
    """Tells from the recorded history how many seats of a pool were in use, when, and how long users waited for one.

    The caller may get this LicensePool. No user is named.
    """
    zone = read_zone(time_zone)
    found, past = await _with_past(service_of(request), caller, pool)
    return reply(request, await past.usage(found, since=since, until=until, zone=zone))


@_get("/plan", "Enough seats for a pool", Plan, ProblemId.BAD_PARAMETER, ProblemId.NOTHING_RECORDED, *_OF_HISTORY)
async def plan(
    request: Request, caller: Authenticated, pool: Pool, since: Since = None, target: Target = USUAL_TARGET
) -> Response:
    """Replays the recorded past of a pool with other numbers of seats around the present one, by its rules of now.

    The caller may get this LicensePool. No user is named.
    """
    found, past = await _with_past(service_of(request), caller, pool)
    return reply(request, await past.plan(found, since=since, target=target))


@_get("/events", "Changes as they come", None, ProblemId.BAD_PARAMETER, ProblemId.TOO_MANY_STREAMS)
async def events(request: Request, caller: Authenticated, time_zone: TimeZone = "UTC") -> Response:
    """Sends events: `pools` (PoolChanges) for the pools that the caller may list, and `me` (Me) for the own seats.

    The first events have everything, so a client that connects again has missed nothing. Changes of one second come together.
    `end` has a problem and closes the stream: connect again with a new token.
    """
    service, zone = service_of(request), read_zone(time_zone)
    opened = ExitStack()
    subscription = opened.enter_context(service.streams.opened(caller.limited_as, has_key=caller.key is not None))
    feed = Feed(service=service, token=request.state.token, caller=caller, zone=zone, subscription=subscription)
    return EventStream(feed.events(), opened)


class EventStream(StreamingResponse):
    """A response that gives its place among the open streams back, however it ends."""

    def __init__(self, events: AsyncIterable[bytes], opened: ExitStack) -> None:
        super().__init__(events, media_type=STREAM, headers={"X-Accel-Buffering": "no"})
        self._opened = opened

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        with self._opened:
            await super().__call__(scope, receive, send)


@_get("/openapi.json", "This document", None)
async def document(request: Request) -> Response:
    """Returns the OpenAPI document of the API."""
    return reply(request, request.app.openapi())


async def _with_past(service: Service, caller: Caller, key: str) -> tuple[LicensePool, HistoryAnswers]:
    """Returns the pool of that key, and its history. Raises Refusal if the caller may not get it, or if there is none."""
    namespace, _, name = key.partition("/")
    found = await _pool(service, caller, namespace, name)
    if service.past is None:
        raise Refusal(ProblemId.NO_HISTORY)
    return found, service.past


async def _pool(service: Service, caller: Caller, namespace: str, name: str) -> LicensePool:
    if not await service.authorizer.may_get(caller, LicensePool, namespace, name):
        raise Refusal(ProblemId.FORBIDDEN, verb="get", resource="licensepools", where=f"namespace {namespace}")
    found = service.cluster.store.pools.get(f"{namespace}/{name}")
    if found is None:
        raise Refusal(ProblemId.NOT_FOUND, kind="LicensePool", name=f"{namespace}/{name}", list=f"{PREFIX}/pools")
    return found


async def _scope(service: Service, caller: Caller, kind: type[Resource], keys: Collection[str]) -> Scope:
    """Returns where the caller may list a kind. Raises Refusal if that is nowhere."""
    found = await service.authorizer.scope(caller, kind, _namespaces(keys))
    if not found:
        raise Refusal(ProblemId.FORBIDDEN, verb="list", resource=kind.plural, where="a namespace")
    return found


def _namespaces(keys: Collection[str] | Mapping[str, object]) -> set[str]:
    return {key.partition("/")[0] for key in keys}


def _within(scope: Scope, keys: Collection[str] | Mapping[str, object]) -> list[str]:
    return sorted(key for key in keys if key.partition("/")[0] in scope)
