"""Facts as notifications for users' portals, by webhooks and EventBridge."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import Mode
from seatpool.api.seatledger import LedgerEnded
from seatpool.cache.store import Store
from seatpool.control.sinks import facts
from seatpool.control.sinks.pending_notifications import PendingNotifications
from seatpool.domain.allocation import InLine
from seatpool.notify.config import NotifyConfig
from seatpool.notify.notices import (
    SHOWN,
    DriftDetected,
    Notice,
    PoolSaturated,
    SeatAssigned,
    SeatReleased,
    SeatWaiting,
    notice_id,
)


@dataclass(slots=True, kw_only=True)
class Notifications:
    """Sends a notification for each seat, wait and drift of a pool whose answers become lists.

    A notification's id follows from what it tells, so that a receiver can drop the second of two.
    """

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.AnswerStored,
        facts.ListConfirmed,
        facts.DriftDetected,
    )

    store: Store
    installation: str
    send: Callable[[Notice], None]
    config: NotifyConfig
    pending: PendingNotifications
    clock: Callable[[], datetime]
    _to_repeat: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Users by pool whose seat the process before may not have told of."""

    def handle(self, fact: facts.Fact) -> None:
        """Takes one fact."""
        match fact:
            case facts.AnswerStored() if self._is_real(fact.pool):
                self._answered(fact)
            case facts.ListConfirmed():
                self._confirmed(fact)
            case facts.DriftDetected():
                added, removed = fact.added, fact.removed
                self._send(
                    fact.pool, DriftDetected, self.clock(), (fact.observed.revision, *added, "", *removed),
                    added=added[:SHOWN], removed=removed[:SHOWN], adds=len(added), removes=len(removed),
                )  # fmt: skip
            case _:
                pass

    def may_forget(self, pool: str, ended: LedgerEnded) -> bool:
        """Whether the ledger may drop a seat that ended: every receiver has taken the notification of it."""
        known = self.store.pools.get(pool)
        return known is None or not self._is_real(known) or self.pending.is_delivered(pool, ended)

    def _answered(self, fact: facts.AnswerStored) -> None:
        pool, answer = fact.pool, fact.answer
        self._tell_line(pool, fact.waited, answer.waiting)
        if fact.before is None:
            since = self._last_seen(pool) - self.config.repeated
            self._to_repeat[pool.key] = tuple(user for user, seat in answer.seats.items() if seat.since > since)
        self.pending.reload_ended(pool.key)

    def _last_seen(self, pool: LicensePool) -> datetime:
        """The last sign of the process before this one: it cannot have told of seats that were given after it."""
        server = self.store.servers.get(pool.server_key)
        verified = server.status.last_verified if server is not None else None
        return min(filter(None, (self.clock(), verified)))

    def _tell_line(self, pool: LicensePool, waited: Mapping[str, InLine], waiting: Sequence[InLine]) -> None:
        if waiting and not waited:
            at = self.clock()
            self._send(pool, PoolSaturated, at, (waiting[0].since,), seats=pool.spec.seats, waiting=len(waiting))
        for one in waiting:
            before = waited.get(one.user)
            if before is None or (before.position != one.position and one.position <= self.config.positions):
                self._send(
                    pool, SeatWaiting, self.clock(), (one.user, one.since, one.position), user=one.user,
                    position=one.position, waiting=len(waiting), since=one.since, reason=one.reason.value,
                    earliest=one.earliest, workbenches=self._workbenches(pool, one.user),
                )  # fmt: skip

    def _confirmed(self, fact: facts.ListConfirmed) -> None:
        pool, state = fact.pool, fact.state
        repeated = self._to_repeat.pop(pool.key, ())
        if state.answer is None or not self._is_real(pool):
            return
        for gone in self.pending.pop_due(pool.key):
            self._tell_release(pool, gone, is_back=gone.user in state.answer.seats, revision=state.revision)
        for user in dict.fromkeys((*repeated, *(one.user for one in state.granted))):
            seat = state.answer.seats.get(user)
            if seat is not None:
                self._send(
                    pool, SeatAssigned, self.clock(), (user, seat.since), user=user, reason=seat.reason.value,
                    since=seat.since, revision=state.revision, workbenches=self._workbenches(pool, user),
                )  # fmt: skip

    def _tell_release(self, pool: LicensePool, gone: LedgerEnded, *, is_back: bool, revision: int) -> None:
        notice = "" if is_back else self._send(
            pool, SeatReleased, self.clock(), (gone.user, gone.since), user=gone.user, reason=gone.reason,
            held_seconds=int((gone.at - gone.since).total_seconds()), revision=revision,
        )  # fmt: skip
        self.pending.record_sent(pool.key, gone, notice=notice)

    def _is_real(self, pool: LicensePool) -> bool:
        """Whether the answer becomes a list: no user is told of a seat that is only computed."""
        return self.store.mode_of(pool) is Mode.ENFORCE

    def _send(self, pool: LicensePool, kind: type[Notice], at: datetime, key: tuple[object, ...], **fields: Any) -> str:
        """Sends a notification. Returns its id."""
        name = notice_id(self.installation, kind.type, pool.metadata.uid, *key)
        self.send(
            kind(
                id=name,
                at=at,
                installation=self.installation,
                pool=pool.key,
                product=pool.spec.product,
                server=pool.server_key,
                **fields,
            )
        )
        return name

    def _workbenches(self, pool: LicensePool, user: str) -> tuple[str, ...]:
        return tuple(sorted(key.partition("/")[2] for key in self.store.demand.workbenches_of(pool.key, user)))[:SHOWN]
