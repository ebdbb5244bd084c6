"""What the page for developers shows: each call of the API, from its OpenAPI document."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

METHODS = ("get", "post", "put", "patch", "delete")
KEYS = "/api/v1/keys"
_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a call."""

    name: str
    where: str
    """`path` or `query`."""
    description: str
    is_required: bool
    default: str
    kind: str
    """Type of an input field: text or number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of the API."""

    id: str
    method: str
    path: str
    summary: str
    paragraphs: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    body: str | None
    """An example of its body. None: it has none."""
    problems: tuple[tuple[str, tuple[str, ...]], ...]
    """Statuses other than success, each with the problems that it stands for."""
    is_stream: bool
    curl: str


def calls(document: Mapping[str, Any]) -> tuple[Call, ...]:
    """Returns the calls in the order of the document."""
    found = []
    for path, operations in document["paths"].items():
        for method in METHODS:
            if method in operations:
                found.append(_call(document, method, path, operations[method]))  # noqa: PERF401
    return tuple(found)


def _call(document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any]) -> Call:
    parameters = tuple(_parameter(one) for one in operation.get("parameters", ()) if one["in"] in ("path", "query"))
    responses = operation["responses"]
    body = _body(document, operation.get("requestBody"))
    is_stream = any(_STREAM in answer.get("content", {}) for answer in responses.values())
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        paragraphs=tuple(
            " ".join(one.split()) for one in operation.get("description", "").split("\n\n") if one.strip()
        ),
        parameters=parameters,
        body=body,
        problems=tuple(
            (status, tuple(line.removeprefix("- ").replace("`", "") for line in answer["description"].splitlines()))
            for status, answer in responses.items()
            if status >= "400"
        ),
        is_stream=is_stream,
        curl=_curl(method.upper(), path, parameters, body, is_stream),
    )


def _parameter(found: Mapping[str, Any]) -> Parameter:
    schema = found.get("schema", {})
    default = schema.get("default")
    return Parameter(
        name=found["name"],
        where=found["in"],
        description=found.get("description", ""),
        is_required=bool(found.get("required")),
        default="" if default is None else str(default),
        kind="number" if schema.get("type") == "integer" else "text",
    )


def _body(document: Mapping[str, Any], found: Mapping[str, Any] | None) -> str | None:
    """Returns an example of a body: the document's own, or one made from its schema."""
    if found is None:
        return None
    content = found.get("content", {}).get("application/json", {})
    example = content.get("example")
    if example is None:
        example = _example(document, content.get("schema", {}), depth=0)
    return json.dumps(example, indent=2)


def _example(document: Mapping[str, Any], schema: Mapping[str, Any], *, depth: int) -> Any:
    if "$ref" in schema:
        schema = document["components"]["schemas"].get(schema["$ref"].rpartition("/")[2], {})
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _example(document, schema["anyOf"][0], depth=depth)
    if schema.get("type") == "object" and depth < 4:
        wanted: Sequence[str] = schema.get("required", tuple(schema.get("properties", {})))
        properties = schema.get("properties", {})
        return {name: _example(document, properties.get(name, {}), depth=depth + 1) for name in wanted}
    return {"integer": 1, "number": 1, "boolean": False, "array": []}.get(str(schema.get("type")), "")


def _curl(method: str, path: str, parameters: Sequence[Parameter], body: str | None, is_stream: bool) -> str:
    for one in parameters:
        if one.where == "path":
            path = path.replace(f"{{{one.name}}}", one.name.upper())
    needed = {
        one.name: one.default or one.name.upper() for one in parameters if one.where == "query" and one.is_required
    }
    query = f"?{urlencode(needed)}" if needed else ""
    options = ["-N"] if is_stream else []
    options += [] if method == "GET" else ["-X", method]
    options += ['-H "Authorization: Bearer $TOKEN"']
    if body is not None:
        one_line = json.dumps(json.loads(body)).replace("'", "'\\''")
        options += ["-H 'Content-Type: application/json'", f"-d '{one_line}'"]
    return f'curl {" ".join(options)} "$SEATS{path}{query}"'
