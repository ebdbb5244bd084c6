"""What the operator records of seats, read back as its users read it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.control.conftest import ACCOUNT, LEDGER, Stage, event
from tests.waiting import PATIENCE, eventually

from seatpool.api.licensepool import LicensePool
from seatpool.api.seatledger import SeatLedger
from seatpool.control.reconcile.failpoints import Failpoint
from seatpool.history.store import open_history

Answer = list[tuple[Any, ...]]


class Kept:
    """A history's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def settings(self, **others: Any) -> dict[str, Any]:
        return {"location": str(self.folder), "flush_interval": "1s"} | others

    def ask(self, question: str) -> Answer:
        if not self.folder.is_dir():
            return []
        with open_history(self.folder) as database:
            return database.execute(question).fetchall()

    async def until(self, question: str, answer: Answer) -> None:
        await eventually(lambda: self.ask(question) == answer, what=f"{question}: {answer}")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "history")


SEATS = "SELECT user_id, release_reason FROM sessions ORDER BY granted_at"


async def test_seats_waits_and_refusals_are_recorded_with_all_that_is_known_of_them(stage: Stage, kept: Kept) -> None:
    stage.apply(stage.server(), stage.pool(seats=1, deniedUsers=["eve"]))
    async with stage.operator(mirror=stage.mirror_settings(), history=kept.settings()):
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        stage.send(event(2, "running", "bob"), event(3, "running", "eve"))
        await kept.until("SELECT user_id, is_open FROM waits", [("bob", True)])
        stage.send(event(1, "stopped", "ann"))
        await stage.until_list(["bob"])
        await kept.until(
            "SELECT user_id FROM sessions WHERE listed_at > granted_at ORDER BY granted_at", [("ann",), ("bob",)]
        )
        await kept.until("SELECT user_id FROM sessions WHERE unlisted_at IS NOT NULL", [("ann",)])
    pool = f"{stage.namespace}/matlab"
    assert kept.ask("SELECT DISTINCT installation, pool, product, server, mode, source FROM sessions") == [
        ("tests", pool, "matlab", f"{stage.namespace}/licenses", "Enforce", "operator")
    ]
    assert kept.ask(
        "SELECT user_id, workbench_type, account, grant_reason, release_reason, is_open FROM sessions ORDER BY 1"
    ) == [
        ("ann", "vew-matlab", ACCOUNT, "Granted", "WorkbenchesStopped", False),
        ("bob", "vew-matlab", ACCOUNT, "Granted", None, True),
    ]
    assert kept.ask("SELECT granted_revision, released_revision FROM sessions ORDER BY user_id") == [(1, 2), (2, None)]
    assert kept.ask("SELECT user_id, reason, outcome, workbench_type FROM waits") == [
        ("bob", "PoolFull", "Granted", "vew-matlab")
    ]
    same = "SELECT abs(w.waited_s - s.waited_s) < 1, w.ended_at = s.granted_at FROM waits w JOIN sessions s USING (user_id)"
    assert kept.ask(same) == [(True, True)]
    assert kept.ask("SELECT user_id, reason FROM refusals") == [("eve", "Denied")]
    assert kept.ask("SELECT pool, seats FROM capacity") == [(pool, 1)]


async def test_the_ledger_forgets_what_ended_when_the_history_has_it(stage: Stage, kept: Kept) -> None:
    stage.apply(stage.server(), stage.pool(seats=2))

    async def ended() -> list[str]:
        ledger = await stage.get(SeatLedger, LEDGER)
        return [one["user"] for one in (ledger or {}).get("spec", {}).get("ended", [])]

    async with stage.operator(mirror=stage.mirror_settings(), history=kept.settings()) as operator:
        stage.send(event(1, "running", "ann"))
        await stage.until_list(["ann"])
        stage.send(event(1, "stopped", "ann"))
        await stage.until_list([])
        assert await ended() == ["ann"]
        await kept.until(SEATS, [("ann", "WorkbenchesStopped")])
        in_files = time.time()

        def is_known() -> bool:
            """A file is seen by others a moment before the operator knows that it is there."""
            return (operator.registry.get_sample_value("seatpool_history_archived_timestamp_seconds") or 0) > in_files

        await eventually(is_known, what="the operator knows that the history has it")
        stage.send(event(2, "running", "bob"))
        await stage.until_list(["bob"])
        await eventually(lambda: stage.host.users("matlab") == ("bob",))
        assert await ended() == []


async def test_a_seat_freed_by_an_operator_that_was_killed_before_it_recorded_anything_is_recorded_by_the_next(
    stage: Stage, kept: Kept
) -> None:
    """The killed one's spool is lost too, as with a node."""
    stage.apply(stage.server(), stage.pool(seats=2))
    first = {
        "mirror": stage.mirror_settings(),
        "history": kept.settings(spool=str(stage.tmp_path / "lost"), flush_interval="1h"),
    }
    stage.send(event(1, "running", "ann"))
    async with stage.operator(mirror=stage.mirror_settings()):
        await stage.until_list(["ann"])
    stage.send(event(1, "stopped", "ann"))
    dying = stage.start_process(die_at=Failpoint.AFTER_INTENT.value, **first)
    await asyncio.to_thread(dying.wait, PATIENCE)
    assert dying.returncode == -9
    async with stage.operator(mirror=stage.mirror_settings(), history=kept.settings()):
        await stage.until_list([])
        await kept.until(SEATS, [("ann", "WorkbenchesStopped")])
        await kept.until("SELECT unlisted_at >= released_at FROM sessions", [(True,)])


async def test_a_deleted_pool_leaves_nobody_with_a_seat(stage: Stage, kept: Kept) -> None:
    stage.apply(stage.server(), stage.pool(seats=1))
    async with stage.operator(mirror=stage.mirror_settings(), history=kept.settings()):
        stage.send(event(1, "running", "ann"), event(2, "running", "bob"))
        await stage.until_ready()
        await kept.until("SELECT count(*) FROM sessions, waits", [(1,)])
        stage.delete(LicensePool.singular, "matlab")
        await kept.until("SELECT release_reason, outcome FROM sessions, waits", [("PoolDeleted", "PoolDeleted")])
        await kept.until("SELECT seats FROM capacity ORDER BY since", [(1,), (0,)])


async def test_people_are_recorded_under_pseudonyms_and_nowhere_by_name(
    stage: Stage, kept: Kept, tmp_path: Path
) -> None:
    salt = tmp_path / "salt"
    salt.write_text("a secret of sixteen bytes")
    stage.apply(stage.server(), stage.pool(seats=1))
    async with stage.operator(mirror=stage.mirror_settings(), history=kept.settings(salt_file=str(salt))):
        stage.send(event(1, "running", "annabel"), event(2, "running", "bob"))
        await stage.until_ready()
        await kept.until("SELECT count(*) FROM sessions, waits", [(1,)])
    names = kept.ask("SELECT user_id FROM sessions UNION SELECT user_id FROM waits")
    assert all(name.startswith("p-") for (name,) in names)
    everything = b"".join(path.read_bytes() for path in kept.folder.rglob("*") if path.is_file())
    assert everything
    assert b"annabel" not in everything


@contextmanager
def unwritable(folder: Path) -> Iterator[None]:
    """A file is where the folder should be: not even root can write below it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    yield
    folder.unlink()


async def test_a_disk_that_cannot_be_written_keeps_nobody_from_a_seat_and_nothing_is_lost_when_it_can(
    stage: Stage, kept: Kept
) -> None:
    stage.apply(stage.server(), stage.pool(seats=2))
    spool = stage.tmp_path / "disk" / "spool"
    history = kept.settings(spool=str(spool))
    async with stage.operator(mirror=stage.mirror_settings(), history=history) as operator:

        def failing() -> float | None:
            return operator.registry.get_sample_value("seatpool_history_failing", {"part": "spool"})

        with unwritable(spool):
            stage.send(event(1, "running", "ann"))
            await stage.until_list(["ann"])
            stage.send(event(1, "stopped", "ann"))
            await stage.until_list([])
            await eventually(lambda: failing() == 1)
            assert operator.registry.get_sample_value("seatpool_history_errors_total", {"part": "spool"})
        await kept.until(SEATS, [("ann", "WorkbenchesStopped")])
        assert failing() == 0


async def test_a_place_that_cannot_be_written_is_known_at_the_start_of_a_process(stage: Stage) -> None:
    (stage.tmp_path / "file").write_text("no folder")
    async with stage.operator(history={"location": str(stage.tmp_path / "file" / "history")}) as operator:
        for part in ("spool", "archive"):
            await eventually(
                lambda part=part: operator.registry.get_sample_value("seatpool_history_failing", {"part": part}) == 1,
                what=f"{part} is said to fail, without a fact to write",
            )
