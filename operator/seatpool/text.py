"""How instants, lengths of time and names are said to people: short, in their own time zone, and the same everywhere."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from seatpool.api.base import format_duration

_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)
NAMED = 5


@dataclass(frozen=True, slots=True)
class Speech:
    """Where and when something is said."""

    zone: tzinfo
    now: datetime

    def at(self, instant: datetime | None) -> str:
        """`09:42` today, `2026-03-09 09:42` on another day."""
        if instant is None:
            return "an unknown time"
        there, today = instant.astimezone(self.zone), self.now.astimezone(self.zone).date()
        return f"{there:%H:%M}" if there.date() == today else f"{there:%Y-%m-%d %H:%M}"

    def at_or_now(self, instant: datetime) -> str:
        """`at 09:42`, or `at once`."""
        return "at once" if instant <= self.now else f"at {self.at(instant)}"

    def ago(self, instant: datetime | None) -> str:
        """`12 min`, how long it has been; `-` when it never was."""
        return "-" if instant is None else rough(self.now - instant)


def rough(length: timedelta) -> str:
    """A length of time in its largest unit, and the next one where that is small."""
    if length < timedelta(seconds=1):
        return "0 s"
    for index, (name, unit) in enumerate(_UNITS):
        count = length // unit
        if count:
            below = _UNITS[index + 1] if index + 1 < len(_UNITS) else None
            rest = (length - count * unit) // below[1] if below is not None else 0
            return (
                f"{count} {name} {rest} {below[0]}" if below is not None and rest and count < 10 else f"{count} {name}"
            )
    return "0 s"


def exact(length: timedelta) -> str:
    """A duration as a spec spells it."""
    return format_duration(length)


def listed(names: Iterable[str], *, most: int = NAMED) -> str:
    """A few names and how many more: `ann, bob and 3 more`."""
    everybody: Sequence[str] = list(names)
    shown = ", ".join(everybody[:most])
    return shown if len(everybody) <= most else f"{shown} and {len(everybody) - most} more"


def counted(count: int, what: str) -> str:
    """`1 pool`, `2 pools`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


format_names = listed
