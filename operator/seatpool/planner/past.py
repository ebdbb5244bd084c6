"""What is known of the past: which workbenches were in which state when, and whose they were."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from seatpool.domain.errors import SeatpoolError
from seatpool.planner.past_demand import PastDemand, Period, past_demand

SHOWN_TYPES = 20


class NoSuchPast(SeatpoolError):
    """The past has nothing of what was asked for."""


@dataclass(frozen=True, slots=True)
class ActivePeriod:
    """A workbench was in one state, from then to then."""

    user: str
    type: str
    state: str
    begin: datetime
    end: datetime


@dataclass(frozen=True)
class Past:
    """All that a file of events or a history says."""

    periods: Sequence[ActivePeriod]
    since: datetime
    until: datetime
    source: str
    """What it was read from, for people."""
    lines: int
    """How many lines or rows were read."""
    passed_over: Counter[str] = field(default_factory=Counter)
    """What could not be used, by reason."""

    def types(self) -> tuple[str, ...]:
        return tuple(sorted(self._by_type))

    def has_type(self, serves: Callable[[str], bool]) -> bool:
        """Whether there is any type that is served."""
        return any(map(serves, self._by_type))

    @cached_property
    def _by_type(self) -> Mapping[str, Sequence[ActivePeriod]]:
        found: dict[str, list[ActivePeriod]] = {}
        for period in self.periods:
            found.setdefault(period.type, []).append(period)
        return found

    def demand(self, name: str, *, serves: Callable[[str], bool], states: frozenset[str]) -> PastDemand:
        """Who needed a pool that serves these types in these states; NoSuchPast when there is no such type at all."""
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


def merge_pasts(pasts: Iterable[Past]) -> Past:
    """Several sources as one past."""
    every = list(pasts)
    if len(every) == 1:
        return every[0]
    return Past(
        periods=[period for past in every for period in past.periods],
        since=min(past.since for past in every),
        until=max(past.until for past in every),
        source=", ".join(past.source for past in every),
        lines=sum(past.lines for past in every),
        passed_over=sum((past.passed_over for past in every), Counter[str]()),
    )


def trim_end(begin: datetime, end: datetime, *, by: timedelta) -> datetime:
    """The end of a period without a time that was added to it."""
    return max(begin, end - by)
