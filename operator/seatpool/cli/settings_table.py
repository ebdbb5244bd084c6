"""Prints a table of all settings. It is made from the settings classes, so that no setting can be missing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from rich.padding import Padding

from seatpool.api.base import format_duration
from seatpool.settings.settings import Settings
from seatpool.terminal.output import console, table


def print_settings() -> None:
    """Prints key, default and meaning of every setting."""
    drawn = table("Key", "Default", "Meaning", fold=True, title="All settings, as --set and the file name them")
    for row in settings_of(Settings):
        drawn.add_row(*row)
    screen = console()
    screen.print(Padding(drawn, (0, 0, 0, 1)))
    screen.print()
    screen.print("The environment variable of mirror.long_poll is SEATPOOL_MIRROR__LONG_POLL, and so on.")


def settings_of(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, str, str]]:
    """Yields key, default and meaning of each setting, with those of nested models."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings_of(kind, f"{above}{name}.")
            continue
        yield f"{above}{name}", _shown(field.get_default(call_default_factory=True)), field.description or ""


def _shown(default: Any) -> str:
    if isinstance(default, timedelta):
        return format_duration(default)
    return "" if default is None or default in ((), {}) else str(default)
