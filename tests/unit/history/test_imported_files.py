"""An import under a name replaces what was imported under it, and nothing else."""

import gzip
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from tests.unit.history.rows import session

from seatpool.history.archive import FolderArchive
from seatpool.history.compaction import Compactor
from seatpool.history.imported_files import EarlierFilesMissing
from seatpool.history.importing import LogImport
from seatpool.history.store import open_history
from seatpool.history.writing import write_rows

FIRST_WEEK = """
 8:00:00 (vend) TIMESTAMP 3/2/2026
 8:30:00 (vend) OUT: "CAD" ann@ws1
 8:55:00 (vend) DENIED: "CAD" bob@ws2  (Licensed number of users already reached. (-4,342))
 9:00:00 (vend) OUT: "CAD" cem@ws3
 9:30:00 (vend) IN: "CAD" cem@ws3
"""
GROWN = (
    FIRST_WEEK
    + ' 9:20:05 (vend) OUT: "CAD" bob@ws2\n17:00:00 (vend) IN: "CAD" ann@ws1\n17:00:00 (vend) IN: "CAD" bob@ws2\n'
)


def importing(folder: Path, *files: Path, **others: object) -> LogImport:
    job = LogImport(
        files=files,
        into=folder / "history",
        name="lab",
        server=None,
        zone=UTC,
        user_of=str.lower,
        longest=timedelta(days=1),
    )
    return replace(job, **others)  # type: ignore[arg-type]


def content(folder: Path) -> list[tuple[object, ...]]:
    with open_history(folder / "history") as database:
        rows = database.execute(
            "SELECT 'session', user_id, granted_at, released_at, waited_s, release_reason FROM sessions "
            "UNION ALL SELECT 'wait', user_id, began_at, ended_at, waited_s, outcome FROM waits ORDER BY ALL"
        )
        return rows.fetchall()


def utc(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 3, 2, hour, minute, tzinfo=UTC).replace(tzinfo=None)


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def fresh(folder: Path, text: str, **others: object) -> list[tuple[object, ...]]:
    importing(folder, written(folder / "debug.log", text), **others).import_flexnet()
    return content(folder)


def test_a_log_that_grew_is_what_one_import_of_it_gives(tmp_path: Path) -> None:
    fresh(tmp_path, FIRST_WEEK)
    assert fresh(tmp_path, GROWN) == fresh(tmp_path / "other", GROWN)
    assert ("session", "ann", utc(8, 30), utc(17)) in [row[:4] for row in content(tmp_path)]
    assert ("wait", "bob", 1505.0) in [(row[0], row[1], row[4]) for row in content(tmp_path)]


def test_another_time_zone_or_longest_replaces_the_first(tmp_path: Path) -> None:
    fresh(tmp_path, GROWN)
    madrid, short = ZoneInfo("Europe/Madrid"), timedelta(hours=1)
    expected = fresh(tmp_path / "other", GROWN, zone=madrid, longest=short)
    assert fresh(tmp_path, GROWN, zone=madrid, longest=short) == expected


def test_other_names_and_the_operators_rows_stay_also_when_files_were_put_together(tmp_path: Path) -> None:
    history = tmp_path / "history"
    write_rows([session("eve", 0, 60), session("eve", 90, 100, installation="lab")], history)
    fresh(tmp_path, FIRST_WEEK, name="another")
    fresh(tmp_path, FIRST_WEEK)
    compactor = Compactor(FolderArchive(history), retention_days=None)
    for _ in range(2):
        compactor.compact(today=datetime(2027, 1, 1, tzinfo=UTC).date())
    assert len(list(history.glob("kind=sessions/day=2026-03-02/*.parquet"))) == 1
    fresh(tmp_path, GROWN)
    with open_history(history) as database:
        found = database.execute(
            "SELECT installation, source, count(*) FROM sessions GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    assert found == [("another", "flexnet", 2), ("lab", "flexnet", 3), ("lab", "operator", 1), ("ours", "operator", 1)]


def test_pieces_may_be_packed_renamed_and_joined_by_new_ones(tmp_path: Path) -> None:
    fresh(tmp_path, FIRST_WEEK)
    packed, new = tmp_path / "debug.log.1.gz", tmp_path / "debug.log"
    packed.write_bytes(gzip.compress(FIRST_WEEK.encode()))
    written(new, '17:00:00 (vend) IN: "CAD" ann@ws1\n18:00:00 (vend) TIMESTAMP 3/2/2026\n')
    importing(tmp_path, new, packed).import_flexnet()
    assert [row[3] for row in content(tmp_path) if row[:2] == ("session", "ann")] == [utc(17)]


@pytest.mark.parametrize("text", [GROWN.replace("bob", "eve"), " 8:00:00 (vend) TIMESTAMP 3/9/2026\n" + GROWN])
def test_a_file_that_was_imported_before_and_is_missing_is_named(tmp_path: Path, text: str) -> None:
    before = fresh(tmp_path, FIRST_WEEK)
    other = written(tmp_path / "other.log", text)
    with pytest.raises(
        EarlierFilesMissing, match=r"'lab' was made from other files too, of which debug\.log is not given"
    ):
        importing(tmp_path, other).import_flexnet()
    assert content(tmp_path) == before
    importing(tmp_path, other, replace=True).import_flexnet()
    (tmp_path / "new").mkdir()
    importing(tmp_path / "new", other).import_flexnet()
    assert content(tmp_path) == content(tmp_path / "new")


def test_rows_of_which_the_files_are_not_known_are_not_dropped_unasked(tmp_path: Path) -> None:
    before = fresh(tmp_path, FIRST_WEEK)
    for record in (tmp_path / "history" / ".imports").iterdir():
        record.write_text("{")
    with pytest.raises(EarlierFilesMissing, match="not known of which files"):
        fresh(tmp_path, GROWN)
    assert content(tmp_path) == before
    fresh(tmp_path, GROWN, replace=True)
    assert len(content(tmp_path)) == 4


@pytest.mark.parametrize("crashes_at", ["remember", "write_rows", "drop_rows"])
def test_an_import_that_is_cut_is_put_right_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crashes_at: str
) -> None:
    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    fresh(tmp_path, FIRST_WEEK)
    with monkeypatch.context() as patched:
        if crashes_at == "write_rows":
            patched.setattr("seatpool.history.importing.write_rows", crash)
        else:
            patched.setattr(f"seatpool.history.imported_files.EarlierImport.{crashes_at}", crash)
        with pytest.raises(KeyboardInterrupt):
            fresh(tmp_path, GROWN)
    assert fresh(tmp_path, GROWN) == fresh(tmp_path / "other", GROWN)
