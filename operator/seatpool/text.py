"""Formats times, durations, counts, shares and names for people, and foreign text for where it leaves the program.

Every screen, page and message uses these functions, so a value looks the same everywhere. Durations as a spec spells
them (`1h30m`) and RFC 3339 times for programs are in `api/base.py`.

Tags, events and what a license server prints are foreign text. A control character in it can change a terminal, a line
break can forge a line, and a direction override can hide what is written. So `escape_unprintable` is applied where text
leaves the program: to the terminal, the log, Events, conditions, CSV cells and pages.
"""

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from difflib import get_close_matches

_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("min", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)
NOT_KNOWN = "-"
JSON_NAME = "json"
"""Key of a dataclass field's metadata: the field's name in JSON and YAML, if it differs from the attribute."""
MOST_NAMES = 5
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""Beginnings of text that a spreadsheet takes for a formula; the last four are full-width forms."""
_COMMAND = re.compile(r"(?::? \(|: )(?P<command>(?:kubectl|seatpool) [a-z][^()]+?)\)?\.?$")
_URL = re.compile(r"(https?://)(?:[^\s/?#'\"]*@)?([^\s/?#'\"@]*)([^\s'\"]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """Formats times in the reader's time zone, relative to now."""

    zone: tzinfo
    now: datetime

    def format_time(self, instant: datetime | None) -> str:
        """Returns `09:42` for today and `2026-03-09 09:42` for another day."""
        if instant is None:
            return "an unknown time"
        there, today = instant.astimezone(self.zone), self.now.astimezone(self.zone).date()
        return f"{there:%H:%M}" if there.date() == today else f"{there:%Y-%m-%d %H:%M}"

    @property
    def zone_name(self) -> str:
        """Returns the name of the zone now, such as `CET`."""
        return self.now.astimezone(self.zone).strftime("%Z")

    def format_time_or_now(self, instant: datetime) -> str:
        """Returns `at 09:42`, or `at once` if the time has come."""
        return "at once" if instant <= self.now else f"at {self.format_time(instant)}"

    def format_age(self, instant: datetime | None) -> str:
        """Returns the time since then, such as `12 min`. `-`: it never was."""
        return NOT_KNOWN if instant is None else format_rough_duration(self.now - instant)


def missing_package(what: str, name: str | None, *, extra: str) -> str:
    """Returns the message for a package of an extra that is not installed.

    No public index has Seatpool. So the message names no package that anybody could register there.
    """
    return (
        f"{what} a package that is not installed ({name}): run `make environment` in a clone, or install the wheel "
        f"with the extra: pip install './seatpool-VERSION-py3-none-any.whl[{extra}]'"
    )


def format_rough_duration(length: timedelta) -> str:
    """Returns the largest unit, such as `12 min`, and the next one if the count is below 10: `2 h 5 min`."""
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


def format_seconds(seconds: float | None) -> str:
    """Returns seconds as a rough duration."""
    return NOT_KNOWN if seconds is None else format_rough_duration(timedelta(seconds=seconds))


def format_names(names: Iterable[str], *, most: int = MOST_NAMES) -> str:
    """Returns the first names and the number of the others: `ann, bob and 3 more`."""
    found: Sequence[str] = list(names)
    shown = ", ".join(found[:most])
    return shown if len(found) <= most else f"{shown} and {len(found) - most} more"


def split_command(text: str) -> tuple[str, str]:
    """Returns a text and the command at its end, which is empty if there is none."""
    found = _COMMAND.search(text)
    return (text, "") if found is None else (f"{text[: found.start()]}:", found["command"])


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Returns a sort key by which `vew-t2` comes before `vew-t10`."""
    pieces = re.split(r"([0-9]+)", name)
    return (
        *((1, int(piece), piece) if number % 2 else (0, 0, piece) for number, piece in enumerate(pieces)),
        (0, 0, name),
    )


def near_names(name: str, known: Iterable[str]) -> list[str]:
    """Returns at most three names that are spelled like this one, the nearest first."""
    found = {one.casefold(): one for one in known}
    return [found[one] for one in get_close_matches(name.casefold(), found, n=3)]


def format_known(name: str, known: Iterable[str]) -> str:
    """Returns what to say about a name that does not exist: the near ones, or else the known ones, or that there is none."""
    names = sorted(known, key=natural_key)
    near = near_names(name, names)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return (
        f"there are: {format_names(names, most=10)}"
        if names
        else "there is none here: name another namespace with -n, or -A"
    )


def format_count(count: int, what: str, several: str | None = None) -> str:
    """Returns `1 pool` or `2 pools`. `several` is the plural of a word that needs more than an s."""
    return f"{count} {what}" if count == 1 else f"{count} {several or what + 's'}"


def format_ordinal(number: int) -> str:
    """Returns `1st`, `2nd`, `3rd`, `4th`, `11th` or `21st`."""
    teens = 10 < number % 100 < 14
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def format_percent(share: float | None, *, places: int | None = None) -> str:
    """Returns a share from 0 to 1 in percent.

    `places` is the number of decimals. None: whole numbers, but `0.3 %` below 1 % and `< 0.1 %` below that.
    """
    if share is None:
        return NOT_KNOWN
    value = share * 100
    if places is not None:
        return f"{value:.{places}f} %"
    if 0 < value < 0.05:
        return "< 0.1 %"
    return f"{value:.1f} %" if 0 < value < 1 else f"{value:.0f} %"


def format_number(value: float | None, *, places: int | None = None) -> str:
    """Returns a number such as `1,234`.

    `places` is the number of decimals. None: one for a fraction below ten, else none.
    """
    if value is None:
        return NOT_KNOWN
    if places is None:
        places = 1 if isinstance(value, float) and 0 < value < 9.95 else 0
    return f"{value:,.{places}f}"


def escape_unprintable(text: str, *, keep_lines: bool = False) -> str:
    """Returns the text with every character escaped that prints nothing or changes how others look.

    These are control characters, line breaks, format characters such as direction overrides, surrogates and odd spaces.
    `keep_lines` leaves line feeds as they are.
    """
    if text.isprintable():
        return text
    return "".join(escape_character(one) if not (keep_lines and one == "\n") else one for one in text)


def escape_character(one: str) -> str:
    """Returns a character as it is, or as in a Python string, such as `\\x1b`, if it is not printable."""
    return one if one.isprintable() else one.encode("unicode_escape").decode("ascii")


def escape_json(text: str) -> str:
    """Returns a JSON text with every character escaped that is not printable. Line feeds between values stay."""
    if text.isprintable():
        return text
    return "".join(one if one == "\n" or one.isprintable() else _json_escape(one) for one in text)


def _json_escape(one: str) -> str:
    units = one.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[index : index + 4]}" for index in range(0, len(units), 4))


def csv_cell(value: object) -> object:
    """Returns a value for a CSV cell. Text is escaped, and marked as text if a spreadsheet would take it for a formula."""
    if not isinstance(value, str):
        return value
    text = escape_unprintable(value)
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def escape_html(text: str) -> str:
    """Returns the text for an HTML document: what is not printable is escaped first, because a browser would obey it."""
    return html.escape(escape_unprintable(text))


def html_value(value: object) -> object:
    """Returns a value that a template prints. Text is escaped as in `escape_unprintable`; markup stays as it is."""
    return escape_unprintable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def redact_urls(text: str) -> str:
    """Returns the text with nothing but scheme, host and port left of each URL. Users, paths and queries may be secrets."""
    return _URL.sub(lambda found: found[1] + found[2] + ("/..." if found[3] not in ("", "/") else ""), text)
