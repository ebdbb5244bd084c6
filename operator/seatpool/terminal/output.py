"""How an answer leaves the program: a screen for people, JSON or YAML for programs. Both say the same.

Field names are camelCase as in the resources, instants are RFC 3339 in UTC. A terminal wraps and colours; a pipe gets
whole lines, so that they can be searched.
"""

import dataclasses
import json
import os
import sys
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from typing import Any

import yaml
from pydantic.alias_generators import to_camel
from rich.console import Console

from seatpool.api.base import Model, format_duration, format_instant

WIDE_ENOUGH = 200


class Output(StrEnum):
    """What `-o` takes."""

    TABLE = "table"
    WIDE = "wide"
    JSON = "json"
    YAML = "yaml"


def data(value: Any) -> Any:
    """A dataclass, model or container as JSON can say it; what is absent stays absent."""
    if isinstance(value, Model):
        return value.wire()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return {to_camel(name): data(inner) for name, inner in fields if inner is not None and not name.startswith("_")}
    if isinstance(value, Mapping):
        return {str(key): data(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [data(inner) for inner in value]
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, timedelta):
        return format_duration(value)
    return value.value if isinstance(value, Enum) else value


def console() -> Console:
    """Standard output; a pipe that tells no width is wide."""
    piped = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, width=WIDE_ENOUGH if piped else None)


def write(answer: Any, *, output: Output, screen: Callable[[Console, bool], object]) -> None:
    """Print an answer: `screen` draws it for people, and is told whether there is room for everything."""
    if output is Output.JSON:
        print(json.dumps(data(answer), indent=2, ensure_ascii=False))  # noqa: T201
    elif output is Output.YAML:
        print(yaml.safe_dump(data(answer), sort_keys=False, allow_unicode=True), end="")  # noqa: T201
    else:
        screen(console(), output is Output.WIDE)
