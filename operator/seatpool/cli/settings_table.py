"""Prints a table of all settings. It is made from the settings classes, so that no setting can be missing."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from seatpool.api.base import format_duration
from seatpool.settings.settings import Settings


def print_settings() -> None:
    """Prints key, default and meaning of every setting."""
    table = Table(title="All settings, as --set and the file name them", title_justify="left", box=None)
    for heading in ("Key", "Default", "Meaning"):
        table.add_column(heading, overflow="fold")
    for row in settings_of(Settings):
        table.add_row(*row)
    console = Console()
    console.print(table)
    console.print("\nThe environment variable of mirror.long_poll is SEATPOOL_MIRROR__LONG_POLL, and so on.")


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
