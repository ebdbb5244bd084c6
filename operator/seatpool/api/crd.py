"""Generates the CustomResourceDefinitions from the models, so that code and cluster cannot differ.

Pydantic writes JSON schema with references and unions. The API server needs a *structural* schema: no `$ref`, no `anyOf` with
null, and a type on every node. `structural` converts one into the other and refuses what it cannot express.
"""

import copy
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pydantic.json_schema import GenerateJsonSchema

from seatpool.api.apikey import APIKey
from seatpool.api.base import API_VERSION, GROUP, VERSION, Model, Resource, format_duration
from seatpool.api.descriptions import DescribedSchema
from seatpool.api.formats import told_in_words
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench

RESOURCES: tuple[type[Resource], ...] = (APIKey, LicensePool, LicenseServer, SeatLedger, Workbench)

_DROPPED = {"title", "$defs", "propertyOrdering"}


class _WireDefaults(GenerateJsonSchema):
    """Generates defaults in their form on the wire."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return format_duration(dft)
        if isinstance(dft, Model):
            return dft.wire()
        return super().encode_default(dft)


class _Described(_WireDefaults, DescribedSchema):
    """Generates defaults and descriptions."""


def _clean_text(text: str) -> str:
    return " ".join(text.split())


def structural(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Returns `schema` without references, titles and null unions. Raises ValueError for what a CRD cannot express."""
    schema = dict(schema)
    if "$ref" in schema:
        target = copy.deepcopy(definitions[schema.pop("$ref").removeprefix("#/$defs/")])
        schema = {**target, **schema}
    if "anyOf" in schema:
        choices = [choice for choice in schema.pop("anyOf") if choice.get("type") != "null"]
        if len(choices) != 1:
            raise ValueError(f"a CRD cannot express the union {choices}")
        chosen = structural(choices[0], definitions)
        schema = {**chosen, **schema}
        if schema.get("default", 0) is None:
            del schema["default"]
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _DROPPED:
            continue
        if key == "properties":
            result[key] = {name: structural(item, definitions) for name, item in value.items()}
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            result[key] = structural(value, definitions)
        elif key == "description":
            result[key] = _clean_text(value)
        else:
            result[key] = value
    if "type" not in result:
        raise ValueError(f"a CRD needs a type on every node: {result}")
    return result


def _with_limits(schema: dict[str, Any]) -> dict[str, Any]:
    """Returns the schema with format, limits and default in each description. `kubectl explain` prints nothing else of them."""
    result = dict(schema)
    if "properties" in schema:
        result["properties"] = {name: _with_limits(item) for name, item in schema["properties"].items()}
    if isinstance(schema.get("items"), dict):
        result["items"] = _with_limits(schema["items"])
    if "description" in schema:
        result["description"] = " ".join((schema["description"], *_limits(schema)))
    return result


def _limits(schema: dict[str, Any]) -> Iterator[str]:
    """Yields what is valid and what counts if the field is absent, in sentences."""
    for rule in schema.get("x-kubernetes-validations", ()):
        if rule["message"].startswith("must be "):
            yield f"M{rule['message'][1:]}."
    for rule in schema.get("items", {}).get("x-kubernetes-validations", ()):
        if rule["message"].startswith("must be "):
            yield f"Each m{rule['message'][1:]}."
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        yield f"From {least} to {most}."
    elif least is not None:
        yield f"At least {least}."
    if "maxItems" in schema:
        yield f"At most {schema['maxItems']} entries."
    default = schema.get("default")
    if isinstance(default, list) and default and not isinstance(default[0], (dict, list)):
        yield f"Default: {', '.join(map(str, default))}."
    elif isinstance(default, bool):
        yield f"Default: {str(default).lower()}."
    elif isinstance(default, (str, int)) and default != "":
        yield f"Default: {default}."


def crd(resource: type[Resource], *, described: bool = True) -> dict[str, Any]:
    """Returns the CustomResourceDefinition of a kind. `described` false: without descriptions, which take most of the time."""
    generator = _Described if described else _WireDefaults
    raw = resource.model_json_schema(by_alias=True, mode="validation", schema_generator=generator)
    root = structural(raw, raw.get("$defs", {}))
    properties = {
        "apiVersion": {"type": "string"},
        "kind": {"type": "string"},
        "metadata": {"type": "object"},
        "spec": _with_limits(told_in_words(root["properties"]["spec"])),
    }
    if resource.has_status:
        # kstatus takes an empty status for ready. -1 says that the operator has not seen the object yet.
        properties["status"] = {**root["properties"]["status"], "default": {"observedGeneration": -1}}
    version: dict[str, Any] = {
        "name": VERSION,
        "served": True,
        "storage": True,
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "description": _clean_text(resource.__doc__ or ""),
                "required": ["spec"],
                "properties": properties,
            }
        },
        "additionalPrinterColumns": [column.wire() for column in resource.columns],
    }
    for entry in version["additionalPrinterColumns"]:
        if entry["priority"] == 0:
            del entry["priority"]
    if resource.has_status:
        version["subresources"] = {"status": {}}
    if resource.selectable:
        version["selectableFields"] = [{"jsonPath": path} for path in resource.selectable]
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{resource.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": resource.kind,
                "listKind": f"{resource.kind}List",
                "plural": resource.plural,
                "singular": resource.singular,
                "shortNames": list(resource.short_names),
                **({"categories": list(resource.categories)} if resource.categories else {}),
            },
            "versions": [version],
        },
    }


class _Dumper(yaml.SafeDumper):
    """Dumps YAML without aliases, so that the same data gives the same text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def render(resource: type[Resource]) -> str:
    """Returns the CRD of a kind as YAML."""
    return "# Generated from operator/seatpool/api by `make generate`; do not edit.\n" + yaml.dump(
        crd(resource), Dumper=_Dumper, sort_keys=False, width=110
    )


def files() -> Iterator[tuple[str, str]]:
    """Yields name and content of every CRD file."""
    for resource in RESOURCES:
        yield f"{GROUP}_{resource.plural}.yaml", render(resource)


def write(folder: Path) -> list[Path]:
    """Writes all CRDs into `folder`. Returns the paths that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, text in files():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            changed.append(path)
    return changed


def type_of(obj: dict[str, Any]) -> type[Resource]:
    """Returns the class of a raw object. Raises KeyError if it is no kind of Seatpool."""
    if obj.get("apiVersion") != API_VERSION:
        raise KeyError(obj.get("apiVersion"))
    return {resource.kind: resource for resource in RESOURCES}[obj["kind"]]
