"""Accounts and regions whose events come although nobody listed them: forwarded by mistake, or forgotten in the settings.

They are shown for as long as their events keep coming, and only so many of them: who sends them chooses their number.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

SHOWN_FOR = timedelta(hours=1)
MOST = 20


@dataclass(frozen=True, slots=True)
class Refused:
    """One of them."""

    account: str
    region: str
    since: datetime
    last: datetime

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


class RefusedSources:
    """Those of the last hour."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._known: OrderedDict[tuple[str, str], Refused] = OrderedDict()

    def add(self, account: str, region: str) -> None:
        now = self._clock()
        known = self._known.get((account, region))
        since = known.since if known is not None else now
        self._known[account, region] = Refused(account, region, since, now)
        self._known.move_to_end((account, region))
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    def forget(self, account: str, region: str) -> None:
        """It is listed now."""
        self._known.pop((account, region), None)

    def now(self) -> tuple[Refused, ...]:
        oldest = self._clock() - SHOWN_FOR
        for place in [place for place, known in self._known.items() if known.last < oldest]:
            del self._known[place]
        return tuple(sorted(self._known.values(), key=lambda one: (one.account, one.region)))
