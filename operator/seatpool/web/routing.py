"""Holds the router of the API, and what the document says of each route beyond its parameters.

The router asks who the caller is before every route, so no route can forget it. What the caller may see is asked by each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from seatpool.web.authentication import Caller
from seatpool.web.paging import LARGEST_PAGE, LONGEST_CURSOR
from seatpool.web.problems import ProblemId
from seatpool.web.service import Service

PREFIX = "/api/v1"
Handler = TypeVar("Handler", bound=Callable[..., Any])
OK: Mapping[int, str] = {200: "The answer."}


@dataclass(frozen=True, slots=True)
class Retirement:
    """When a route goes, and what takes its place. Clients are told by header fields (RFC 9745, RFC 8594) and the document."""

    deprecated: datetime
    """Since when clients should not use it in new code."""
    sunset: datetime
    """When it may stop to answer."""
    successor: str
    """Path of the route that takes its place."""

    @property
    def headers(self) -> dict[str, str]:
        """Returns the header fields of every answer of the route."""
        return {
            "Deprecation": f"@{self.deprecated.timestamp():.0f}",
            "Sunset": format_datetime(self.sunset.astimezone(UTC), usegmt=True),
            "Link": f'<{self.successor}>; rel="successor-version"',
        }


@dataclass(frozen=True, slots=True)
class Described:
    """What the document says of a route beyond its parameters."""

    answer: type | None
    """The dataclass of its answer. None: it is no such object."""
    problems: tuple[ProblemId, ...]
    """Problems that not all routes have."""
    body: type | None = None
    """The dataclass of what is sent. None: nothing is."""
    success: Mapping[int, str] = field(default_factory=lambda: OK)
    """What each status means that is no problem."""
    retirement: Retirement | None = None
    """None: the route stays."""


DESCRIBED: dict[tuple[str, str], Described] = {}
"""By method, in small letters, and path."""

Cursor = Annotated[
    str | None,
    Query(max_length=LONGEST_CURSOR, description="`nextCursor` of the page before. Without it the list begins."),
]
Limit = Annotated[int, Query(ge=1, le=LARGEST_PAGE, description="Most items of the page.")]
Namespace = Annotated[str, Path(max_length=63, description="Namespace of the object.")]
Name = Annotated[str, Path(max_length=253, description="Name of the object.")]


def service_of(request: Request) -> Service:
    """Returns the service of the application that the request is for."""
    service: Service = request.app.state.service
    return service


async def authenticated(request: Request) -> Caller:
    """Returns who sends the request. Raises Refusal."""
    caller = await service_of(request).authenticate(request)
    request.state.caller = caller
    return caller


Authenticated = Annotated[Caller, Depends(authenticated)]
router = APIRouter(prefix=PREFIX, dependencies=[Depends(authenticated)])


def route(method: str, path: str, summary: str, described: Described) -> Callable[[Handler], Handler]:
    """Adds a route, with what the document says of it."""
    DESCRIBED[method, PREFIX + path] = described
    return router.api_route(path, methods=[method.upper()], summary=summary, response_class=Response)


def get(path: str, summary: str, answer: type | None, *problems: ProblemId) -> Callable[[Handler], Handler]:
    """Adds a route that reads."""
    return route("get", path, summary, Described(answer, problems))
