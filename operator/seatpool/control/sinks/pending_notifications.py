"""Freed seats whose notification is pending: the ledger keeps them until every receiver has taken it.

A seat is freed in the ledger first, then on the license server. Only then it is told. If the operator is killed in between, or
while a receiver is away, the seat is still in the ledger, and the next operator tells it under the same id. It costs no write
of its own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from seatpool.api.seatledger import LedgerEnded
from seatpool.cache.store import Store

_Mark = tuple[str, datetime]


@dataclass(slots=True)
class _Pool:
    due: dict[_Mark, LedgerEnded] = field(default_factory=dict)
    told: dict[_Mark, str] = field(default_factory=dict)
    """Ids of the notifications, empty where there was nothing to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingNotifications:
    """The freed seats of all pools."""

    store: Store
    is_on_its_way: Callable[[str], bool]
    """Whether a receiver has not taken the notification of this id yet."""
    _pools: dict[str, _Pool] = field(default_factory=dict)

    def refresh(self, pool: str) -> None:
        """Takes over what the ledger says has ended."""
        known = self._pools.setdefault(pool, _Pool())
        ended = {_mark(one): one for one in self._ended(pool)}
        known.due |= {mark: one for mark, one in ended.items() if mark not in known.told}
        for mark in known.told.keys() - ended.keys():
            del known.told[mark]

    def take(self, pool: str) -> list[LedgerEnded]:
        """Returns the seats that were not told yet. The caller answers each by `note`."""
        known = self._pools.get(pool)
        if known is None:
            return []
        due = list(known.due.values())
        known.due.clear()
        return due

    def note(self, pool: str, ended: LedgerEnded, *, notice: str) -> None:
        """Records that it was told by the notification of this id. Empty: no user has to know."""
        self._pools[pool].told[_mark(ended)] = notice

    def is_told(self, pool: str, ended: LedgerEnded) -> bool:
        """Whether the ledger may drop it."""
        if ended.what != "Seat":
            return True
        known = self._pools.get(pool)
        notice = known.told.get(_mark(ended)) if known is not None else None
        return notice is not None and not self.is_on_its_way(notice)

    def _ended(self, pool: str) -> Iterator[LedgerEnded]:
        for view in self.store.ledgers.get(pool, {}).values():
            yield from (one for one in view.spec.ended if one.what == "Seat")


def _mark(ended: LedgerEnded) -> _Mark:
    return ended.user, ended.since
