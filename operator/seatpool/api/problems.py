"""Says in one sentence why an object cannot be read. No text of a library reaches a user."""

from pydantic import ValidationError

from seatpool.domain.errors import SeatpoolError

_MOST_FIELDS = 3
_LONGEST_VALUE = 60


def problem_of(error: Exception) -> str:
    """Returns the fields and values that are wrong, or the message of an error of ours."""
    if isinstance(error, SeatpoolError):
        return str(error)
    if not isinstance(error, ValidationError):
        return f"it cannot be read ({type(error).__name__})"
    found = error.errors(include_url=False, include_context=False)
    fields = [_field_problem(tuple(one["loc"]), one["input"], one["msg"], one["type"]) for one in found[:_MOST_FIELDS]]
    more = f"; and {len(found) - _MOST_FIELDS} more" if len(found) > _MOST_FIELDS else ""
    return "; ".join(fields) + more


def _field_problem(location: tuple[str | int, ...], value: object, text: str, kind: str) -> str:
    field = ".".join(map(str, location))
    if kind == "missing":
        return f"{field} is missing"
    shown = repr(value)
    shown = shown if len(shown) <= _LONGEST_VALUE else f"{shown[:_LONGEST_VALUE]}..."
    return f"{field}: {shown} cannot be used: {text.removeprefix('Value error, ').removesuffix('.')}"
