"""What began is noted once by each process, what ended is taken from the ledger, and it comes to the same whoever notes it."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tests.unit.control.objects import known, later, raw_ledger, raw_pool, raw_server, raw_workbench
from tests.unit.history.running import Running, until

from seatpool.api.base import format_instant
from seatpool.api.identity import IdentitySettings
from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.cache.store import Raw, Store
from seatpool.control.sinks.facts import AnswerStored, ListConfirmed
from seatpool.control.sinks.history import History
from seatpool.control.state.pool_state import PoolState
from seatpool.domain.allocate import allocate
from seatpool.domain.allocation import Allocation
from seatpool.domain.memory import PoolMemory
from seatpool.history.pseudonyms import Pseudonyms

POOL = "lab/matlab"


class Process:
    """An operator's history, with a store that knows some workbenches. Seconds count from a fixed instant."""

    def __init__(self, running: Running, *, seats: int = 1) -> None:
        self.seconds = 0.0
        self.version = 1
        self.running = running
        self.store = Store(IdentitySettings())
        self.put(LicenseServer, raw_server())
        self.put(LicensePool, raw_pool(seats=seats))
        self.memory = PoolMemory.empty()
        self.history = History(
            store=self.store,
            installation="ours",
            recording=running.recording,
            pseudonyms=Pseudonyms(),
            clock=self.now,
        )

    def now(self) -> datetime:
        return later(self.seconds)

    def put(self, kind: type, raw: Raw) -> None:
        self.version += 1
        raw["metadata"]["resourceVersion"] = str(self.version)
        self.store.upsert(kind, raw, now=self.now())

    def start(self, number: int, owner: str) -> None:
        self.put(Workbench, raw_workbench(number, owner, stateChangedAt=format_instant(self.now())))

    def stop(self, number: int, owner: str) -> None:
        self.put(Workbench, raw_workbench(number, owner, state="stopped"))

    def decide(self, *ended: tuple[str, str, float, str]) -> Allocation:
        """An answer is stored with what ended, and the history is told."""
        answer = allocate(self.store.rules[POOL], self.store.demand.needs(POOL), self.memory, self.now())
        self.memory = answer.memory
        raw = raw_ledger(users=" ".join(answer.seats))
        for grant in raw["spec"]["assigned"]:
            grant["since"] = format_instant(answer.seats[grant["user"]].since)
        raw["spec"]["waiting"] = [{"user": one.user, "since": format_instant(one.since)} for one in answer.waiting]
        raw["spec"]["ended"] = [
            {
                "user": user,
                "what": what,
                "since": format_instant(later(since)),
                "at": format_instant(self.now()),
                "reason": why,
            }
            for user, what, since, why in ended
        ]
        self.put(SeatLedger, raw)
        self.history.handle(AnswerStored(pool=self.store.pools[POOL], before=None, answer=answer))
        return answer

    def confirm(self, users: str, revision: int) -> None:
        seen = known(users, revision=revision)
        self.history.handle(ListConfirmed(pool=self.store.pools[POOL], state=PoolState(observed=seen)))


@pytest.fixture
def running(tmp_path: Path) -> Running:
    return Running(tmp_path / "history")


async def recorded(running: Running) -> float:
    """Everything that was noted is in files; how many rows that took."""
    async with running.going():
        await until(lambda: not running.value("rows_waiting"))
    return running.value("rows_total", result="spooled")


async def test_a_seat_is_followed_from_grant_to_release_with_the_lists_that_had_it(running: Running) -> None:
    process = Process(running)
    process.start(1, "ann")
    process.decide()
    process.seconds = 2
    process.confirm("ann", 7)
    process.seconds = 60
    process.stop(1, "ann")
    process.decide(("ann", "Seat", 0, "WorkbenchesStopped"))
    process.seconds = 61
    process.confirm("", 8)
    await recorded(running)
    told = "user_id, workbench_type, account, grant_reason, waited_s, held_s, release_reason, granted_revision, released_revision"
    assert running.ask(f"SELECT {told} FROM sessions") == [
        ("ann", "vew-matlab", "123456789012", "Granted", 0.0, 60.0, "WorkbenchesStopped", 7, 8)
    ]
    late = "SELECT epoch(listed_at - granted_at), epoch(unlisted_at - released_at) FROM sessions"
    assert running.ask(late) == [(2.0, 1.0)]


async def test_the_way_of_an_event_is_no_wait_and_the_line_is_one(running: Running) -> None:
    process = Process(running)
    process.start(1, "ann")
    process.start(2, "bob")
    process.seconds = 9
    process.decide()
    process.seconds = 100
    process.stop(1, "ann")
    process.decide(("ann", "Seat", 9, "WorkbenchesStopped"))
    await recorded(running)
    assert running.ask("SELECT user_id, waited_s FROM sessions ORDER BY 1") == [("ann", 0.0), ("bob", 100.0)]


async def test_an_answer_that_says_nothing_new_notes_nothing(running: Running) -> None:
    process = Process(running)
    process.start(1, "ann")
    process.start(2, "bob")
    process.decide()
    process.confirm("ann", 1)
    for _ in range(5):
        process.decide()
        process.confirm("ann", 1)
    assert await recorded(running) == 4, "the pool's seats, a seat, that it is listed, and a wait"


async def test_what_a_process_before_had_noted_is_noted_again_and_is_the_same(running: Running) -> None:
    first = Process(running)
    first.start(1, "ann")
    first.start(2, "bob")
    first.decide()
    first.seconds = 2
    first.confirm("ann", 1)
    second = Process(running)
    second.start(1, "ann")
    second.start(2, "bob")
    second.memory, second.seconds = first.memory, 900
    second.decide()
    second.confirm("ann", 5)
    await recorded(running)
    assert running.ask("SELECT user_id, granted_revision, waited_s FROM sessions") == [("ann", 1, 0.0)]
    assert running.ask("SELECT user_id, is_open FROM waits") == [("bob", True)]
    assert running.ask("SELECT seats, epoch(seen_at - since) FROM capacity") == [(1, 900.0)]


async def test_who_comes_back_before_the_list_was_written_was_never_off_it(running: Running) -> None:
    process = Process(running)
    process.start(1, "ann")
    process.decide()
    process.confirm("ann", 1)
    process.seconds = 10
    process.memory = replace(process.memory, assigned={})
    process.decide(("ann", "Seat", 0, "WorkbenchesStopped"))
    process.confirm("ann", 1)
    await recorded(running)
    assert running.ask("SELECT held_s, unlisted_at IS NULL, is_open FROM sessions ORDER BY granted_at") == [
        (10.0, True, False),
        (0.0, True, True),
    ]


async def test_an_end_that_is_in_the_ledger_is_noted_by_a_process_that_knows_nothing_else(running: Running) -> None:
    process = Process(running)
    process.seconds = 30
    process.decide(("ann", "Seat", 5, "WorkbenchesStopped"), ("bob", "Wait", 6, "NeedEnded"))
    process.decide(("ann", "Seat", 5, "WorkbenchesStopped"), ("bob", "Wait", 6, "NeedEnded"))
    await recorded(running)
    assert running.ask("SELECT user_id, held_s, release_reason FROM sessions") == [("ann", 25.0, "WorkbenchesStopped")]
    assert running.ask("SELECT user_id, waited_s, outcome FROM waits") == [("bob", 24.0, "NeedEnded")]
    assert running.ask("SELECT count(*) FROM sessions_rows") == [(1,)]


async def test_an_end_counts_as_recorded_when_it_is_in_a_file_and_not_before(running: Running) -> None:
    process = Process(running)
    process.decide(("ann", "Seat", 0, "WorkbenchesStopped"))
    (ended,) = process.store.ended_of(POOL)
    assert not process.history.is_recorded(POOL, ended)
    await recorded(running)
    assert process.history.is_recorded(POOL, ended)
    process.decide()
    assert not process.history.is_recorded(POOL, ended), "nobody asks any more, and nothing is kept of it"


async def test_another_pool_of_the_same_name_ends_the_seats_of_the_one_before(running: Running) -> None:
    process = Process(running)
    process.start(1, "ann")
    process.decide()
    process.seconds = 60
    process.put(LicensePool, raw_pool(uid="another", seats=3))
    process.memory = PoolMemory.empty()
    process.store.ledgers.clear()
    process.decide()
    await recorded(running)
    assert running.ask("SELECT held_s, release_reason, is_open FROM sessions ORDER BY granted_at") == [
        (60.0, "PoolDeleted", False),
        (0.0, None, True),
    ]
    assert running.ask("SELECT seats FROM capacity ORDER BY since, seats") == [(1,), (0,), (3,)]


async def test_in_dry_run_seats_are_noted_as_computed_only(running: Running) -> None:
    process = Process(running)
    process.put(LicenseServer, raw_server(mode="DryRun", meta={"generation": 2}))
    process.start(1, "ann")
    process.decide()
    await recorded(running)
    assert running.ask("SELECT mode, listed_at FROM sessions") == [("DryRun", None)]
