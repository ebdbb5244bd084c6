"""Lists all settings with their defaults and limits, from the settings classes, so that no setting can be missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from seatpool.api.base import format_duration
from seatpool.settings.settings import Settings

_LIMITS = {
    "ge": "at least {}",
    "gt": "more than {}",
    "le": "at most {}",
    "lt": "less than {}",
    "min_length": "length at least {}",
    "max_length": "length at most {}",
    "pattern": "{}",
}


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting. `key` is as --set and the file name it; `[]` stands for each element of a list."""

    key: str
    default: str
    limits: tuple[str, ...]
    meaning: str


def all_settings() -> Iterator[SettingRow]:
    """Yields every setting, in the order of the classes."""
    return _settings_of(Settings)


def _settings_of(model: type[BaseModel], above: str = "") -> Iterator[SettingRow]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _settings_of(kind, f"{above}{name}.")
            continue
        default = _shown(field.get_default(call_default_factory=True)) if not field.is_required() else "required"
        yield SettingRow(f"{above}{name}", default, tuple(_limits(field)), field.description or "")
        element = _element(kind)
        if element is not None:
            yield from _settings_of(element, f"{above}{name}[].")


def _element(kind: Any) -> type[BaseModel] | None:
    """Returns the model of a list's elements. None: it is no list of models."""
    for inner in get_args(kind):
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            return inner
    return None


def _limits(field: FieldInfo) -> Iterator[str]:
    choices = list(_choices(field.annotation))
    if choices:
        yield "one of " + ", ".join(choices)
    for held in field.metadata:
        for name, text in _LIMITS.items():
            value = getattr(held, name, None)
            if value is not None:
                yield text.format(_shown(value))


def _choices(kind: Any) -> Iterator[str]:
    if isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(one.value) for one in kind)
    elif get_origin(kind) is Literal:
        yield from map(str, get_args(kind))
    elif get_origin(kind) is Union or type(kind).__name__ == "UnionType":
        for inner in get_args(kind):
            yield from _choices(inner)


def _shown(default: Any) -> str:
    if isinstance(default, timedelta):
        return format_duration(default)
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, bool):
        return str(default).lower()
    return "" if default is None or default in ((), {}) else str(default)
