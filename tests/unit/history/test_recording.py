"""Recording never waits and never fails; what it was told is in files in the end, and the oldest goes when there is no room."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from tests.unit.history.rows import session
from tests.unit.history.running import Running, until

from seatpool.history.archive import Days, FolderArchive
from seatpool.history.writing import HistoryFile, HistoryNotWritten


class FarAway(FolderArchive):
    """An archive that cannot be reached for a while."""

    is_away = True

    def add(self, lines: Path, *, batch: str) -> None:
        if self.is_away:
            raise HistoryNotWritten(f"{self.name}: no route")
        super().add(lines, batch=batch)

    def days(self, kind: str) -> Days:
        if self.is_away:
            raise HistoryNotWritten(f"{self.name}: no route")
        return super().days(kind)

    def fetch(self, kind: str, day: str, names: Iterable[str], *, into: Path) -> list[Path]:
        return super().fetch(kind, day, names, into=into)

    def store(self, file: HistoryFile) -> None:
        super().store(file)


class Odd(FolderArchive):
    """An archive whose first call ends with an error that a Future does not take."""

    is_odd = True

    def add(self, lines: Path, *, batch: str) -> None:
        if self.is_odd:
            self.is_odd = False
            raise StopIteration
        super().add(lines, batch=batch)


async def test_what_was_noted_is_spooled_at_once_and_archived_soon(tmp_path: Path) -> None:
    running = Running(tmp_path / "history")
    async with running.going():
        running.recording.note(session("ann"), mark="ann's")
        assert running.recording.knows("ann's")
        assert not running.recording.has_archived("ann's")
        await until(lambda: running.value("rows_total", result="spooled") == 1)
        await until(lambda: running.recording.has_archived("ann's"))
        assert running.people() == ["ann"]
        assert list((tmp_path / "history" / ".spool").iterdir()) == []
        running.recording.forget("ann's")
        assert not running.recording.knows("ann's")


async def test_what_was_noted_just_before_the_end_is_archived_too(tmp_path: Path) -> None:
    running = Running(tmp_path / "history", flush_interval="1h")
    async with running.going():
        await asyncio.sleep(0.1)
        running.recording.note(session("ann"))
    assert running.people() == ["ann"]


async def test_an_error_that_no_future_takes_holds_up_no_row(tmp_path: Path) -> None:
    running = Running(tmp_path / "history", archive=Odd(tmp_path / "history"))
    async with running.going():
        running.recording.note(session("ann"), mark="ann's")
        await until(lambda: running.recording.has_archived("ann's"))
        assert running.people() == ["ann"]


async def test_what_an_earlier_process_left_in_the_spool_is_archived(tmp_path: Path) -> None:
    archive = FarAway(tmp_path / "history")
    before = Running(tmp_path / "history", archive)
    async with before.going():
        before.recording.note(session("ann"))
        await until(lambda: before.value("errors_total", part="archive"))
    assert before.people() == []
    after = Running(tmp_path / "history")
    async with after.going():
        await until(lambda: after.people() == ["ann"])


async def test_an_archive_that_is_away_is_told_of_once_and_gets_everything_later(tmp_path: Path) -> None:
    archive = FarAway(tmp_path / "history")
    running = Running(tmp_path / "history", archive)
    with capture_logs() as logs:
        async with running.going():
            for number in range(3):
                running.recording.note(session(f"user{number}"), mark=number)
                await until(lambda: running.value("errors_total", part="archive") > number)  # noqa: B023
            assert running.value("failing", part="archive") == 1
            assert not running.recording.has_archived(0)
            archive.is_away = False
            await until(lambda: all(map(running.recording.has_archived, range(3))))
            assert running.value("failing", part="archive") == 0
    assert running.people() == ["user0", "user1", "user2"]
    told = [log["event"] for log in logs if log.get("part") == "archive"]
    assert told == ["history cannot be written; seats are given all the same", "history can be written again"]


async def test_when_there_is_no_room_the_oldest_goes_and_is_noted_again_if_it_can_be(tmp_path: Path) -> None:
    running = Running(tmp_path / "history", capacity=3)
    for number in range(5):
        running.recording.note(session(f"user{number}"), mark=number)
    assert running.value("rows_total", result="dropped") == 2
    assert [running.recording.knows(number) for number in range(5)] == [False, False, True, True, True]
    async with running.going():
        await until(lambda: running.people() == ["user2", "user3", "user4"])


async def test_a_fault_of_its_own_does_not_end_it(tmp_path: Path) -> None:
    class Broken(FolderArchive):
        calls = 0

        def add(self, lines: Path, *, batch: str) -> None:
            self.calls += 1
            if self.calls == 1:
                raise ZeroDivisionError
            super().add(lines, batch=batch)

    running = Running(tmp_path / "history", Broken(tmp_path / "history"))
    async with running.going():
        running.recording.note(session("ann"))
        await until(lambda: running.people() == ["ann"])
    assert running.value("errors_total", part="archive") == 1


async def test_settings_with_which_nothing_can_be_written_are_told_before_there_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    running = Running(tmp_path / "file" / "history")
    with capture_logs() as logs:
        checking = asyncio.create_task(running.recording.run_check())
        await until(lambda: running.value("failing", part="archive"))
        assert running.value("failing", part="spool") == 1
        checking.cancel()
    told = {entry["part"]: entry["error"] for entry in logs if entry["log_level"] == "error"}
    assert told.keys() == {"spool", "archive"}
    assert all(str(tmp_path / "file") in error for error in told.values())


async def test_the_check_goes_on_until_both_places_can_be_written_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seatpool.history.recording.CHECK_INTERVAL", 0.01)
    blocker = tmp_path / "file"
    blocker.write_text("no folder")
    running = Running(blocker / "history", spool=str(tmp_path / "spool"))
    checking = asyncio.create_task(running.recording.run_check())
    await until(lambda: running.value("failing", part="archive"))
    assert running.value("failing", part="spool") == 0
    blocker.unlink()
    async with asyncio.timeout(60):
        await checking
    assert running.value("failing", part="archive") == 0
    assert list((blocker / "history").iterdir()) == []
    assert list((tmp_path / "spool").iterdir()) == []
