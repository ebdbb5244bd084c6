"""Holds the past: which workbench of which user was in which state, from when to when."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from seatpool.domain.errors import SeatpoolError
from seatpool.planner.past_demand import PastDemand, Period, past_demand
from seatpool.text import natural_key

SHOWN_TYPES = 20


class NoSuchPast(SeatpoolError):
    """The past has nothing of the kind that is asked for."""


@dataclass(frozen=True, slots=True)
class ActivePeriod:
    """A workbench was in one state from `begin` to `end`."""

    user: str
    type: str
    state: str
    begin: datetime
    end: datetime


@dataclass(frozen=True)
class Past:
    """Content of a file of events or of a history."""

    periods: Sequence[ActivePeriod]
    since: datetime
    until: datetime
    source: str
    """Name of the files, for people."""
    lines: int
    """Number of lines or rows that were read."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """Lines that could not be used, by reason."""
    waits_not_known: int = 0
    """For how many seats of a history it is not known how long they were waited for."""

    def types(self) -> tuple[str, ...]:
        """Returns the types, `t2` before `t10`."""
        return tuple(sorted(self._by_type, key=natural_key))

    def has_type(self, serves: Callable[[str], bool]) -> bool:
        """Tells whether there is a workbench type that is served."""
        return any(map(serves, self._by_type))

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[ActivePeriod]]:
        found: dict[str, list[ActivePeriod]] = {}
        for period in self.periods:
            found.setdefault(period.type, []).append(period)
        return found

    def demand(self, name: str, *, serves: Callable[[str], bool], states: frozenset[str]) -> PastDemand:
        """Returns the needs of a pool that serves these types in these states. Raises NoSuchPast."""
        served = frozenset(filter(serves, self.types()))
        if not served:
            raise NoSuchPast(f"{name}: {self.source} has no workbench type like that; it has {self._format_types()}")
        active: dict[str, list[Period]] = {}
        for of_type in served:
            for period in self._by_type[of_type]:
                if period.state in states:
                    active.setdefault(period.user, []).append((period.begin, period.end))
        return past_demand(name, active.items(), since=self.since, until=self.until)

    def _format_types(self) -> str:
        types = self.types()
        more = f" and {len(types) - SHOWN_TYPES} more" if len(types) > SHOWN_TYPES else ""
        return (", ".join(types[:SHOWN_TYPES]) or "none") + more


def trim_end(begin: datetime, end: datetime, *, by: timedelta) -> datetime:
    """Returns the end of a period, without a time that was added to it."""
    return max(begin, end - by)
