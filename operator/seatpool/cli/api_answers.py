"""Makes the dataclasses of `explain` from the JSON of the HTTP API: the reverse of `terminal.output.data`.

So screens, JSON and YAML are the same, whether an answer comes from the API or from the cluster itself.
"""

import dataclasses
import types
import typing
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from seatpool.domain.errors import SeatpoolError
from seatpool.text import JSON_NAME

T = TypeVar("T")


class UnexpectedAnswer(SeatpoolError):
    """The JSON is none of the kind that was asked for."""


def decode(kind: type[T], value: Any) -> T:
    """Returns an object of a dataclass from JSON-ready data. Raises UnexpectedAnswer that names the field.

    An absent field is None, or has its default. Fields that this version does not know are left out.
    """
    try:
        return typing.cast("T", _adapter(kind).validate_python(_renamed(kind, value)))  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or kind.__name__
        raise UnexpectedAnswer(f"field {where}: {first['msg']}") from error


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _renamed(kind: Any, value: Any) -> Any:
    """Returns the data with the names of the dataclasses' attributes. What does not fit is left to pydantic."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            return value
        found = {}
        for name, attribute, inner, is_needed in _attributes(kind):
            if name in value:
                found[attribute] = _renamed(inner, value[name])
            elif is_needed and type(None) in typing.get_args(inner):
                found[attribute] = None
        return found
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = [one for one in arguments if one is not type(None)]
        return _renamed(inner[0], value) if len(inner) == 1 else value
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis and isinstance(value, list):
        return [_renamed(arguments[0], one) for one in value]
    return value


@cache
def _attributes(kind: type) -> tuple[tuple[str, str, Any, bool], ...]:
    """Returns of each field its name in JSON, its attribute, its type, and whether it has no default."""
    hints = typing.get_type_hints(kind)
    return tuple(
        (
            one.metadata.get(JSON_NAME) or to_camel(one.name),
            one.name,
            hints[one.name],
            one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING,
        )
        for one in dataclasses.fields(kind)
    )
