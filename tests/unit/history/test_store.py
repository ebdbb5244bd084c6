"""One row for each fact, however often and by whom it was written; and nothing but the history can be read."""

import itertools
import json
import random
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.history.rows import after, capacity, refusal, session, wait

from seatpool.history.schema import KINDS, Row, columns, row_to_json
from seatpool.history.sql import InvalidQuery, run_query
from seatpool.history.store import HistoryNotReadable, connect, open_history
from seatpool.history.writing import write_lines, write_rows

HOUR = 3600


def answer(folder: Path, question: str) -> list[tuple[Any, ...]]:
    with open_history(folder) as database:
        return database.execute(question).fetchall()


def naive(instant: datetime) -> datetime:
    return instant.replace(tzinfo=None)


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    write_rows(
        [session("ann", 0, 60.25, waited_s=3.5, account="1"), wait("bob"), refusal("eve"), capacity(5)], tmp_path
    )
    question = (
        "SELECT user_id, granted_at, released_at, held_s, waited_s, account, workbench_type, is_open FROM sessions"
    )
    assert answer(tmp_path, question) == [("ann", naive(after(0)), naive(after(60.25)), 60.25, 3.5, "1", None, False)]
    assert answer(tmp_path, "SELECT user_id, is_open FROM waits") == [("bob", True)]
    assert answer(tmp_path, "SELECT user_id, reason FROM refusals") == [("eve", "Denied")]
    assert answer(tmp_path, "SELECT pool, seats FROM capacity") == [("lab/matlab", 5)]


def test_every_column_of_a_kind_is_in_its_view(tmp_path: Path) -> None:
    tmp_path.joinpath("empty").mkdir()
    with open_history(tmp_path / "empty") as database:
        for kind in KINDS:
            named = [column[0] for column in database.execute(f"SELECT * FROM {kind.kind}").description or ()]
            assert set(columns(kind)) <= set(named)


def test_files_lie_by_kind_and_by_the_day_on_which_a_fact_was_seen(tmp_path: Path) -> None:
    write_rows([session("ann", 0, 13 * HOUR), capacity(5)], tmp_path)
    places = sorted(str(path.parent.relative_to(tmp_path)) for path in tmp_path.rglob("*.parquet"))
    assert places == ["kind=capacity/day=2026-03-09", "kind=sessions/day=2026-03-10"]


def test_the_same_rows_written_again_are_the_same_file(tmp_path: Path) -> None:
    rows = [session("ann"), session("bob")]
    assert write_rows(rows, tmp_path) == write_rows(rows, tmp_path)
    assert answer(tmp_path, "SELECT count(*) FROM sessions_rows") == [(2,)]


ROWS = (
    session("ann", 0),
    session("ann", 0, listed_at=after(2), granted_revision=7, seen=2),
    session("ann", 0, listed_at=after(900), granted_revision=9, seen=900),
    session("ann", 0, workbench_type="vew-matlab", account="1", waited_s=4.0, seen=0.5),
    session("ann", 0, 1000),
    session("ann", 0, 1000, unlisted_at=after(1002), released_revision=12, seen=1002),
    session("bob", 50),
    wait("bob", 0),
    wait("bob", 0, 50),
    capacity(5),
    capacity(5, seen_at=after(600)),
)


@settings(max_examples=15)
@given(st.permutations(ROWS), st.lists(st.integers(0, len(ROWS)), max_size=4))
def test_neither_order_nor_files_nor_repetition_of_rows_makes_a_difference(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], cuts: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("history")
    edges = [0, *sorted(cuts), len(rows)]
    for begin, end in itertools.pairwise(edges):
        write_rows(rows[begin:end], folder)
    write_rows(random.Random(1).sample(rows, 5), folder)
    known = "user_id, held_s, waited_s, workbench_type, account, granted_revision, released_revision, release_reason"
    assert answer(folder, f"SELECT {known} FROM sessions ORDER BY 1") == [
        ("ann", 1000.0, 4.0, "vew-matlab", "1", 7, 12, "WorkbenchesStopped"),
        ("bob", 952.0, None, None, None, None, None, None),
    ]
    assert answer(folder, "SELECT user_id, waited_s, outcome FROM waits") == [("bob", 50.0, "Granted")]
    assert answer(folder, "SELECT seats, since FROM capacity") == [(5, naive(after(0)))]


def test_what_was_not_seen_again_while_others_were_has_ended_when_it_was_last_seen(tmp_path: Path) -> None:
    write_rows([session("ann", 0, seen=HOUR), wait("bob", 0), session("cem", 0, seen=9 * HOUR)], tmp_path)
    assert answer(tmp_path, "SELECT user_id, held_s, release_reason, is_open FROM sessions ORDER BY 1") == [
        ("ann", float(HOUR), "NotSeenAgain", False),
        ("cem", 9.0 * HOUR, None, True),
    ]
    assert answer(tmp_path, "SELECT waited_s, outcome FROM waits") == [(0.0, "NotSeenAgain")]


def test_what_an_imported_log_leaves_open_stays_open(tmp_path: Path) -> None:
    write_rows([session("ann", 0, source="flexnet"), session("bob", 0, seen=9 * HOUR, source="flexnet")], tmp_path)
    assert answer(tmp_path, "SELECT DISTINCT is_open FROM sessions") == [(True,)]


def test_of_a_window_is_read_whatever_did_not_end_before_it(tmp_path: Path) -> None:
    day = 24 * HOUR
    write_rows(
        [session("old", 0, HOUR), session("long", 0, 5 * day), session("new", 4 * day, 4 * day + 60), capacity(3)],
        tmp_path,
    )
    with open_history(tmp_path, since=after(3 * day).date()) as database:
        assert database.execute("SELECT user_id FROM sessions ORDER BY 1").fetchall() == [("long",), ("new",)]
        assert database.execute("SELECT seats FROM capacity").fetchall() == [(3,)]


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(HistoryNotReadable, match="there is no such folder"):
        connect(tmp_path / "nowhere")


def test_a_line_that_was_torn_is_passed_over_and_the_others_are_not(tmp_path: Path) -> None:
    lines = tmp_path / "segment.jsonl"
    text = "\n".join(json.dumps(row_to_json(row)) for row in (session("ann"), session("bob")))
    lines.write_text(text[:-20])
    write_lines(lines, tmp_path / "torn", batch="segment")
    assert answer(tmp_path / "torn", "SELECT user_id FROM sessions") == [("ann",)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_rows([session("ann", 0, 60)], tmp_path / "history")
    (tmp_path / "secret.csv").write_text("secret\n1\n")
    return tmp_path / "history"


def test_a_question_is_answered_with_its_columns(folder: Path) -> None:
    found = run_query(folder, "SELECT user_id AS who, held_s FROM sessions")
    assert (found.columns, list(found.rows)) == (("who", "held_s"), [("ann", 60.0)])


@pytest.mark.parametrize(
    "sql",
    [
        "DROP VIEW sessions",
        "COPY (SELECT 1) TO 'x.csv'",
        "SET enable_external_access = true",
        "SELECT 1; DROP VIEW sessions",
        "ATTACH 'x.db'",
        "INSTALL httpfs",
        "PRAGMA database_list",
        "CREATE TABLE x (y INTEGER)",
        "EXPORT DATABASE 'x'",
        "",
    ],
)
def test_what_is_no_single_select_is_refused_before_it_runs(folder: Path, sql: str) -> None:
    with pytest.raises(InvalidQuery, match=r"write one SELECT"):
        run_query(folder, sql)


@pytest.mark.parametrize(
    "source",
    [
        "read_csv('{outside}/secret.csv')",
        "'{outside}/secret.csv'",
        "read_text('/etc/passwd')",
        "glob('/etc/*')",
        "read_text('{inside}/../secret.csv')",
        "read_parquet('s3://bucket/x.parquet')",
        "query('SELECT * FROM read_text(''/etc/passwd'')')",
    ],
)
def test_nothing_outside_of_the_history_can_be_read(folder: Path, source: str) -> None:
    place = source.format(outside=folder.parent, inside=folder)
    with pytest.raises(InvalidQuery, match=r"disabled by config|Permission|Cannot access"):
        run_query(folder, f"SELECT * FROM {place}")


def test_no_variable_of_the_program_is_taken_for_a_table(folder: Path) -> None:
    with pytest.raises(InvalidQuery, match="does not exist"):
        run_query(folder, "SELECT * FROM statements")


def test_a_question_that_cannot_be_read_is_told_where(folder: Path) -> None:
    with pytest.raises(InvalidQuery, match="FORM"):
        run_query(folder, "SELECT * FORM sessions")


def test_the_connection_cannot_be_unlocked_again(folder: Path) -> None:
    with open_history(folder) as database, pytest.raises(duckdb.Error, match="locked"):
        database.execute("SET lock_configuration = false")
