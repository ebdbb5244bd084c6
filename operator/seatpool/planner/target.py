"""Parses targets for waits: `p95 wait < 10m`, `max wait < 1h`, `share waiting < 5%`.

A percentile is the nearest-rank one: `p95` is the smallest wait that at least 95 of 100 needs did not exceed. It is
always a wait that occurred.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from fractions import Fraction
from typing import Self

from seatpool.api.base import format_duration, parse_duration
from seatpool.domain.errors import SeatpoolError

_TARGET = re.compile(
    r"\s*(?P<of>p(?P<percent>[0-9]{1,2}(\.[0-9]{1,3})?)|max|share)(\s+wait(ing)?)?\s*(?P<sign><=?)\s*(?P<limit>\S+)\s*"
)
_SHARE = re.compile(r"([0-9]{1,3}(\.[0-9]{1,6})?)\s*%|(0?\.[0-9]{1,8}|[01](\.0+)?)")


class InvalidTarget(SeatpoolError):
    """A target cannot be parsed. The message shows correct ones."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__(
            f"--target {text!r}: {what}; write for example 'p95 wait < 10m', 'max wait < 1h' or 'share waiting < 5%'"
        )


class Statistic(Enum):
    """Statistics of waits that a target can bound."""

    PERCENTILE = auto()
    MAX = auto()
    SHARE = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """Upper bound of one statistic of the waits."""

    statistic: Statistic
    percent: Fraction
    """0 if it is no percentile."""
    limit: float
    """Seconds, or for a share a number from 0 to 1."""
    or_equal: bool
    text: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Parses a target, in any spacing. Raises InvalidTarget."""
        found = _TARGET.fullmatch(text)
        if found is None:
            raise InvalidTarget(text, "this is no bound on a wait")
        of, percent, sign = found["of"], Fraction(found["percent"] or 0), found["sign"]
        if of == "share":
            limit = _read_share(text, found["limit"])
            return cls(Statistic.SHARE, percent, limit, sign == "<=", f"share waiting {sign} {limit * 100:.6g}%")
        if of != "max" and not percent:
            raise InvalidTarget(text, "there is no percentile p0")
        try:
            length = parse_duration(found["limit"])
        except ValueError as error:
            raise InvalidTarget(text, str(error)) from error
        statistic = Statistic.MAX if of == "max" else Statistic.PERCENTILE
        told = f"{of} wait {sign} {format_duration(length)}"
        return cls(statistic, percent, length.total_seconds(), sign == "<=", told)

    def is_met_by(self, value: float) -> bool:
        return value <= self.limit if self.or_equal else value < self.limit


def percentile(ordered: Sequence[float], percent: Fraction | int) -> float:
    """Returns the nearest-rank percentile of ascending values. 0: there are none."""
    return ordered[rank(percent, len(ordered)) - 1] if ordered else 0.0


def rank(percent: Fraction | int, count: int) -> int:
    """Returns which of `count` ordered values is the percentile, counted from 1."""
    return max(1, -int(-percent * count // 100))


def _read_share(text: str, limit: str) -> float:
    found = _SHARE.fullmatch(limit)
    if found is None:
        raise InvalidTarget(text, f"{limit!r} is not a share of all starts")
    share = float(Fraction(found[1]) / 100) if found[1] else float(Fraction(found[3]))
    if share > 1:
        raise InvalidTarget(text, f"{limit!r} is more than all starts")
    return share
