"""A freed seat stays in the ledger until every receiver has taken the notice of it."""

from datetime import UTC, datetime

from tests.unit.control.objects import raw_pool

from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.seatledger import LedgerEnded, SeatLedgerSpec
from seatpool.cache.store import LedgerView, Store
from seatpool.control.sinks.pending_notifications import PendingNotifications

POOL = "lab/matlab"
NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
TEN = datetime(2026, 3, 2, 10, tzinfo=UTC)


def ended(user: str, what: str = "Seat", *, since: datetime = NINE) -> LedgerEnded:
    return LedgerEnded.model_validate(
        {"user": user, "what": what, "since": since, "at": TEN, "reason": "WorkbenchesStopped"}
    )


class Place:
    """A ledger, and receivers that have not taken the notices in `on_their_way`."""

    def __init__(self) -> None:
        self.store = Store(IdentitySettings())
        self.store.upsert(LicensePool, raw_pool(), now=NINE)
        self.on_their_way: set[str] = set()
        self.pending = PendingNotifications(store=self.store, is_in_outbox=lambda notice: notice in self.on_their_way)

    def write(self, *entries: LedgerEnded) -> None:
        spec = SeatLedgerSpec(server="licenses", product="matlab", pool="matlab", ended=entries)
        self.store.ledgers["lab/licenses/matlab"][0] = LedgerView(
            name="matlab-0", uid="u", resource_version="1", spec=spec
        )
        self.pending.reload_ended(POOL)


def test_what_the_ledger_says_has_ended_is_told_once() -> None:
    place = Place()
    place.write(ended("ann"), ended("bob", "Wait"))
    (gone,) = place.pending.pop_due(POOL, "Seat")
    assert gone.user == "ann"
    place.pending.record_sent(POOL, gone, notice="n1")
    place.write(ended("ann"))
    assert place.pending.pop_due(POOL, "Seat") == []


def test_the_ledger_keeps_it_while_a_receiver_has_not_taken_the_notice() -> None:
    place = Place()
    place.write(ended("ann"))
    assert not place.pending.is_delivered(POOL, ended("ann"))
    (gone,) = place.pending.pop_due(POOL, "Seat")
    place.on_their_way.add("n1")
    place.pending.record_sent(POOL, gone, notice="n1")
    assert not place.pending.is_delivered(POOL, ended("ann"))
    place.on_their_way.clear()
    assert place.pending.is_delivered(POOL, ended("ann"))


def test_a_wait_that_ended_is_kept_as_a_seat_is_and_told_apart_from_it() -> None:
    place = Place()
    place.write(ended("ann"), ended("ann", "Wait"))
    assert not place.pending.is_delivered(POOL, ended("ann", "Wait"))
    (gone,) = place.pending.pop_due(POOL, "Wait")
    assert gone.what == "Wait"
    place.pending.record_sent(POOL, gone, notice="n1")
    assert place.pending.is_delivered(POOL, ended("ann", "Wait"))
    assert not place.pending.is_delivered(POOL, ended("ann"))


def test_a_second_seat_of_the_same_person_is_another_departure() -> None:
    place = Place()
    place.write(ended("ann"))
    (gone,) = place.pending.pop_due(POOL, "Seat")
    place.pending.record_sent(POOL, gone, notice="n1")
    place.write(ended("ann", since=TEN))
    (again,) = place.pending.pop_due(POOL, "Seat")
    assert again.since == TEN
