"""What is told of the line, of denied users, and of waits that ended without a seat."""

from datetime import datetime, timedelta
from typing import Any

from tests.unit.control.objects import NOW, raw_pool, raw_server, raw_workbench

from seatpool.api.base import format_instant
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import LedgerEnded, SeatLedgerSpec
from seatpool.api.workbench import Workbench
from seatpool.cache.store import LedgerView, Store
from seatpool.control.sinks import facts
from seatpool.control.sinks.notifications import Notifications
from seatpool.control.sinks.pending_notifications import PendingNotifications
from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import PoolMemory
from seatpool.notify.config import NotifyConfig
from seatpool.notify.notices import Notice, SeatDenied, SeatWaiting, WaitEnded
from seatpool.policy.wait_estimate import Line

POOL = "lab/matlab"
HOUR = 3600
MANY = {"seatLengths": {"seats": 100, "seconds": [HOUR * tenth // 5 for tenth in range(1, 12)]}}


class Office:
    """A pool of two seats, and the operators of its life."""

    def __init__(self, *, status: dict[str, Any] | None = None, guard: str | None = None, **spec: Any) -> None:
        self.store = Store(IdentitySettings())
        self.now = NOW
        self.sent: list[Notice] = []
        self.version = 0
        held = {"status": {"guard": {"held": guard}}} if guard is not None else {}
        self.store.upsert(LicenseServer, raw_server() | held, now=NOW)
        self.store.upsert(LicensePool, raw_pool(**spec) | {"status": status or {}}, now=NOW)
        self.before: Allocation | None = None
        self.start()

    def start(self) -> None:
        """Another operator takes over."""
        self.before, memory = None, PoolMemory.empty() if self.before is None else self.before.memory
        self.memory = memory
        self.sink = Notifications(
            store=self.store,
            installation="ours",
            send=self.sent.append,
            config=NotifyConfig(),
            pending=PendingNotifications(store=self.store, is_in_outbox=lambda _: False),
            clock=lambda: self.now,
        )

    def bench(self, number: int, owner: str, state: str = "running") -> None:
        since = format_instant(NOW - timedelta(hours=1) + timedelta(minutes=number))
        self.version += 1
        raw = raw_workbench(number, owner, version=self.version, state=state, launchedAt=since)
        self.store.upsert(Workbench, raw, now=self.now)

    def answer(self, *, after: timedelta = timedelta(0), ended: tuple[LedgerEnded, ...] = ()) -> list[Notice]:
        self.now += after
        spec = SeatLedgerSpec(server="licenses", product="matlab", pool="matlab", ended=ended)
        self.store.ledgers["lab/licenses/matlab"][0] = LedgerView(name="x", uid="u", resource_version="1", spec=spec)
        found = allocate(self.store.rules[POOL], self.store.demand.needs(POOL), self.memory, self.now)
        told = len(self.sent)
        self.sink.handle(facts.AnswerStored(pool=self.store.pools[POOL], before=self.before, answer=found))
        self.before, self.memory = found, found.memory
        return self.sent[told:]


def waits(told: list[Notice]) -> dict[str, SeatWaiting]:
    return {one.user: one for one in told if isinstance(one, SeatWaiting)}


def ended(user: str, since: datetime, at: datetime, reason: str = "NeedEnded") -> LedgerEnded:
    return LedgerEnded.model_validate({"user": user, "what": "Wait", "since": since, "at": at, "reason": reason})


def test_a_wait_is_told_with_the_range_that_why_gives() -> None:
    office = Office(status=MANY)
    office.bench(1, "ann")
    office.bench(2, "bob")
    office.answer()
    office.bench(3, "carl")
    office.bench(4, "dora")
    told = waits(office.answer(after=timedelta(minutes=5)))
    pool = office.store.pools[POOL]
    assert office.before is not None
    line = Line(
        pool=pool, rules=office.store.rules[POOL], answer=office.before, working={"ann", "bob"}, now=office.now,
    )  # fmt: skip
    for one, estimate in zip(office.before.waiting, line.estimates(2), strict=True):
        assert estimate is not None
        assert (told[one.user].likely_from, told[one.user].likely_until) == (estimate.begin, estimate.end)
    assert office.now < told["carl"].likely_until < told["dora"].likely_until  # type: ignore[operator]


def test_no_range_is_told_where_there_is_none() -> None:
    reserved = [{"name": "a", "seats": 1, "users": ["zoe"]}]
    for office in (Office(), Office(status=MANY, guard="1-x"), Office(status=MANY, reservations=reserved)):
        office.answer()
        for number, user in enumerate(("ann", "bob", "carl")):
            office.bench(number, user)
        one = waits(office.answer())["carl"]
        assert (one.likely_from, one.likely_until) == (None, None)
    office = Office(status=MANY)
    for number, user in enumerate(("ann", "bob", "carl")):
        office.bench(number, user)
    assert waits(office.answer())["carl"].likely_from is None, "the first answer of a process may release nobody"


def test_a_denied_user_is_told_once_and_by_the_next_operator_under_the_same_id() -> None:
    office = Office(deniedUsers=["ann"])
    office.bench(1, "ann")
    (told,) = office.answer()
    assert isinstance(told, SeatDenied)
    assert (told.user, told.workbenches) == ("ann", (f"i-{1:017x}",))
    office.bench(2, "ann")
    assert office.answer() == []
    office.start()
    (again,) = office.answer()
    assert again.id == told.id


def test_a_wait_that_ended_without_a_seat_is_told_also_by_the_next_operator_under_the_same_id() -> None:
    office = Office()
    for number, user in enumerate(("ann", "bob", "carl")):
        office.bench(number, user)
    office.answer()
    since, gone = office.now, ended("carl", office.now, office.now + timedelta(minutes=7))
    office.bench(2, "carl", "stopped")
    (told,) = office.answer(after=timedelta(minutes=7), ended=(gone,))
    assert isinstance(told, WaitEnded)
    assert (told.user, told.reason, told.waited_seconds) == ("carl", "NeedEnded", 420)
    assert office.answer(ended=(gone,)) == []
    office.start()
    assert [one.id for one in office.answer(ended=(gone,))] == [told.id]
    assert since < office.now


def test_a_wait_that_ended_with_a_seat_a_denial_or_another_wait_is_not_told_as_ended() -> None:
    office = Office(deniedUsers=["dora"])
    for number, user in enumerate(("ann", "bob", "carl", "dora")):
        office.bench(number, user)
    office.answer()
    entries = tuple(
        ended(user, NOW - timedelta(hours=1), NOW, reason)
        for user, reason in (
            ("ann", "Granted"),
            ("gone-since", "Granted"),
            ("bob", "NeedEnded"),
            ("carl", "NeedEnded"),
            ("dora", "Denied"),
        )
    )
    assert office.answer(ended=entries) == []
    assert all(office.sink.may_forget(POOL, one) for one in entries)
