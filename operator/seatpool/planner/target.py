"""Parses targets for waits: `p95 wait < 10m`, `max wait < 1h`, `share waiting < 5%`, `share served within 10m >= 95%`.

All of them are about all needs, those that are never served among them. A percentile is the nearest-rank one: `p95` is
the smallest wait that at least 95 of 100 needs did not exceed. It is always a wait that occurred.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto
from fractions import Fraction
from typing import Self

from seatpool.api.base import format_duration, parse_duration
from seatpool.domain.errors import SeatpoolError

_TARGET = re.compile(
    r"\s*(?P<of>p(?P<percent>[0-9]{1,2}(\.[0-9]{1,3})?)|max|share)(\s+wait(ing)?)?\s*(?P<sign><=?)\s*(?P<limit>\S+)\s*"
)
_SERVED = re.compile(r"\s*(share\s+)?served\s+within\s+(?P<within>\S+)\s*(?P<sign>>=?)\s*(?P<limit>\S+)\s*")
_SHARE = re.compile(r"([0-9]{1,3}(\.[0-9]{1,6})?)\s*%|(0?\.[0-9]{1,8}|[01](\.0+)?)")
_EXAMPLES = "'p95 wait < 10m', 'max wait < 1h', 'share waiting < 5%' or 'share served within 10m >= 95%'"


class InvalidTarget(SeatpoolError):
    """A target cannot be parsed. The message shows correct ones."""

    def __init__(self, text: str, what: str) -> None:
        super().__init__(f"--target {text!r}: {what}; write for example {_EXAMPLES}")


class Statistic(Enum):
    """Statistics of waits that a target can bound."""

    PERCENTILE = auto()
    MAX = auto()
    SHARE = auto()
    SERVED_WITHIN = auto()


@dataclass(frozen=True, slots=True)
class Target:
    """Bound of one statistic of the waits.

    It divides the needs into those that are served well enough and those that are not, and says how many of these it
    permits. A need that is never served is never served well enough.
    """

    statistic: Statistic
    percent: Fraction
    """0 if it is no percentile."""
    limit: float
    """Seconds, or for a share a number from 0 to 1."""
    or_equal: bool
    text: str
    within: float = 0.0
    """Seconds, if the share is that of the needs served within so much time."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Parses a target, in any spacing. Raises InvalidTarget."""
        if (served := _SERVED.fullmatch(text)) is not None:
            within, share, sign = (
                _read_length(text, served["within"]),
                _read_share(text, served["limit"]),
                served["sign"],
            )
            told = f"share served within {format_duration(within)} {sign} {share * 100:.6g}%"
            return cls(Statistic.SERVED_WITHIN, Fraction(0), share, sign == ">=", told, within.total_seconds())
        found = _TARGET.fullmatch(text)
        if found is None:
            raise InvalidTarget(text, "this is no bound on a wait")
        of, percent, sign = found["of"], Fraction(found["percent"] or 0), found["sign"]
        if of == "share":
            limit = _read_share(text, found["limit"])
            return cls(Statistic.SHARE, percent, limit, sign == "<=", f"share waiting {sign} {limit * 100:.6g}%")
        if of != "max" and not percent:
            raise InvalidTarget(text, "there is no percentile p0")
        length = _read_length(text, found["limit"])
        statistic = Statistic.MAX if of == "max" else Statistic.PERCENTILE
        told = f"{of} wait {sign} {format_duration(length)}"
        return cls(statistic, percent, length.total_seconds(), sign == "<=", told)

    @property
    def longest_good_wait(self) -> float:
        """Seconds. A need that waits longer is not served well enough."""
        match self.statistic:
            case Statistic.SHARE:
                return 0.0
            case Statistic.SERVED_WITHIN:
                return self.within
            case _:
                return self.limit

    def is_exceeded_by(self, wait: float) -> bool:
        """Tells whether a need that waits so long, in seconds, is not served well enough."""
        if self.statistic in (Statistic.PERCENTILE, Statistic.MAX) and not self.or_equal:
            return wait >= self.limit
        return wait > self.longest_good_wait

    def permits(self, exceeding: int, *, of: int) -> bool:
        """Tells whether the target is met when so many of all needs are not served well enough."""
        if not of:
            return True
        match self.statistic:
            case Statistic.MAX:
                return not exceeding
            case Statistic.PERCENTILE:
                return exceeding <= of - rank(self.percent, of)
            case Statistic.SHARE:
                share = exceeding / of
                return share <= self.limit if self.or_equal else share < self.limit
            case Statistic.SERVED_WITHIN:
                share = (of - exceeding) / of
                return share >= self.limit if self.or_equal else share > self.limit

    def most_permitted(self, of: int) -> int:
        """Returns the largest number of needs, of all, that may not be served well enough. -1: the target cannot be met."""
        low, high = -1, of
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.permits(middle, of=of) else (low, middle - 1)
        return low


def percentile(ordered: Sequence[float], percent: Fraction | int) -> float:
    """Returns the nearest-rank percentile of ascending values. 0: there are none."""
    return ordered[rank(percent, len(ordered)) - 1] if ordered else 0.0


def rank(percent: Fraction | int, count: int) -> int:
    """Returns which of `count` ordered values is the percentile, counted from 1."""
    return max(1, -int(-percent * count // 100))


def _read_length(text: str, limit: str) -> timedelta:
    try:
        return parse_duration(limit)
    except ValueError as error:
        raise InvalidTarget(text, str(error)) from error


def _read_share(text: str, limit: str) -> float:
    found = _SHARE.fullmatch(limit)
    if found is None:
        raise InvalidTarget(text, f"{limit!r} is not a share of all starts")
    share = float(Fraction(found[1]) / 100) if found[1] else float(Fraction(found[3]))
    if share > 1:
        raise InvalidTarget(text, f"{limit!r} is more than all starts")
    return share
