"""Makes JSON schemas of the answers from their dataclasses: the names, the types, and the docstring below each field."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from pydantic.alias_generators import to_camel

from seatpool.api.base import DURATION_PATTERN
from seatpool.api.descriptions import written_in
from seatpool.text import JSON_NAME

Schema = dict[str, Any]
_PLAIN: Mapping[type, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    datetime: {"type": "string", "format": "date-time", "description": "RFC 3339 in UTC."},
    timedelta: {"type": "string", "pattern": DURATION_PATTERN, "description": "A duration such as 1h30m."},
}


class Schemas:
    """The schemas of dataclasses, each once, by name of the class."""

    def __init__(self) -> None:
        self.components: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:
        """Returns the schema of a type. A dataclass becomes a component, and the result refers to it."""
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            name = kind.__name__
            if name not in self.components:
                self.components[name] = {}  # a class may hold itself
                self.components[name] = self._object(kind)
            return {"$ref": f"#/components/schemas/{name}"}
        if isinstance(kind, type) and issubclass(kind, Enum):
            return {"type": "string", "enum": [one.value for one in kind]}
        if typing.get_origin(kind) is typing.Annotated:
            return self.of(typing.get_args(kind)[0])
        if kind in _PLAIN:
            return dict(_PLAIN[kind])
        origin, arguments = typing.get_origin(kind), typing.get_args(kind)
        if origin in (types.UnionType, typing.Union):
            inner = [one for one in arguments if one is not type(None)]
            return self.of(inner[0]) if len(inner) == 1 else {"anyOf": [self.of(one) for one in inner]}
        if origin is typing.Literal:
            return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
        if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
            return {"type": "array", "items": self.of(arguments[0])}
        raise TypeError(f"no JSON schema for {kind}: add it to web/schemas.py")

    def _object(self, kind: type) -> Schema:
        hints, described = typing.get_type_hints(kind), written_in(kind)
        properties, required = {}, []
        for field in dataclasses.fields(kind):
            name = field.metadata.get(JSON_NAME) or to_camel(field.name)
            schema = self.of(hints[field.name])
            if field.name in described:
                schema = schema | {"description": " ".join(described[field.name].split())}
            properties[name] = schema
            if type(None) not in typing.get_args(hints[field.name]):  # None and absent are the same
                required.append(name)
        made: Schema = {"type": "object", "properties": properties}
        if kind.__doc__ and not kind.__doc__.startswith(f"{kind.__name__}("):
            made["description"] = " ".join(kind.__doc__.split())
        return made | ({"required": required} if required else {})
