"""Says in one sentence why an object cannot be read. No text of a library reaches a user."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from seatpool.api.formats import FORMATS
from seatpool.domain.errors import SeatpoolError

_MOST_FIELDS = 3
_LONGEST_VALUE = 60
_RIGHT = (
    ("datetime", "write a time of the years 1 to 9999 in UTC, such as 2026-03-09T08:00:00Z"),
    ("timezone", "write a time of the years 1 to 9999 in UTC, such as 2026-03-09T08:00:00Z"),
    ("enum", "write {expected}"),
    ("literal_error", "write {expected}"),
    ("string_too_long", "write at most {max_length} characters"),
    ("string_too_short", "write at least {min_length} characters"),
    ("string_pattern_mismatch", "write text that matches {pattern}"),
    ("string", "write text"),
    ("greater_than_equal", "write {ge} or more"),
    ("less_than_equal", "write {le} or less"),
    ("int", "write a whole number"),
    ("bool", "write true or false"),
    ("too_long", "write at most {max_length} entries"),
    ("too_short", "write at least {min_length} entries"),
    ("tuple", "write a list"),
    ("list", "write a list"),
    ("dict", "write fields with values"),
    ("model", "write fields with values"),
)
"""What would be right, by the beginning of the library's word for the error. The first that fits counts."""
_NOTHING_BETTER = "see what `kubectl explain` says of it"


def problem_of(error: Exception) -> str:
    """Returns the fields and values that are wrong and what would be right, or the message of an error of ours."""
    if isinstance(error, SeatpoolError):
        return str(error)
    if not isinstance(error, ValidationError):
        return f"it cannot be read ({type(error).__name__})"
    found = error.errors(include_url=False)
    fields = [_field_problem(one) for one in found[:_MOST_FIELDS]]
    more = f"; and {len(found) - _MOST_FIELDS} more" if len(found) > _MOST_FIELDS else ""
    return "; ".join(fields) + more


def _field_problem(error: Any) -> str:
    field = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        return f"{field} is missing"
    shown = ascii(error["input"])
    shown = shown if len(shown) <= _LONGEST_VALUE else f"{shown[:_LONGEST_VALUE]}..."
    return f"{field}: {shown} cannot be used: {_what_is_right(error['type'], error.get('ctx') or {})}"


def _what_is_right(kind: str, values: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return str(values.get("error", _NOTHING_BETTER)).removesuffix(".")  # a validator of ours
    if kind == "string_pattern_mismatch" and (known := FORMATS.get(values["pattern"])):
        return f"write {known.words}"
    template = next((right for beginning, right in _RIGHT if kind.startswith(beginning)), _NOTHING_BETTER)
    return template.format_map(values)
