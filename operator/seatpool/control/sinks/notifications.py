"""What decisions become outside of the cluster: notices for people's portals, lines of the audit trail, and the history.

Nothing here can fail or wait: an outbox, a trail and a chronicle take what they are given, and the list goes on.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer, Mode
from seatpool.api.seatledger import LedgerEnded
from seatpool.cache.store import Store
from seatpool.control.sinks.history import Chronicle
from seatpool.control.sinks.pending_notifications import PendingNotifications
from seatpool.control.state.pool_state import ObservedList, PoolState
from seatpool.domain.allocation import Allocation, InLine
from seatpool.domain.listing import list_hash
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
from seatpool.policy.guard import HeldChange
from seatpool.trail.trail import Action, Trail


@dataclass(slots=True, kw_only=True)
class Telling:
    """To whoever listens outside."""

    store: Store
    installation: str
    tell: Callable[[Notice], None] | None
    """None where nobody listens."""
    trail: Trail
    config: NotifyConfig
    departures: PendingNotifications
    clock: Callable[[], datetime]
    chronicle: Chronicle | None = None
    """None while no history is recorded."""
    _to_repeat: dict[str, tuple[str, ...]] = field(default_factory=dict)

    # -- decided -------------------------------------------------------------------------------------------------------

    def decided(self, pool: LicensePool, *, before: Allocation | None, answer: Allocation) -> None:
        """A pool has a new answer, and its memory is stored."""
        if self.chronicle is not None:
            self.chronicle.decided(pool, answer)
        facts = self._facts(pool)
        for grant in answer.granted:
            self.trail.note(
                Action.GRANT, **facts, user=grant.user, rule=grant.reason.value,
                waitedSeconds=round(grant.waited.total_seconds(), 3), reassignmentsUsed=answer.reassignments_used,
            )  # fmt: skip
        for gone in answer.released:
            self.trail.note(
                Action.RELEASE, **facts, user=gone.user, rule=gone.reason.value,
                heldSeconds=round(gone.held.total_seconds(), 3), reassignmentsUsed=answer.reassignments_used,
            )  # fmt: skip
        old = {one.user: one for one in before.waiting} if before is not None else {}
        for one in answer.waiting:
            if one.user not in old or old[one.user].reason is not one.reason:
                self.trail.note(Action.REFUSE, **facts, user=one.user, rule=one.reason.value, position=one.position)
        denied = set(before.denied) if before is not None else set()
        for user in answer.denied:
            if user not in denied:
                self.trail.note(Action.REFUSE, **facts, user=user, rule="Denied")
        if self._is_told(pool):
            self._tell_the_line(pool, old, answer.waiting)
            if before is None:
                since = self._last_seen(pool) - self.config.repeated
                self._to_repeat[pool.key] = tuple(user for user, seat in answer.seats.items() if seat.since > since)
            self.departures.look(pool.key)

    def _last_seen(self, pool: LicensePool) -> datetime:
        """The last sign of the process before this one; what was given after it, that one cannot have told."""
        server = self.store.servers.get(pool.server_key)
        verified = server.status.last_verified if server is not None else None
        return min(filter(None, (self.clock(), verified)))

    def _tell_the_line(self, pool: LicensePool, old: dict[str, InLine], waiting: Sequence[InLine]) -> None:
        if waiting and not old:
            at = self.clock()
            self._send(pool, PoolSaturated, at, (waiting[0].since,), seats=pool.spec.seats, waiting=len(waiting))
        for one in waiting:
            known = old.get(one.user)
            if known is None or (known.position != one.position and one.position <= self.config.positions):
                self._send(
                    pool, SeatWaiting, self.clock(), (one.user, one.since, one.position), user=one.user,
                    position=one.position, waiting=len(waiting), since=one.since, reason=one.reason.value,
                    earliest=one.earliest, workbenches=self._workbenches(pool, one.user),
                )  # fmt: skip

    # -- confirmed -----------------------------------------------------------------------------------------------------

    def confirmed(self, pool: LicensePool, standing: PoolState) -> None:
        """The license server was seen to have the list. What was given and freed is in the standing still."""
        answer, known = standing.answer, standing.known
        if self.chronicle is not None and known is not None and self._is_real(pool):
            self.chronicle.confirmed(pool, known)
        repeated = self._to_repeat.pop(pool.key, ())
        if answer is None or known is None or not self._is_told(pool):
            return
        for gone in self.departures.take(pool.key):
            self._tell_departure(pool, gone, is_back=gone.user in answer.seats, revision=known.revision)
        for user in dict.fromkeys((*repeated, *(one.user for one in standing.granted))):
            seat = answer.seats.get(user)
            if seat is not None:
                self._send(
                    pool, SeatAssigned, self.clock(), (user, seat.since), user=user, reason=seat.reason.value,
                    since=seat.since, revision=known.revision, workbenches=self._workbenches(pool, user),
                )  # fmt: skip

    def _tell_departure(self, pool: LicensePool, gone: LedgerEnded, *, is_back: bool, revision: int) -> None:
        notice = "" if is_back else self._send(
            pool, SeatReleased, self.clock(), (gone.user, gone.since), user=gone.user, reason=gone.reason,
            held_seconds=int((gone.at - gone.since).total_seconds()), revision=revision,
        )  # fmt: skip
        self.departures.note(pool.key, gone, notice=notice)

    def is_told(self, pool: str, ended: LedgerEnded) -> bool:
        """Whether the ledger may forget something that ended, as far as people have to hear of it."""
        known = self.store.pools.get(pool)
        return known is None or not self._is_told(known) or self.departures.is_told(pool, ended)

    def applied(
        self, pool: LicensePool, wanted: str, *, before: ObservedList | None, now: ObservedList, command: str | None
    ) -> None:
        """A command wrote the list whose hash is `wanted`, and this was read back after it."""
        had = set(before.users) if before is not None else set()
        self.trail.note(
            Action.APPLY, **self._facts(pool), added=sorted(set(now.users) - had), removed=sorted(had - set(now.users)),
            people=len(now.users), hashBefore=None if before is None else list_hash(before.users),
            hashAfter=list_hash(now.users), hashWanted=wanted, revision=now.revision, ssmCommandId=command,
        )  # fmt: skip

    # -- what others did -----------------------------------------------------------------------------------------------

    def adopted(self, pool: LicensePool, people: Iterable[str]) -> None:
        """First contact."""
        self.trail.note(Action.ADOPT, **self._facts(pool), users=sorted(people))

    def drift(self, pool: LicensePool, *, added: Sequence[str], removed: Sequence[str], now: ObservedList) -> None:
        """Somebody else changed the list."""
        self.trail.note(
            Action.DRIFT, **self._facts(pool), added=list(added), removed=list(removed), revision=now.revision
        )
        at = self.clock()
        self._send(
            pool, DriftDetected, at, (now.revision, *added, "", *removed), added=tuple(added[:SHOWN]),
            removed=tuple(removed[:SHOWN]), adds=len(added), removes=len(removed),
        )  # fmt: skip

    def held(self, server: LicenseServer, held: HeldChange) -> None:
        """The guard holds a change back."""
        self.trail.note(
            Action.HOLD, **_server_facts(server), token=held.token, leaving=held.leaving, present=held.present
        )

    def approved(self, server: LicenseServer, held: HeldChange) -> None:
        """Somebody said that the change is right."""
        self.trail.note(
            Action.APPROVE, **_server_facts(server), token=held.token, leaving=held.leaving, present=held.present
        )

    # -- parts ---------------------------------------------------------------------------------------------------------

    def _is_told(self, pool: LicensePool) -> bool:
        return self.tell is not None and self._is_real(pool)

    def _is_real(self, pool: LicensePool) -> bool:
        """Whether the answer becomes a list: nobody is told of seats that are only computed."""
        return self.store.mode_of(pool) is Mode.ENFORCE

    def _send(self, pool: LicensePool, kind: type[Notice], at: datetime, news: tuple[object, ...], **facts: Any) -> str:
        """Tell it; the notice's id, which is empty where nobody listens."""
        if self.tell is None:
            return ""
        name = notice_id(self.installation, kind.type, pool.metadata.uid, *news)
        self.tell(
            kind(
                id=name,
                at=at,
                installation=self.installation,
                pool=pool.key,
                product=pool.spec.product,
                server=pool.server_key,
                **facts,
            )
        )
        return name

    def _workbenches(self, pool: LicensePool, user: str) -> tuple[str, ...]:
        return tuple(sorted(key.partition("/")[2] for key in self.store.demand.workbenches_of(pool.key, user)))[:SHOWN]

    def _facts(self, pool: LicensePool) -> dict[str, Any]:
        metadata = pool.metadata
        ledgers = self.store.ledgers.get(pool.key, {})
        return {
            "pool": pool.key,
            "poolUid": metadata.uid,
            "poolGeneration": metadata.generation,
            "poolResourceVersion": metadata.resource_version,
            "server": pool.server_key,
            "product": pool.spec.product,
            "mode": self.store.mode_of(pool).value,
            "ledgers": {view.name: view.resource_version for view in ledgers.values()},
        }


def _server_facts(server: LicenseServer) -> dict[str, Any]:
    metadata = server.metadata
    return {
        "server": server.key,
        "serverUid": metadata.uid,
        "serverGeneration": metadata.generation,
        "serverResourceVersion": metadata.resource_version,
        "revision": server.status.revision,
    }
