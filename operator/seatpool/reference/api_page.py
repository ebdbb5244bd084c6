"""Makes the reference page of the resources from their CustomResourceDefinitions."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from seatpool.api.base import API_VERSION, Resource
from seatpool.api.crd import RESOURCES, crd
from seatpool.reference.metrics_page import markdown_table
from seatpool.reference.patterns import PATTERNS

_ABOUT = f"""\
All kinds are `{API_VERSION}` and belong to a namespace. `kubectl explain licensepool.spec` says the same. Names of fields
below `metadata` are those of Kubernetes. `[]` stands for each element of a list, `{{}}` for each value of a map.
"""
_LIMITS = {
    "enum": "one of {}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} elements",
    "maxItems": "at most {} elements",
    "pattern": "`{}`",
}

Schema = Mapping[str, Any]


def api_page() -> str:
    """Returns the text and tables for the fields of each kind."""
    parts = [_ABOUT]
    for kind in RESOURCES:
        schema = crd(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        parts += [f"## {kind.kind}\n", f"{schema['description']}\n", _names(kind)]
        for part in ("spec", "status"):
            if part in schema["properties"]:
                rows = list(_fields(schema["properties"][part], part))
                parts += [f"### {part} of {kind.kind}\n", markdown_table(("Field", "Type", "Default", "Meaning"), rows)]
        if rules := _rules(schema["properties"]["spec"]):
            parts += ["\n".join(f"- {rule}" for rule in rules) + "\n"]
    return "\n".join(parts)


def _names(kind: type[Resource]) -> str:
    short = ", ".join(f"`{name}`" for name in kind.short_names)
    return f"Plural `{kind.plural}`, short {short}.\n" if short else f"Plural `{kind.plural}`.\n"


def _fields(schema: Schema, path: str) -> Iterator[tuple[str, ...]]:
    for name, inner in schema.get("properties", {}).items():
        here = f"{path}.{name}"
        required = name in schema.get("required", ())
        yield f"`{here}`", _type(inner), _default(inner, required=required), _meaning(inner)
        yield from _below(inner, here)


def _below(schema: Schema, path: str) -> Iterator[tuple[str, ...]]:
    yield from _fields(schema, path)
    if isinstance(schema.get("items"), Mapping):
        yield from _below(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _below(schema["additionalProperties"], f"{path}{{}}")


def _type(schema: Schema) -> str:
    if schema["type"] == "array":
        return f"list of {_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), Mapping):
        return f"map of {_type(schema['additionalProperties'])}"
    return str(schema.get("format") or schema["type"])


def _default(schema: Schema, *, required: bool) -> str:
    if required:
        return "required"
    default = schema.get("default")
    if default is None or default in ([], {}):
        return ""
    if isinstance(default, Mapping):
        return "see below"
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _meaning(schema: Schema) -> str:
    limits = [
        PATTERNS.get(str(value)) or text.format(", ".join(map(str, value)) if isinstance(value, list) else value)
        for name, text in _LIMITS.items()
        if (value := schema.get(name, schema.get("items", {}).get(name))) is not None
    ]
    description = schema.get("description", "")
    rules = [rule for rule in _rules(schema) if rule.removeprefix("Rule: must be") not in description]
    parts = [description, f"Allowed: {', '.join(limits)}." if limits else "", *rules]
    return " ".join(part for part in parts if part)


def _rules(schema: Schema) -> list[str]:
    """Returns the messages of the rules that the API server checks, as sentences."""
    messages = [rule["message"] for rule in schema.get("x-kubernetes-validations", ()) if "message" in rule]
    return [f"Rule: {message.rstrip('.')}." for message in messages]
