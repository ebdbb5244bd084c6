"""Reads users from the output of a vendor's list command.

The output is untrusted text. Nothing in it may raise an error other than `UnreadableList`. Entries that are no user ids
are escaped here, because they are shown in statuses, Events and log lines.
"""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from seatpool.api.expressions import Expression
from seatpool.api.licensepool import MAX_SEATS
from seatpool.api.list_backends import ListFormat, ListFormatType
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.commands import is_user
from seatpool.text import escape_unprintable

LONGEST_LINE = 512
"""Characters. Longer lines are not searched: no user id is so long."""
LONGEST_SEARCH = 0.5
"""Seconds of processor time for the regular expressions of one list. A list of 5,000 users takes about 0.01 s."""
MOST_ODD = MAX_SEATS
"""Entries that are no user ids and are kept. A list has at most as many users."""
MOST_ODD_TEXT = 1_000_000
"""Characters of all such entries together."""


class UnreadableList(SeatpoolError):
    """The output is not in the format that spec.xlc.listFormat describes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The entries of a list that the client printed, sorted, without duplicates."""

    users: tuple[str, ...]
    odd: tuple[str, ...] = ()
    """Entries that are no user ids, whole and escaped. What is beyond the limits is counted and hashed in the last one."""
    passed_over: tuple[str, ...] = ()
    """The lines of an output in which `listFormat` finds no entry at all, as far as they are kept. Empty: it finds some, or
    there are no lines."""


def parse_listing(text: str, form: ListFormat) -> Listing:
    """Returns the users in an output, and the entries that are no user ids."""
    users, odd = set[str](), set[str]()
    for entry in _entries(text, form):
        (users if is_user(entry) else odd).add(entry)
    passed_over = (
        [] if users or odd or form.type is ListFormatType.JSON else [line for line in text.split("\n") if line.strip()]
    )
    return Listing(
        users=tuple(sorted(users)),
        odd=_whole_as_far_as_possible(sorted(odd)),
        passed_over=_whole_as_far_as_possible(passed_over),
    )


def _whole_as_far_as_possible(entries: Sequence[str]) -> tuple[str, ...]:
    """Returns the entries escaped. The former list is in the audit trail, and an admin decides about exactly this one."""
    kept, length = list[str](), 0
    for number, entry in enumerate(entries):
        shown = escape_unprintable(_cut(entry))
        length += len(shown)
        if length > MOST_ODD_TEXT or number >= MOST_ODD:
            left = entries[number:]
            return (*kept, f"({len(left)} more entries, not kept, {_fingerprint(*left)})")
        kept.append(shown)
    return tuple(kept)


def _cut(entry: str) -> str:
    if len(entry) <= LONGEST_LINE:
        return entry
    return f"{entry[:LONGEST_LINE]} ({len(entry) - LONGEST_LINE} more characters, not kept, {_fingerprint(entry)})"


def _fingerprint(*entries: str) -> str:
    text = "\n".join(entries).encode(errors="backslashreplace")
    return f"SHA-256 {hashlib.sha256(text).hexdigest()}"


def _entries(text: str, form: ListFormat) -> Iterable[str]:
    match form.type:
        case ListFormatType.LINES:
            return _lines(text, form)
        case ListFormatType.JSON:
            return _elements(text, form)
        case ListFormatType.REGEX:
            return _matches(text, form)


def _lines(text: str, form: ListFormat) -> Iterator[str]:
    ignored = None if form.ignore is None else _expression("ignore", form.ignore)
    for line in _limited(text.split("\n"), field="ignore"):
        entry = line.strip()
        if entry and not (ignored is not None and ignored.is_in(entry[:LONGEST_LINE])):
            yield entry


def _matches(text: str, form: ListFormat) -> Iterator[str]:
    if form.pattern is None:
        raise UnreadableList("spec.xlc.listFormat: type Regex needs a pattern")
    pattern = _expression("pattern", form.pattern)
    if pattern.groups < 1:
        raise UnreadableList(f"spec.xlc.listFormat.pattern {form.pattern!r} has no group that matches the user")
    for line in _limited(text.split("\n"), field="pattern"):
        if len(line) <= LONGEST_LINE and (found := pattern.first_group(line.rstrip("\r"))) is not None:
            yield found.strip()


def _limited(lines: Iterable[str], *, field: str) -> Iterator[str]:
    """Yields the lines. Raises UnreadableList if they are not searched within LONGEST_SEARCH."""
    until = time.thread_time() + LONGEST_SEARCH
    for line in lines:
        if time.thread_time() > until:
            raise UnreadableList(
                f"spec.xlc.listFormat.{field}: to search the list took longer than {LONGEST_SEARCH:g} s; write a simpler one"
            )
        yield line


def _elements(text: str, form: ListFormat) -> Iterator[str]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableList(f"spec.xlc.listFormat: type Json, but what was printed is no JSON: {error}") from error
    for key in form.path:
        if not isinstance(value, dict) or key not in value:
            raise UnreadableList(f"spec.xlc.listFormat.path: the JSON that was printed has no key {key!r} there")
        value = value[key]
    if not isinstance(value, list):
        raise UnreadableList(f"spec.xlc.listFormat.path leads to {_kind(value)} instead of an array")
    for element in value:
        entry = element.get(form.field) if form.field is not None and isinstance(element, dict) else element
        yield entry.strip() if isinstance(entry, str) else f"({_kind(entry)})"


def _expression(field: str, text: str) -> Expression:
    try:
        return Expression(text)
    except ValueError as error:
        raise UnreadableList(f"spec.xlc.listFormat.{field} {error}") from error


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a truth value", type(None): "nothing"}
    return names.get(type(value), "a number")
