"""Writes a past into the history of the demo's installation, so that its pages have weeks to show and not minutes.

The events are those of a real lab (`examples/events-matlab-lab.jsonl.gz`, four weeks). Some of its users are taken, the
weeks are laid one after another up to now, and the pool's own rules decide who had a seat and who waited.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import PoolMemory
from seatpool.domain.need import Need
from seatpool.domain.rules import PoolRules
from seatpool.history.schema import Capacity, Row, Session, Wait, fact_id
from seatpool.sim.demo.event_file import WorkbenchEvent, read_event_file

__all__ = ["WEEKS", "recorded_past"]

WEEKS = 9
FILE_LENGTH = timedelta(weeks=4)
ONE_USER_IN = 4
ACTIVE = ("pending", "running")


def recorded_past(
    file: Path, *, installation: str, pool: str, product: str, server: str, seats: int, now: datetime
) -> Iterator[Row]:
    """Yields the rows of a pool for the WEEKS before `now`. Instants are those of the file, whole weeks later."""
    columns = {"installation": installation, "pool": pool, "product": product, "server": server, "mode": "Enforce"}
    recorder = _Recorder(PoolRules(seats=seats), {**columns, "source": "operator"})
    since = now - timedelta(weeks=WEEKS)
    yield recorder.capacity(since)
    for event in _events(file, since=since, until=now):
        yield from recorder.step(event)
    yield from recorder.end(now)


def _events(file: Path, *, since: datetime, until: datetime) -> Iterator[WorkbenchEvent]:
    """Yields events of some users, the file again and again."""
    events = [one for one in read_event_file(file).events if one.owner is not None and _is_taken(one.owner)]
    first = min(one.at for one in events)
    turn = (since - first) // FILE_LENGTH
    while first + turn * FILE_LENGTH < until:
        for one in sorted(events, key=lambda event: event.at):
            at = one.at + turn * FILE_LENGTH
            if since <= at < until:
                instance = f"{one.instance}-{turn}"
                yield WorkbenchEvent(
                    instance=instance, account=one.account, region=one.region, at=at, state=one.state, owner=one.owner,
                    type=one.type,
                )  # fmt: skip
        turn += 1


def _is_taken(owner: str) -> bool:
    return hashlib.sha256(owner.encode()).digest()[0] % ONE_USER_IN == 0


class _Recorder:
    """Decides step by step who has a seat, and makes rows of what ended."""

    def __init__(self, rules: PoolRules, columns: dict[str, Any]) -> None:
        self._rules = rules
        self._columns = columns
        self._memory = PoolMemory.empty()
        self._running: dict[str, str] = {}
        """Owner by active instance."""
        self._since: dict[str, datetime] = {}
        self._types: dict[str, tuple[str | None, str]] = {}

    def capacity(self, at: datetime) -> Capacity:
        return Capacity(**self._row("capacity", "", at), since=at, seats=self._rules.seats, seen_at=at)

    def step(self, event: WorkbenchEvent) -> Iterator[Row]:
        owner = event.owner or ""
        self._types[owner] = event.type, event.account
        if event.state in ACTIVE:
            self._running[event.instance] = owner
        else:
            self._running.pop(event.instance, None)
        yield from self._decide(event.at)

    def end(self, at: datetime) -> Iterator[Row]:
        """Ends everything: the demo itself begins with nobody."""
        self._running.clear()
        yield from self._decide(at)

    def _decide(self, at: datetime) -> Iterator[Row]:
        users = Counter(self._running.values())
        self._since = {user: self._since.get(user, at) for user in users}
        before = self._memory
        answer = allocate(self._rules, {user: Need(user, since) for user, since in self._since.items()}, before, at)
        self._memory = answer.memory
        yield from self._sessions(before, answer, at)
        yield from self._waits(before, answer, at)

    def _sessions(self, before: PoolMemory, answer: Allocation, at: datetime) -> Iterator[Row]:
        for one in answer.granted:
            yield self._session(one.user, at, waited_s=one.waited.total_seconds(), grant_reason=one.reason.value)
        for gone in answer.released:
            since = before.assigned[gone.user].since
            yield self._session(gone.user, since, released_at=at, unlisted_at=at, release_reason=gone.reason.value)

    def _session(self, user: str, since: datetime, **values: Any) -> Session:
        kind, account = self._types[user]
        return Session(
            **self._row("sessions", user, since), user_id=user, workbench_type=kind, account=account, granted_at=since,
            listed_at=since, seen_at=values.get("released_at", since), **values,
        )  # fmt: skip

    def _waits(self, before: PoolMemory, answer: Allocation, at: datetime) -> Iterator[Row]:
        granted = {one.user for one in answer.granted}
        for user, place in before.waiting.items():
            if user not in answer.memory.waiting:
                kind, account = self._types[user]
                yield Wait(
                    **self._row("waits", user, place.since), user_id=user, workbench_type=kind, account=account,
                    began_at=place.since, reason="PoolFull", ended_at=at,
                    outcome="Granted" if user in granted else "NeedEnded", seen_at=at,
                )  # fmt: skip

    def _row(self, kind: str, user: str, at: datetime) -> dict[str, Any]:
        return {**self._columns, "id": fact_id(self._columns["installation"], "past", kind, user, at.isoformat())}
