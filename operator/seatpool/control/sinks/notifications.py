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
from seatpool.domain.allocation import Allocation, InLine
from seatpool.notify.config import NotifyConfig
from seatpool.notify.notices import (
    SHOWN,
    DriftDetected,
    Notice,
    PoolSaturated,
    SeatAssigned,
    SeatDenied,
    SeatReleased,
    SeatWaiting,
    WaitEnded,
    notice_id,
)
from seatpool.policy.ended_entries import NEED_ENDED
from seatpool.policy.wait_estimate import Line, WaitEstimate

MOST_ESTIMATED = 50
"""Places in line that an estimate is made for."""
RANDOM_NUMBERS = 20_000
"""Random numbers of the estimates of one notification, some milliseconds. Larger pools have none."""


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
        """Whether the ledger may drop a seat or a wait that ended: every receiver has taken the notification of it."""
        known = self.store.pools.get(pool)
        return known is None or not self._is_real(known) or self.pending.is_delivered(pool, ended)

    def _answered(self, fact: facts.AnswerStored) -> None:
        pool, answer = fact.pool, fact.answer
        self._tell_line(fact)
        self._tell_denied(fact)
        if fact.before is None:
            since = self._last_seen(pool) - self.config.repeated
            self._to_repeat[pool.key] = tuple(user for user, seat in answer.seats.items() if seat.since > since)
        self.pending.reload_ended(pool.key)
        self._tell_ended_waits(pool, answer)

    def _last_seen(self, pool: LicensePool) -> datetime:
        """The last sign of the process before this one: it cannot have told of seats that were given after it."""
        server = self.store.servers.get(pool.server_key)
        verified = server.status.last_verified if server is not None else None
        return min(filter(None, (self.clock(), verified)))

    def _tell_line(self, fact: facts.AnswerStored) -> None:
        pool, waited, waiting = fact.pool, fact.waited, fact.answer.waiting
        if waiting and not waited:
            at = self.clock()
            self._send(pool, PoolSaturated, at, (waiting[0].since,), seats=pool.spec.seats, waiting=len(waiting))
        moved = [one for one in waiting if self._has_moved(one, waited.get(one.user))]
        likely = self._estimates(fact, moved)
        for one in moved:
            range_ = likely.get(one.user)
            self._send(
                pool, SeatWaiting, self.clock(), (one.user, one.since, one.position), user=one.user,
                position=one.position, waiting=len(waiting), since=one.since, reason=one.reason.value,
                earliest=one.earliest, workbenches=self._workbenches(pool, one.user),
                likely_from=None if range_ is None else range_.begin, likely_until=None if range_ is None else range_.end,
            )  # fmt: skip

    def _has_moved(self, one: InLine, before: InLine | None) -> bool:
        return before is None or (before.position != one.position and one.position <= self.config.positions)

    def _estimates(self, fact: facts.AnswerStored, moved: Sequence[InLine]) -> Mapping[str, WaitEstimate]:
        """Returns the estimates of some places in line, by user. It takes some milliseconds, or is given up.

        The first answer of a process may be one in which no user can be released, and so is one while the guard holds a
        change: there are no estimates then.
        """
        pool = fact.pool
        server = self.store.servers.get(pool.server_key)
        held = server is not None and server.status.guard is not None and server.status.guard.held is not None
        if not moved or fact.before is None or held:
            return {}
        line = Line(
            pool=pool, rules=self.store.rules[pool.key], answer=fact.answer, working=self.store.demand.needs(pool.key),
            now=self.clock(),
        )  # fmt: skip
        told = [one for one in moved if one.position <= MOST_ESTIMATED and line.rule_in_the_way(one) is None]
        if not told:
            return {}
        found = line.estimates(max(one.position for one in told), most_numbers=RANDOM_NUMBERS)
        return {one.user: estimate for one in told if (estimate := found[one.position - 1]) is not None}

    def _tell_denied(self, fact: facts.AnswerStored) -> None:
        pool = fact.pool
        needs = self.store.demand.needs(pool.key) if fact.newly_denied else {}
        for user in fact.newly_denied:
            need = needs.get(user)
            if need is not None:
                self._send(
                    pool, SeatDenied, self.clock(), (user, need.since), user=user,
                    reason=fact.answer.denial(user).value, since=need.since, workbenches=self._workbenches(pool, user),
                )  # fmt: skip

    def _tell_ended_waits(self, pool: LicensePool, answer: Allocation) -> None:
        """Tells of waits that ended without a seat. A seat, a denial and a new wait have notices of their own."""
        again = {*answer.seats, *answer.denied, *(one.user for one in answer.waiting)}
        for gone in self.pending.pop_due(pool.key, "Wait"):
            is_over = gone.reason == NEED_ENDED and gone.user not in again
            notice = "" if not is_over else self._send(
                pool, WaitEnded, self.clock(), (gone.user, gone.since), user=gone.user, reason=gone.reason,
                waited_seconds=int((gone.at - gone.since).total_seconds()),
            )  # fmt: skip
            self.pending.record_sent(pool.key, gone, notice=notice)

    def _confirmed(self, fact: facts.ListConfirmed) -> None:
        pool, state = fact.pool, fact.state
        repeated = self._to_repeat.pop(pool.key, ())
        if state.answer is None or not self._is_real(pool):
            return
        for gone in self.pending.pop_due(pool.key, "Seat"):
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
