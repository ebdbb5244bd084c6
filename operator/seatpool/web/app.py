"""Makes the ASGI application: the routes, the errors as problems, and what every response has."""

import secrets
import time
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from seatpool.web.document import make_document
from seatpool.web.pages.routes import router as pages_router
from seatpool.web.pages.sign_in import ask_to_sign_in, error_page
from seatpool.web.pages.sign_in import router as sign_in_router
from seatpool.web.problems import PROBLEMS, ProblemId, Refusal
from seatpool.web.replies import BASE_HEADERS, problem_reply
from seatpool.web.routes import PREFIX, STREAM, router
from seatpool.web.routing import DESCRIBED
from seatpool.web.service import Service

_REQUEST_ID = "X-Request-Id"


def make_app(service: Service, *, log: FilteringBoundLogger) -> ASGIApp:
    """Returns the application."""
    # No page of FastAPI's own: they load scripts from elsewhere, and are no part of the checked routes.
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.service = service
    app.include_router(router)
    if service.settings.pages.enabled:
        app.include_router(pages_router)
        app.include_router(sign_in_router)
    made: dict[str, Any] = {}

    def openapi() -> dict[str, Any]:
        if not made:
            made.update(make_document(app.routes))
        return made

    app.openapi = openapi  # type: ignore[method-assign]
    _answer_errors(app, service)
    return Envelope(app, service=service, log=log)


def _answer_errors(app: FastAPI, service: Service) -> None:
    def told(request: Request, refusal: Refusal) -> Response:
        if service.settings.pages.enabled and _is_for_a_browser(request):
            must_sign_in = PROBLEMS[refusal.id].status == 401 and request.method == "GET"
            return ask_to_sign_in(request) if must_sign_in else error_page(request, refusal)
        return problem_reply(
            refusal, audience=service.settings.audience, request_id=request.state.request_id, path=request.url.path
        )

    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return told(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where, name = first["loc"][0], str(first["loc"][-1])
        value = ascii(first["input"])[:80]
        problem = f"{first['msg'][:1].lower()}{first['msg'][1:]}"
        return told(
            request, Refusal(ProblemId.BAD_PARAMETER, parameter=f"{name} ({where})", value=value, problem=problem)
        )

    @app.exception_handler(HTTPException)
    async def unrouted(request: Request, error: HTTPException) -> Response:
        if error.status_code != 405:
            return told(request, Refusal(ProblemId.NO_ROUTE))
        return told(request, Refusal(ProblemId.WRONG_METHOD, methods=_methods(request)))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, _error: Exception) -> Response:
        return told(request, Refusal(ProblemId.UNEXPECTED))


def _is_for_a_browser(request: Request) -> bool:
    """Tells whether an error is read by a person: the request is for a page, and a browser sends it."""
    is_page = not request.url.path.startswith(f"{PREFIX}/")
    return is_page and "text/html" in request.headers.get("accept", "")


def _methods(request: Request) -> str:
    """Returns the methods that the path of a request takes."""
    found = {
        method
        for route in router.routes
        if isinstance(route, APIRoute) and route.matches(request.scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
    return ", ".join(sorted(found))


class Envelope:
    """Gives every request an id, every response its header fields, and counts and logs them.

    A line of the log has the route and not the path, because the path may name a user.
    """

    def __init__(self, app: ASGIApp, *, service: Service, log: FilteringBoundLogger) -> None:
        self._app = app
        self._service = service
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, request_id = time.perf_counter(), secrets.token_hex(8)
        state = scope["state"] = {"request_id": request_id}
        status, is_stream = 0, False

        async def send_enveloped(message: Message) -> None:
            nonlocal status, is_stream
            if message["type"] == "http.response.start":
                status = message["status"]
                more = {**BASE_HEADERS, _REQUEST_ID: request_id, **state.get("headers", {}), **_retirement(scope)}
                given = {name.lower() for name, _ in message["headers"]}
                added = [
                    (name.lower().encode(), value.encode())
                    for name, value in more.items()
                    if name.lower().encode() not in given
                ]
                message = {**message, "headers": [*message["headers"], *added]}
                is_stream = (b"content-type", STREAM.encode()) in [
                    (name, value.partition(b";")[0]) for name, value in message["headers"]
                ]
            await send(message)

        try:
            await self._app(scope, receive, send_enveloped)
        except ClientDisconnect:
            pass
        except Exception:
            # The client has its answer: Starlette raises the error again so that it can be logged.
            self._log.error("a request failed", request=request_id, route=_route(scope), exc_info=True)
            if status == 0:
                raise
        finally:
            seconds = time.perf_counter() - began
            metrics = self._service.metrics
            metrics.requests.labels(_route(scope), str(status)).inc()
            if not is_stream:
                metrics.seconds.labels(_route(scope)).observe(seconds)
            caller = state.get("caller")
            self._log.debug(
                "request", request=request_id, route=_route(scope), status=status, ms=round(seconds * 1000, 1),
                caller=getattr(caller, "name", None),
            )  # fmt: skip


def _retirement(scope: Scope) -> dict[str, str]:
    """Returns the header fields that tell when the route goes."""
    described = DESCRIBED.get((scope["method"].lower(), _route(scope)))
    return {} if described is None or described.retirement is None else described.retirement.headers


def _route(scope: Scope) -> str:
    """Returns the path of the route with its parameters' names. A path of no route is not told."""
    return str(getattr(scope.get("route"), "path", "none"))
