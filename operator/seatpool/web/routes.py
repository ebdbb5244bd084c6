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
from seatpool.explain.why import Explanation
from seatpool.web.answers import Me, PoolAnswer, PoolsPage, ServersPage, WorkbenchesPage
from seatpool.web.authentication import Caller, read_token
from seatpool.web.authorization import Scope
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
from seatpool.web.stream import Feed, me_of
from seatpool.web.visible_users import ALL_NAMED

STREAM = "text/event-stream"
__all__ = ["DESCRIBED", "PREFIX", "STREAM", "Described", "authenticated", "router"]
TimeZone = Annotated[
    str, Query(alias="timeZone", max_length=64, description="Zone of the times in sentences, such as Europe/Berlin.")
]
User = Annotated[str, Path(max_length=256, description="User id, or the owner of a workbench in any spelling.")]


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
    if not await service.authorizer.may_get(caller, LicensePool, namespace, name):
        raise Refusal(ProblemId.FORBIDDEN, verb="get", resource="licensepools", where=f"namespace {namespace}")
    found = service.cluster.store.pools.get(f"{namespace}/{name}")
    if found is None:
        raise Refusal(ProblemId.NOT_FOUND, kind="LicensePool", name=f"{namespace}/{name}", list=f"{PREFIX}/pools")
    all_named = await service.authorizer.may_see_names(caller, found)
    visible = ALL_NAMED if all_named else service.own_user_only(caller)
    found = service.cluster.store.pools.get(found.key, found)
    return reply(request, service.answers.pool_json(found, visible, zone))


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


@_get("/events", "Changes as they come", None, ProblemId.BAD_PARAMETER, ProblemId.TOO_MANY_STREAMS)
async def events(request: Request, caller: Authenticated, time_zone: TimeZone = "UTC") -> Response:
    """Sends events: `pools` (PoolChanges) for the pools that the caller may list, and `me` (Me) for the own seats.

    The first events have everything, so a client that connects again has missed nothing. Changes of one second come together.
    `end` has a problem and closes the stream: connect again with a new token.
    """
    service, zone = service_of(request), read_zone(time_zone)
    token = read_token(request.headers.get("authorization"))
    opened = ExitStack()
    subscription = opened.enter_context(service.streams.opened(caller.limited_as, has_key=caller.key is not None))
    feed = Feed(service=service, token=token, caller=caller, zone=zone, subscription=subscription)
    return _EventStream(feed.events(), opened)


class _EventStream(StreamingResponse):
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
