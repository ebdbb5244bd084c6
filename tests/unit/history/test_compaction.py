"""Many files become one, nothing in them is lost or doubled meanwhile, and what is too old goes."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.history.rows import NOON, session, wait

from seatpool.history.archive import FolderArchive
from seatpool.history.atomic_write import write_atomically
from seatpool.history.compaction import Compactor
from seatpool.history.store import open_history
from seatpool.history.writing import write_rows

TODAY, TOMORROW = NOON.date(), NOON.date() + timedelta(days=1)
HOUR, DAY = 3600, 86_400


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.parquet"))


def sessions(folder: Path) -> list[tuple[Any, ...]]:
    with open_history(folder) as database:
        return database.execute("SELECT user_id, held_s, is_open FROM sessions ORDER BY 1").fetchall()


def test_a_day_that_is_over_becomes_one_file_and_says_the_same_all_the_time(tmp_path: Path) -> None:
    for number in range(5):
        write_rows([session(f"user{number}")], tmp_path)
        write_rows([session(f"user{number}", 0, 60 + number)], tmp_path)
    expected = sessions(tmp_path)
    tidying = Compactor(FolderArchive(tmp_path), retention_days=None)
    tidying.compact(today=TOMORROW)
    assert len(files(tmp_path)) == 11
    assert sessions(tmp_path) == expected
    tidying.compact(today=TOMORROW)
    assert len(files(tmp_path)) == 1
    assert sessions(tmp_path) == expected
    tidying.compact(today=TOMORROW)
    assert len(files(tmp_path)) == 1


def test_a_process_that_dies_between_two_rounds_leaves_nothing_doubled(tmp_path: Path) -> None:
    write_rows([session("ann")], tmp_path)
    write_rows([session("bob")], tmp_path)
    expected = sessions(tmp_path)
    Compactor(FolderArchive(tmp_path), retention_days=None).compact(today=TOMORROW)
    other = Compactor(FolderArchive(tmp_path), retention_days=None)
    other.compact(today=TOMORROW)
    other.compact(today=TOMORROW)
    assert len(files(tmp_path)) == 1
    assert sessions(tmp_path) == expected


@pytest.mark.parametrize("name", [".day-0a1b.parquet", ".day-0a1b.parquet.17", ".20260301T120000-0a1b.parquet.9"])
def test_what_a_killed_process_left_half_written_is_read_by_nobody(tmp_path: Path, name: str) -> None:
    (whole,) = write_rows([session("ann")], tmp_path)
    write_rows([session("bob")], tmp_path)
    expected = sessions(tmp_path)
    half = whole.with_name(name)
    half.write_bytes(whole.read_bytes()[:100])
    assert sessions(tmp_path) == expected
    tidying = Compactor(FolderArchive(tmp_path), retention_days=None)
    for _ in range(2):
        tidying.compact(today=TOMORROW)
    assert half.exists(), "another process may be at it"
    assert sessions(tmp_path) == expected


def test_a_file_that_cannot_be_written_to_its_end_is_not_there(tmp_path: Path) -> None:
    def stops_half_way(fresh: Path) -> None:
        fresh.write_bytes(b"PAR1")
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        write_atomically(tmp_path / "day" / "a.parquet", stops_half_way)
    assert list((tmp_path / "day").iterdir()) == []


def test_a_day_that_is_not_over_is_left_until_it_has_many_files(tmp_path: Path) -> None:
    tidying = Compactor(FolderArchive(tmp_path), retention_days=None)
    for number in range(32):
        write_rows([session(f"user{number}")], tmp_path)
    tidying.compact(today=TODAY)
    assert len(files(tmp_path)) == 32
    write_rows([session("user32")], tmp_path)
    tidying.compact(today=TODAY)
    tidying.compact(today=TODAY)
    assert len(files(tmp_path)) == 1


def test_days_older_than_may_be_kept_are_deleted_and_a_seat_that_is_held_still_is_not(tmp_path: Path) -> None:
    write_rows([session("gone", 0, HOUR), wait("gone", 0, HOUR), session("holds", 0, seen=0)], tmp_path)
    write_rows([session("holds", 0, seen=40 * DAY), session("new", 40 * DAY, 40 * DAY + 60)], tmp_path)
    Compactor(FolderArchive(tmp_path), retention_days=30).compact(today=TODAY + timedelta(days=40))
    assert sessions(tmp_path) == [("holds", 40.0 * DAY + 60, True), ("new", 60.0, False)]
    assert not list(tmp_path.glob("kind=waits/*"))


def test_a_day_is_kept_for_as_long_as_was_said(tmp_path: Path) -> None:
    write_rows([session("ann", 0, HOUR)], tmp_path)
    tidying = Compactor(FolderArchive(tmp_path), retention_days=30)
    tidying.compact(today=TODAY + timedelta(days=30))
    assert len(files(tmp_path)) == 1
    tidying.compact(today=TODAY + timedelta(days=31))
    assert files(tmp_path) == []


@pytest.mark.parametrize(("age", "is_left"), [(7200, False), (60, True)])
def test_what_a_killed_process_left_half_written_is_deleted_when_nobody_can_be_writing_it(
    tmp_path: Path, age: int, is_left: bool
) -> None:
    (whole,) = write_rows([session("ann")], tmp_path)
    half = whole.with_name(f".{whole.name}.4711")
    half.write_bytes(b"half")
    os.utime(half, (half.stat().st_mtime - age,) * 2)
    Compactor(FolderArchive(tmp_path), retention_days=None).compact(today=TODAY)
    assert half.exists() is is_left
    assert whole.exists()
