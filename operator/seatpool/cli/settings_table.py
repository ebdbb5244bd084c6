"""Prints a table of all settings."""

from rich.padding import Padding

from seatpool.settings.catalogue import all_settings
from seatpool.terminal.output import console, table


def print_settings() -> None:
    """Prints key, default and meaning of every setting."""
    drawn = table("Key", "Default", "Meaning", fold=True, title="All settings, as --set and the file name them")
    for row in all_settings():
        drawn.add_row(row.key, row.default, row.meaning)
    screen = console()
    screen.print(Padding(drawn, (0, 0, 0, 1)))
    screen.print()
    screen.print("The environment variable of mirror.long_poll is SEATPOOL_MIRROR__LONG_POLL, and so on.")
