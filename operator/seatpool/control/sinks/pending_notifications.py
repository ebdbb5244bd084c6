"""Tracks freed seats and ended waits whose notification is pending. The ledger keeps them until every receiver has taken it.

A seat is freed in the ledger first, then on the license server. Only then the notification is sent. If the operator is killed
in between, or while a receiver is away, the seat is still in the ledger. The next operator sends the notification under the
same id. It costs no write of its own. A wait that ended is told as soon as the ledger has it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from seatpool.api.seatledger import LedgerEnded
from seatpool.cache.store import Store

What = Literal["Seat", "Wait"]
_Mark = tuple[What, str, datetime]


@dataclass(slots=True)
class _Pool:
    due: dict[_Mark, LedgerEnded] = field(default_factory=dict)
    """What ended and has no notification yet."""
    sent: dict[_Mark, str] = field(default_factory=dict)
    """Ids of the notifications. Empty: no user needs one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingNotifications:
    """Tracks the freed seats and ended waits of all pools."""

    store: Store
    is_in_outbox: Callable[[str], bool]
    """Returns whether a receiver has not taken the notification of this id yet."""
    _pools: dict[str, _Pool] = field(default_factory=dict)

    def reload_ended(self, pool: str) -> None:
        """Reads from the ledger which seats and waits of a pool ended."""
        tracked = self._pools.setdefault(pool, _Pool())
        ended = {_mark(one): one for one in self.store.ended_of(pool)}
        tracked.due |= {mark: one for mark, one in ended.items() if mark not in tracked.sent}
        for mark in tracked.sent.keys() - ended.keys():
            del tracked.sent[mark]

    def pop_due(self, pool: str, what: What) -> list[LedgerEnded]:
        """Returns the seats, or the waits, without a notification yet. The caller calls `record_sent` for each."""
        tracked = self._pools.get(pool)
        if tracked is None:
            return []
        due = {mark: one for mark, one in tracked.due.items() if one.what == what}
        for mark in due:
            del tracked.due[mark]
        return list(due.values())

    def record_sent(self, pool: str, ended: LedgerEnded, *, notice: str) -> None:
        """Records that the notification with this id was sent. Empty: no user needs one."""
        self._pools[pool].sent[_mark(ended)] = notice

    def is_delivered(self, pool: str, ended: LedgerEnded) -> bool:
        """Whether the ledger may drop the entry: every receiver has taken the notification, or none is needed."""
        tracked = self._pools.get(pool)
        notice = tracked.sent.get(_mark(ended)) if tracked is not None else None
        return notice is not None and not self.is_in_outbox(notice)


def _mark(ended: LedgerEnded) -> _Mark:
    return ended.what, ended.user, ended.since
