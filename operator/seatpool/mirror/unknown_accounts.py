"""Remembers accounts and regions that send events but are not configured.

Their events were forwarded by mistake, or the settings lack them. Their number is bounded, because senders choose it.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from seatpool.mirror.regions import AccountRegion

SHOWN_FOR = timedelta(hours=1)
"""Time after the last event."""
MOST = 20


@dataclass(frozen=True, slots=True)
class UnknownAccount:
    """An account and region that is not configured, with the times of its first and last event."""

    key: AccountRegion
    since: datetime
    last: datetime

    def __str__(self) -> str:
        return str(self.key)


class UnknownAccounts:
    """Accounts and regions whose events were refused in the last hour, the 20 latest at most."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._known: OrderedDict[AccountRegion, UnknownAccount] = OrderedDict()

    def add(self, key: AccountRegion) -> None:
        """Records an event of an account and region."""
        now = self._clock()
        known = self._known.get(key)
        self._known[key] = UnknownAccount(key, known.since if known is not None else now, now)
        self._known.move_to_end(key)
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    def forget(self, key: AccountRegion) -> None:
        """Drops a pair that is configured now."""
        self._known.pop(key, None)

    def current(self) -> tuple[UnknownAccount, ...]:
        """Returns the pairs of the last hour, sorted."""
        oldest = self._clock() - SHOWN_FOR
        for key in [key for key, known in self._known.items() if known.last < oldest]:
            del self._known[key]
        return tuple(self._known[key] for key in sorted(self._known))
