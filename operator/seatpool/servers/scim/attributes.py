"""Reads the attribute of a user that has the name. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

_IGNORES_CASE = frozenset({"username", "emails", "emails.value"})
"""Attributes that RFC 7643 compares without regard to case."""


def ignores_case(attribute: str) -> bool:
    """Tells whether a service takes `Ann` and `ann` for one value of this attribute."""
    return attribute.rpartition(":")[2].lower() in _IGNORES_CASE


def top_level(attribute: str) -> str:
    """Returns the attribute to ask for: that of `emails.value` is `emails`."""
    schema, colon, path = attribute.rpartition(":")
    return schema + colon + path.partition(".")[0]


def values_of(resource: Mapping[str, Any], attribute: str) -> tuple[str, ...]:
    """Returns the values of an attribute: of `userName`, of `emails.value`, or of an extension's `urn:...:employeeNumber`.

    Names of attributes have no case.
    """
    schema, _, path = attribute.rpartition(":")
    found: Any = resource
    if schema:
        extension = _member(resource, schema)
        found = extension if extension is not None else resource
    return tuple(dict.fromkeys(_texts(found, path.split("."))))


def _texts(value: Any, path: list[str]) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _texts(one, path)
    elif not path:
        if isinstance(value, str) and value:
            yield value
        elif isinstance(value, int) and not isinstance(value, bool):
            yield str(value)
    elif isinstance(value, Mapping):
        yield from _texts(_member(value, path[0]), path[1:])


def _member(resource: Mapping[str, Any], name: str) -> Any:
    if name in resource:
        return resource[name]
    return next((value for key, value in resource.items() if key.lower() == name.lower()), None)
