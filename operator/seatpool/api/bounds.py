"""Bounds of durations: a CEL rule for the API server, and a clamp for values that it stored before it knew the rule.

The API server refuses what is outside, and says what is valid. A model that is read has the nearest value inside. So
code that computes with a bounded duration never meets one that overflows.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import AfterValidator, Field

from seatpool.api.base import cel, format_duration, parse_duration, rules

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DurationBounds:
    """The shortest and the longest valid duration. Use it as `Annotated[Duration, bounds.clamp, bounds.rule]`."""

    least: str
    most: str
    example: str

    @property
    def shortest(self) -> timedelta:
        """The shortest valid duration."""
        return parse_duration(self.least)

    @property
    def longest(self) -> timedelta:
        """The longest valid duration."""
        return parse_duration(self.most)

    def within(self, value: timedelta) -> timedelta:
        """Returns the nearest valid duration."""
        return min(max(value, self.shortest), self.longest)

    @property
    def clamp(self) -> AfterValidator:
        """Returns the validator that makes a value valid."""
        return AfterValidator(self.within)

    @property
    def rule(self) -> Any:
        """Returns the field constraint with the CEL rule.

        CEL's durations have no days. Whole days are listed, and days together with other units are refused.
        """
        hours = self.longest // timedelta(hours=1)
        seconds = (self.longest - timedelta(hours=hours)) // timedelta(seconds=1)
        first = -(-self.shortest // _DAY)
        days = ", ".join(f"'{day}d'" for day in range(first, self.longest // _DAY + 1))
        longest = f"{hours}h{seconds}s" if seconds else f"{hours}h"
        return Field(
            json_schema_extra=rules(
                cel(
                    f"self.contains('d') ? self in [{days}] : "
                    f"duration(self) >= duration('{self.least}') && duration(self) <= duration('{longest}')",
                    f"must be {self.least} to {format_duration(self.longest)}, for example {self.example}; "
                    "write days alone, or hours instead of them",
                )
            )
        )
