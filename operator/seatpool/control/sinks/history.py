"""What decisions become in the history.

What began follows from comparing an answer with what was noted of the pool before, and what ended is in the ledger: so a
process that knows nothing yet, after a crash or a change of the leader, notes all that is open and all that ended and may not
have been recorded. Rows that an earlier process wrote already have the same ids and do no harm.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from seatpool.api.licensepool import LicensePool
from seatpool.api.seatledger import LedgerEnded
from seatpool.cache.store import Store
from seatpool.control.state.pool_state import ObservedList
from seatpool.domain.allocation import Allocation
from seatpool.history.pseudonyms import Pseudonyms
from seatpool.history.schema import Capacity, Refusal, Session, Wait, fact_id

if TYPE_CHECKING:
    from seatpool.history.recording import Recording

OPERATOR = "operator"
POOL_DELETED = "PoolDeleted"
SEEN_EVERY = timedelta(hours=1)
"""So often everything that is open is noted again: what is not noted any more has ended."""

_Mark = tuple[str, str, str, datetime]


@dataclass(slots=True)
class _Book:
    """What was noted of one pool."""

    uid: str
    facts: Mapping[str, Any]
    capacity: Capacity
    seats: dict[str, Session] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)
    """Who has a seat and was not seen on the list yet."""
    listed: dict[str, Session] = field(default_factory=dict)
    """Ended seats of people who were not seen to be off the list yet."""
    ends: frozenset[_Mark] = frozenset()


@dataclass(slots=True, kw_only=True)
class Chronicle:
    """Notes rows. It belongs to one event loop, and nothing in it waits or fails."""

    store: Store
    installation: str
    recording: "Recording"
    pseudonyms: Pseudonyms
    clock: Callable[[], datetime]
    _books: dict[str, _Book] = field(default_factory=dict)

    # -- what happens --------------------------------------------------------------------------------------------------

    def decided(self, pool: LicensePool, answer: Allocation) -> None:
        """A pool has a new answer, and its memory is stored."""
        now = self.clock()
        book = self._book(pool, now)
        waited = {grant.user: grant.waited.total_seconds() for grant in answer.granted}
        self._note_ends(pool.key, book, now)
        for user, seat in answer.seats.items():
            known = book.seats.get(user)
            if known is None or known.granted_at != seat.since:
                reason = answer.memory.assigned[user].reason.value
                self._note_seat(pool.key, book, user, since=seat.since, reason=reason, waited=waited.get(user), now=now)
        for one in answer.waiting:
            place = book.waits.get(one.user)
            if place is None or place.began_at != one.since:
                self._note_wait(pool.key, book, one.user, since=one.since, reason=one.reason.value, now=now)
        self._note_denied(pool.key, book, answer.denied, now)

    def confirmed(self, pool: LicensePool, known: ObservedList) -> None:
        """The license server was seen to have the list as it should be."""
        book = self._books.get(pool.key)
        if book is None or not (book.unlisted or book.listed):
            return
        now, users = self.clock(), frozenset(known.users)
        for user in book.unlisted & users:
            book.seats[user] = replace(book.seats[user], listed_at=now, granted_revision=known.revision, seen_at=now)
            self.recording.note(book.seats[user])
        book.unlisted -= users
        for user, ended in list(book.listed.items()):
            if user not in users:
                self.recording.note(replace(ended, unlisted_at=now, released_revision=known.revision, seen_at=now))
            if user not in users or user in book.seats:
                del book.listed[user]

    def pool_gone(self, key: str) -> None:
        """The pool was deleted: nobody has or awaits a seat of it any more."""
        book, now = self._books.pop(key, None), self.clock()
        if book is None:
            return
        for seat in book.seats.values():
            self.recording.note(replace(seat, released_at=now, release_reason=POOL_DELETED, seen_at=now))
        for wait in book.waits.values():
            self.recording.note(replace(wait, ended_at=now, outcome=POOL_DELETED, seen_at=now))
        gone = fact_id(self.installation, book.uid, POOL_DELETED)
        self.recording.note(replace(book.capacity, id=gone, seats=0, since=now, seen_at=now))
        for mark in book.ends:
            self.recording.forget(mark)

    def is_recorded(self, pool: str, ended: LedgerEnded) -> bool:
        """Whether the ledger may forget something that ended."""
        book = self._books.get(pool)
        return book is not None and self.recording.has_archived(_mark(book.uid, ended))

    async def keep_seeing(self, may_write: asyncio.Event) -> None:
        """Now and then note everything that is open; the first time when anything may be decided."""
        await may_write.wait()
        while True:
            for pool in list(self.store.pools.values()):
                self._see(pool)
                await asyncio.sleep(0)
            await asyncio.sleep(SEEN_EVERY.total_seconds())

    # -- rows ----------------------------------------------------------------------------------------------------------

    def _see(self, pool: LicensePool) -> None:
        shares = [view.spec for view in self.store.ledgers.get(pool.key, {}).values()]
        if not shares:
            return
        now = self.clock()
        book = self._book(pool, now)
        self.recording.note(replace(book.capacity, seen_at=now))
        self._note_ends(pool.key, book, now)
        for grant in (grant for spec in shares for grant in spec.assigned):
            known = book.seats.get(grant.user)
            if known is not None and known.granted_at == grant.since:
                self.recording.note(replace(known, seen_at=now))
            else:
                self._note_seat(
                    pool.key, book, grant.user, since=grant.since, reason=grant.reason, waited=None, now=now
                )
        for place in (place for spec in shares for place in spec.waiting):
            wait = book.waits.get(place.user)
            if wait is not None and wait.began_at == place.since:
                self.recording.note(replace(wait, seen_at=now))
            else:
                self._note_wait(pool.key, book, place.user, since=place.since, reason=None, now=now)

    def _book(self, pool: LicensePool, now: datetime) -> _Book:
        """The pool's book; another one for another pool of the same name."""
        facts = {
            "installation": self.installation,
            "pool": pool.key,
            "product": pool.spec.product,
            "server": pool.server_key,
            "mode": self.store.mode_of(pool).value,
            "source": OPERATOR,
        }
        metadata, seats = pool.metadata, pool.spec.seats
        capacity = fact_id(self.installation, metadata.uid, metadata.generation, seats)
        book = self._books.get(pool.key)
        if book is not None and book.uid != metadata.uid:
            self.pool_gone(pool.key)
            book = None
        if book is None or book.capacity.id != capacity:
            row = Capacity(id=capacity, **facts, seen_at=now, since=now, seats=seats)
            self.recording.note(row)
            if book is None:
                book = self._books[pool.key] = _Book(metadata.uid, facts, row)
            book.capacity = row
        book.facts = facts
        return book

    def _note_seat(
        self, pool: str, book: _Book, user: str, *, since: datetime, reason: str, waited: float | None, now: datetime
    ) -> None:
        kind, account = self._workbench_of(pool, user)
        row = Session(
            **self._facts(book, user, Session.kind, since), workbench_type=kind, account=account, granted_at=since,
            grant_reason=reason, waited_s=waited, seen_at=now,
        )  # fmt: skip
        book.seats[user] = row
        book.unlisted.add(user)
        self.recording.note(row)

    def _note_wait(
        self, pool: str, book: _Book, user: str, *, since: datetime, reason: str | None, now: datetime
    ) -> None:
        kind, account = self._workbench_of(pool, user)
        row = Wait(
            **self._facts(book, user, Wait.kind, since), workbench_type=kind, account=account, began_at=since,
            reason=reason, seen_at=max(now, since),
        )  # fmt: skip
        book.waits[user] = row
        self.recording.note(row)

    def _note_denied(self, pool: str, book: _Book, denied: Iterable[str], now: datetime) -> None:
        denied = set(denied)
        needs = self.store.demand.needs(pool)
        for user in denied - book.denied:
            need = needs.get(user)
            at = need.since if need is not None else now
            kind, account = self._workbench_of(pool, user)
            self.recording.note(
                Refusal(
                    **self._facts(book, user, Refusal.kind, at),
                    workbench_type=kind,
                    account=account,
                    refused_at=at,
                    reason="Denied",
                    seen_at=max(now, at),
                )
            )
        book.denied = denied

    def _note_ends(self, pool: str, book: _Book, now: datetime) -> None:
        """What the ledger says has ended, if it was not noted yet."""
        marks = set()
        for one in (one for view in self.store.ledgers.get(pool, {}).values() for one in view.spec.ended):
            mark = _mark(book.uid, one)
            marks.add(mark)
            if not self.recording.knows(mark):
                row = self._ended_seat(book, one, now) if one.what == "Seat" else self._ended_wait(book, one, now)
                self.recording.note(row, mark=mark)
        for mark in book.ends - marks:
            self.recording.forget(mark)
        book.ends = frozenset(marks)

    def _ended_seat(self, book: _Book, one: LedgerEnded, now: datetime) -> Session:
        row = book.seats.get(one.user)
        if row is None or row.granted_at != one.since:
            facts = self._facts(book, one.user, Session.kind, one.since)
            row = Session(**facts, granted_at=one.since, seen_at=max(now, one.at))
        else:
            del book.seats[one.user]
            book.unlisted.discard(one.user)
        row = book.listed[one.user] = replace(
            row, released_at=one.at, release_reason=one.reason, seen_at=max(now, one.at)
        )
        return row

    def _ended_wait(self, book: _Book, one: LedgerEnded, now: datetime) -> Wait:
        row = book.waits.get(one.user)
        if row is None or row.began_at != one.since:
            row = Wait(**self._facts(book, one.user, Wait.kind, one.since), began_at=one.since, seen_at=now)
        else:
            del book.waits[one.user]
        return replace(row, ended_at=one.at, outcome=one.reason, seen_at=max(now, one.at))

    def _facts(self, book: _Book, user: str, kind: str, since: datetime) -> dict[str, Any]:
        called = self.pseudonyms.of(user)
        at = since.isoformat(timespec="milliseconds")
        return {**book.facts, "user_id": called, "id": fact_id(self.installation, book.uid, kind, called, at)}

    def _workbench_of(self, pool: str, user: str) -> tuple[str | None, str | None]:
        """Type and account of the workbench that needed the seat first."""
        known = self.store.workbenches
        views = [known[key] for key in self.store.demand.workbenches_of(pool, user) if key in known]
        if not views:
            return None, None
        first = min(views, key=lambda view: (view.fact.active_since, view.fact.key))
        return first.fact.type, first.account


def _mark(uid: str, ended: LedgerEnded) -> _Mark:
    return uid, ended.what, ended.user, ended.since
