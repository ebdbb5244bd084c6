"""Reads users from the output of a vendor's list command.

The output is untrusted text. Nothing in it may raise an error other than `UnreadableList`.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from seatpool.api.licenseserver import ListFormat, ListFormatType
from seatpool.domain.errors import SeatpoolError
from seatpool.servers.commands import is_user

LONGEST_LINE = 512
"""Characters. Longer lines are not searched: no user id is so long, and a regular expression may take long."""
LONGEST_ODD = 128
MOST_ODD = 20


class UnreadableList(SeatpoolError):
    """The output is not in the format that spec.xlc.listFormat describes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The entries of a list that the client printed."""

    users: tuple[str, ...]
    odd: tuple[str, ...] = ()


def parse_listing(text: str, form: ListFormat) -> Listing:
    """Returns the users in an output, sorted, without duplicates. Entries that are no user ids are in `odd`."""
    users, odd = set(), set()
    for entry in _entries(text, form):
        if is_user(entry):
            users.add(entry)
        else:
            odd.add(entry[:LONGEST_ODD])
    return Listing(users=tuple(sorted(users)), odd=tuple(sorted(odd)[:MOST_ODD]))


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
    for line in text.split("\n"):
        entry = line.strip()
        if entry and not (ignored is not None and ignored.search(entry[:LONGEST_LINE])):
            yield entry


def _matches(text: str, form: ListFormat) -> Iterator[str]:
    if form.pattern is None:
        raise UnreadableList("spec.xlc.listFormat: type Regex needs a pattern")
    pattern = _expression("pattern", form.pattern)
    if pattern.groups < 1:
        raise UnreadableList(f"spec.xlc.listFormat.pattern {form.pattern!r} has no group that matches the user")
    for line in text.split("\n"):
        if len(line) <= LONGEST_LINE and (found := pattern.search(line.rstrip("\r"))) is not None:
            yield (found.group(1) or "").strip()


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


def _expression(field: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise UnreadableList(f"spec.xlc.listFormat.{field} {text!r} is no regular expression: {error}") from error


def _kind(value: object) -> str:
    names = {dict: "an object", list: "an array", str: "a string", bool: "a truth value", type(None): "nothing"}
    return names.get(type(value), "a number")
