"""Makes the OpenAPI document: parameters from the routes, answers from their dataclasses, errors from the table of problems."""

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from seatpool.web.answers import Me, PoolChanges
from seatpool.web.examples import EXAMPLES
from seatpool.web.keys.examples import BODY_EXAMPLES, WRITE_EXAMPLES
from seatpool.web.problems import MEDIA_TYPE, PROBLEMS, TYPE_PREFIX, ProblemId
from seatpool.web.replies import JSON
from seatpool.web.routes import DESCRIBED, PREFIX, STREAM, Described
from seatpool.web.schemas import Schemas

_EVERYWHERE = (
    ProblemId.NO_TOKEN,
    ProblemId.BAD_TOKEN,
    ProblemId.BAD_PROXY_USER,
    ProblemId.TOO_MANY_REQUESTS,
    ProblemId.NOT_READY,
    ProblemId.NO_ANSWER,
    ProblemId.MAY_NOT_ASK,
    ProblemId.UNEXPECTED,
)
"""Problems that every route has."""
_WRITING = (ProblemId.OTHER_SITE,)
"""Problems that every route has that changes something."""
DESCRIPTION = """\
Seats, waiting lines and license servers of Seatpool. Nothing of them can be changed here; only keys can be made and revoked.

**Who may ask.** Send a token of the Kubernetes cluster, made for this API's audience, as `Authorization: Bearer TOKEN`. A
caller sees what RBAC lets it see with kubectl, and always its own seats (`/api/v1/me`). If the service has keys, a key
(`/api/v1/keys`) can be sent in place of a token. It opens what its scope says, and never more than its user may see.

**Units.** Times are RFC 3339 in UTC. Durations are as in Kubernetes specs of Seatpool: `250ms`, `15m`, `1h30m`, `365d`. A
field that has no value is absent. New fields may come: ignore those that you do not know.

**Fields** are named as in `seatpool status|who|why -o json`. Sentences (`said`) are for people, and their `id` is for programs.

**Asking again.** Send `If-None-Match` with the `ETag` of the last answer, or open `/api/v1/events`.
"""
_LIMIT_HEADERS = {
    "RateLimit": {
        "description": "Requests that are left, and seconds until all are free again.",
        "schema": {"type": "string"},
    },
    "RateLimit-Policy": {"description": "The limit: requests and seconds.", "schema": {"type": "string"}},
}
_PROBLEM_REF = "#/components/schemas/ProblemDetails"
_PROBLEM = {
    "type": "object",
    "description": "Problem details (RFC 9457).",
    "properties": {
        "type": {"type": "string", "description": f"{TYPE_PREFIX} and the id."},
        "title": {"type": "string", "description": "What happened, in a few words."},
        "status": {"type": "integer", "description": "HTTP status."},
        "detail": {"type": "string", "description": "What to do, in a sentence."},
        "instance": {"type": "string", "description": "Path of the request."},
        "id": {"type": "string", "enum": [one.value for one in ProblemId], "description": "Id for programs."},
        "requestId": {"type": "string", "description": "Id of the request in the log of the service."},
    },
    "required": ["type", "title", "status", "detail", "instance", "id", "requestId"],
}


def make_document(routes: Iterable[BaseRoute]) -> dict[str, Any]:
    """Returns the OpenAPI 3.1 document of these routes."""
    made = get_openapi(
        title="Seatpool", version=version("seatpool"), openapi_version="3.1.0", description=DESCRIPTION,
        routes=list(routes), tags=[{"name": "v1", "description": "Version 1. A change that breaks clients gets a new one."}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"}, servers=[{"url": "/", "description": "This server"}],
    )  # fmt: skip
    schemas = Schemas()
    for path, operations in made["paths"].items():
        for method, operation in operations.items():
            described = DESCRIBED[method, path]
            operation["operationId"] = _operation_id(method, path)
            operation["tags"] = ["v1"]
            if described.retirement is not None:
                operation["deprecated"] = True
            if described.body is not None:
                sent = {"schema": schemas.of(described.body), "example": BODY_EXAMPLES[method, path]}
                operation["requestBody"] = {"required": True, "content": {JSON: sent}}
            operation["responses"] = _responses(method, path, described, schemas)
    made["components"] = {
        "schemas": {**dict(sorted(schemas.components.items())), "ProblemDetails": _PROBLEM},
        "securitySchemes": {
            "token": {
                "type": "http",
                "scheme": "bearer",
                "description": "A token of the Kubernetes cluster for this API's audience, such as from "
                "`kubectl create token NAME --audience seatpool`, or a key of this API.",
            }
        },
    }
    made["security"] = [{"token": []}]
    return made


def _retirement_headers(described: Described) -> dict[str, Any]:
    if described.retirement is None:
        return {}
    text = {
        "Deprecation": "Since when no new client should use this: `@` and seconds since 1970 (RFC 9745).",
        "Sunset": "When this may stop to answer (RFC 8594).",
        "Link": "What takes its place, as `successor-version`.",
    }
    return {name: {"description": told, "schema": {"type": "string"}} for name, told in text.items()}


def _operation_id(method: str, path: str) -> str:
    words = [word.strip("{}").removesuffix(".json") for word in path.removeprefix(PREFIX).split("/") if word]
    return method + "".join(word.capitalize() for word in words)


def _responses(method: str, path: str, described: Described, schemas: Schemas) -> dict[str, Any]:
    content: dict[str, Any]
    example = EXAMPLES.get(path) if method == "get" else WRITE_EXAMPLES[method, path]
    if described.answer is not None:
        content = {JSON: {"schema": schemas.of(described.answer)}}
        if example is not None:
            content[JSON]["example"] = example
    elif path == f"{PREFIX}/events":
        data = [schemas.of(PoolChanges), schemas.of(Me), {"$ref": _PROBLEM_REF}]
        schema = {
            "type": "string",
            "description": "Events. The data of `pools` are PoolChanges, those of `me` are Me, those of `end` ProblemDetails.",
            "contentMediaType": STREAM,
            "contentSchema": {"anyOf": data},
        }
        content = {STREAM: {"schema": schema, "example": "event: pools\ndata: {...}\n\n"}}
    else:
        content = {JSON: {"schema": {"type": "object"}}}
    tag = {"ETag": {"description": "Tag of this very answer.", "schema": {"type": "string"}}}
    has_tag = method == "get" and STREAM not in content
    found: dict[str, Any] = {
        str(status): {
            "description": meaning,
            "headers": _LIMIT_HEADERS | (tag if has_tag else {}) | _retirement_headers(described),
            "content": content,
        }
        for status, meaning in described.success.items()
    }
    if has_tag:
        found["304"] = {"description": "The answer is the one that `If-None-Match` names.", "headers": tag}
    problems = (*described.problems, *(() if method == "get" else _WRITING), *_EVERYWHERE)
    for status in sorted({PROBLEMS[one].status for one in problems}):
        kinds = [one for one in problems if PROBLEMS[one].status == status]
        lines = [f"- `{one.value}`: {PROBLEMS[one].detail}" for one in kinds]
        found[str(status)] = {
            "description": "\n".join(lines),
            "content": {MEDIA_TYPE: {"schema": {"$ref": _PROBLEM_REF}}},
        }
    return found
