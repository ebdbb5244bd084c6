"""Turns facts into rows of the history.

A seat or wait that begins is found by comparing an answer with the rows of the pool so far. One that ended is in the ledger.

A new process, after a crash or a change of the leader, notes everything that is open. It also notes everything that ended and
may not be recorded yet. Rows that an earlier process wrote have the same ids and do no harm.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import Mode
from seatpool.api.seatledger import LedgerEnded
from seatpool.cache.store import Store, StoreHandler
from seatpool.control.sinks import facts
from seatpool.control.state.pool_state import PoolState
from seatpool.domain.allocation import Allocation
from seatpool.history.pseudonyms import Pseudonyms
from seatpool.history.schema import Capacity, Refusal, Session, Wait, fact_id

if TYPE_CHECKING:
    from seatpool.history.recording import Recording

OPERATOR = "operator"
"""Source of the rows."""
POOL_DELETED = "PoolDeleted"
NOTE_OPEN_INTERVAL = timedelta(hours=1)
"""Interval in which every open row is noted again. A row that is not noted any more has ended."""

_Mark = tuple[str, str, str, datetime]


@dataclass(slots=True)
class _PoolRows:
    """Open rows of one pool."""

    uid: str
    columns: Mapping[str, Any]
    """Columns that all rows of the pool share."""
    capacity: Capacity
    seats: dict[str, Session] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    """Users who have a seat and were not read back on the list yet."""
    still_listed: dict[str, Session] = field(default_factory=dict)
    """Ended seats of users whose removal from the list was not read back yet."""
    ends: frozenset[_Mark] = frozenset()


@dataclass(slots=True, kw_only=True)
class History(StoreHandler):
    """Records rows of sessions, waits, refusals and capacities. It belongs to one event loop and never waits."""

    kinds: ClassVar[tuple[type[facts.Fact], ...]] = (
        facts.AnswerStored,
        facts.ListConfirmed,
    )

    store: Store
    installation: str
    recording: "Recording"
    pseudonyms: Pseudonyms
    clock: Callable[[], datetime]
    _pools: dict[str, _PoolRows] = field(default_factory=dict)

    # -- facts and changes --------------------------------------------------------------------------------------------------

    def handle(self, fact: facts.Fact) -> None:
        """Handles one fact."""
        match fact:
            case facts.AnswerStored():
                self._answered(fact.pool, fact.answer)
            case facts.ListConfirmed() if self.store.mode_of(fact.pool) is Mode.ENFORCE:
                self._confirmed(fact.pool, fact.state)
            case _:
                pass

    def _answered(self, pool: LicensePool, answer: Allocation) -> None:
        now = self.clock()
        rows = self._rows(pool, now)
        waited = {grant.user: grant.waited.total_seconds() for grant in answer.granted}
        self._note_ends(pool.key, rows, now)
        for user, seat in answer.seats.items():
            row = rows.seats.get(user)
            if row is None or row.granted_at != seat.since:
                reason = answer.memory.assigned[user].reason.value
                self._note_seat(pool.key, rows, user, since=seat.since, reason=reason, waited=waited.get(user), now=now)
        for one in answer.waiting:
            wait = rows.waits.get(one.user)
            if wait is None or wait.began_at != one.since:
                self._note_wait(pool.key, rows, one.user, since=one.since, reason=one.reason.value, now=now)
        self._note_denied(pool.key, rows, answer, now)

    def _confirmed(self, pool: LicensePool, state: PoolState) -> None:
        rows = self._pools.get(pool.key)
        if state.observed is None or rows is None or not (rows.unlisted or rows.still_listed):
            return
        observed = state.observed
        now, users = self.clock(), frozenset(observed.users)
        for user in rows.unlisted & users:
            rows.seats[user] = replace(rows.seats[user], listed_at=now, granted_revision=observed.revision, seen_at=now)
            self.recording.note(rows.seats[user])
        rows.unlisted -= users
        for user, ended in list(rows.still_listed.items()):
            if user not in users:
                self.recording.note(replace(ended, unlisted_at=now, released_revision=observed.revision, seen_at=now))
            if user not in users or user in rows.seats:
                del rows.still_listed[user]

    def pool_changed(self, key: str) -> None:
        """Ends every seat and wait of a pool that was deleted."""
        if key not in self.store.pools:
            self._end_pool(key)

    def _end_pool(self, key: str) -> None:
        rows, now = self._pools.pop(key, None), self.clock()
        if rows is None:
            return
        for seat in rows.seats.values():
            self.recording.note(replace(seat, released_at=now, release_reason=POOL_DELETED, seen_at=now))
        for wait in rows.waits.values():
            self.recording.note(replace(wait, ended_at=now, outcome=POOL_DELETED, seen_at=now))
        row_id = fact_id(self.installation, rows.uid, POOL_DELETED)
        self.recording.note(replace(rows.capacity, id=row_id, seats=0, since=now, seen_at=now))
        for mark in rows.ends:
            self.recording.forget(mark)

    def is_recorded(self, pool: str, ended: LedgerEnded) -> bool:
        """Whether the ledger may drop a seat or wait that ended: a file of the history has it."""
        rows = self._pools.get(pool)
        return rows is not None and self.recording.has_archived(_mark(rows.uid, ended))

    async def run_note_open(self, may_write: asyncio.Event) -> None:
        """Notes all open rows once lists may be written, and then every hour, until cancelled."""
        await may_write.wait()
        while True:
            for pool in list(self.store.pools.values()):
                self._note_open(pool)
                await asyncio.sleep(0)
            await asyncio.sleep(NOTE_OPEN_INTERVAL.total_seconds())

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _note_open(self, pool: LicensePool) -> None:
        """Notes all open rows of a pool, as its ledgers have them."""
        shares = [view.spec for view in self.store.shares_of(pool.key).values()]
        if not shares:
            return
        now = self.clock()
        rows = self._rows(pool, now)
        self.recording.note(replace(rows.capacity, seen_at=now))
        self._note_ends(pool.key, rows, now)
        for grant in (grant for spec in shares for grant in spec.assigned):
            seat = rows.seats.get(grant.user)
            if seat is not None and seat.granted_at == grant.since:
                self.recording.note(replace(seat, seen_at=now))
            else:
                self._note_seat(
                    pool.key, rows, grant.user, since=grant.since, reason=grant.reason, waited=None, now=now
                )
        for place in (place for spec in shares for place in spec.waiting):
            wait = rows.waits.get(place.user)
            if wait is not None and wait.began_at == place.since:
                self.recording.note(replace(wait, seen_at=now))
            else:
                self._note_wait(pool.key, rows, place.user, since=place.since, reason=None, now=now)

    def _rows(self, pool: LicensePool, now: datetime) -> _PoolRows:
        """Returns the open rows of the pool. Another pool of the same name gets new ones."""
        columns = {
            "installation": self.installation,
            "pool": pool.key,
            "product": pool.spec.product,
            "server": pool.server_key,
            "mode": self.store.mode_of(pool).value,
            "source": OPERATOR,
        }
        metadata, seats = pool.metadata, pool.spec.seats
        capacity = fact_id(self.installation, metadata.uid, metadata.generation, seats)
        rows = self._pools.get(pool.key)
        if rows is not None and rows.uid != metadata.uid:
            self._end_pool(pool.key)
            rows = None
        if rows is None or rows.capacity.id != capacity:
            row = Capacity(id=capacity, **columns, seen_at=now, since=now, seats=seats)
            self.recording.note(row)
            if rows is None:
                rows = self._pools[pool.key] = _PoolRows(metadata.uid, columns, row)
            rows.capacity = row
        rows.columns = columns
        return rows

    def _note_seat(
        self,
        pool: str,
        rows: _PoolRows,
        user: str,
        *,
        since: datetime,
        reason: str,
        waited: float | None,
        now: datetime,
    ) -> None:
        kind, account = self._workbench_of(pool, user)
        row = Session(
            **self._user_columns(rows, user, Session.kind, since), workbench_type=kind, account=account, granted_at=since,
            grant_reason=reason, waited_s=waited, seen_at=now,
        )  # fmt: skip
        rows.seats[user] = row
        rows.unlisted.add(user)
        self.recording.note(row)

    def _note_wait(
        self, pool: str, rows: _PoolRows, user: str, *, since: datetime, reason: str | None, now: datetime
    ) -> None:
        kind, account = self._workbench_of(pool, user)
        row = Wait(
            **self._user_columns(rows, user, Wait.kind, since), workbench_type=kind, account=account, began_at=since,
            reason=reason, seen_at=max(now, since),
        )  # fmt: skip
        rows.waits[user] = row
        self.recording.note(row)

    def _note_denied(self, pool: str, rows: _PoolRows, answer: Allocation, now: datetime) -> None:
        denied = set(answer.denied)
        needs = self.store.demand.needs(pool)
        for user in denied - rows.denied:
            need = needs.get(user)
            at = need.since if need is not None else now
            kind, account = self._workbench_of(pool, user)
            self.recording.note(
                Refusal(
                    **self._user_columns(rows, user, Refusal.kind, at),
                    workbench_type=kind,
                    account=account,
                    refused_at=at,
                    reason=answer.denial(user).value,
                    seen_at=max(now, at),
                )
            )
        rows.denied = denied

    def _note_ends(self, pool: str, rows: _PoolRows, now: datetime) -> None:
        """Notes the seats and waits that ended by the ledger, if they were not noted yet."""
        marks = set()
        for one in self.store.ended_of(pool):
            mark = _mark(rows.uid, one)
            marks.add(mark)
            if not self.recording.knows(mark):
                row = self._ended_seat(rows, one, now) if one.what == "Seat" else self._ended_wait(rows, one, now)
                self.recording.note(row, mark=mark)
        for mark in rows.ends - marks:
            self.recording.forget(mark)
        rows.ends = frozenset(marks)

    def _ended_seat(self, rows: _PoolRows, one: LedgerEnded, now: datetime) -> Session:
        row = rows.seats.get(one.user)
        if row is None or row.granted_at != one.since:
            columns = self._user_columns(rows, one.user, Session.kind, one.since)
            row = Session(**columns, granted_at=one.since, seen_at=max(now, one.at))
        else:
            del rows.seats[one.user]
            rows.unlisted.discard(one.user)
        row = rows.still_listed[one.user] = replace(
            row, released_at=one.at, release_reason=one.reason, seen_at=max(now, one.at)
        )
        return row

    def _ended_wait(self, rows: _PoolRows, one: LedgerEnded, now: datetime) -> Wait:
        row = rows.waits.get(one.user)
        if row is None or row.began_at != one.since:
            row = Wait(**self._user_columns(rows, one.user, Wait.kind, one.since), began_at=one.since, seen_at=now)
        else:
            del rows.waits[one.user]
        return replace(row, ended_at=one.at, outcome=one.reason, seen_at=max(now, one.at))

    def _user_columns(self, rows: _PoolRows, user: str, kind: str, since: datetime) -> dict[str, Any]:
        pseudonym = self.pseudonyms.of(user)
        at = since.isoformat(timespec="milliseconds")
        return {**rows.columns, "user_id": pseudonym, "id": fact_id(self.installation, rows.uid, kind, pseudonym, at)}

    def _workbench_of(self, pool: str, user: str) -> tuple[str | None, str | None]:
        """Returns type and account of the workbench that needed the seat first."""
        cached = self.store.workbenches
        views = [cached[key] for key in self.store.demand.workbenches_of(pool, user) if key in cached]
        if not views:
            return None, None
        first = min(views, key=lambda view: (view.fact.active_since, view.fact.key))
        return first.fact.type, first.account


def _mark(uid: str, ended: LedgerEnded) -> _Mark:
    """Returns the identity of an ended seat or wait."""
    return uid, ended.what, ended.user, ended.since
