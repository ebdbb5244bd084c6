"""Whatever is in a file: `history import`, `plan`, `report` and `sql` answer, or say in one sentence what is wrong.

`SEATPOOL_FUZZ=300` sets how many inputs of each kind are tried; a few in the suite.
"""

import contextlib
import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.history.rows import capacity, session, wait
from tests.unit.planner.event_texts import event, own_event_of_ec2
from typer.testing import CliRunner, Result

from seatpool.cli.main import app
from seatpool.domain.errors import SeatpoolError
from seatpool.history.schema import Capacity, Session, columns
from seatpool.history.writing import write_rows

LOG = b"""
 8:00:00 (lmgrd) TIMESTAMP 3/2/2026
 8:10:00 (vend) OUT: "CAD" ann@ws1  (2 licenses)
2026-03-02T08:15:00Z (vend) QUEUED: "CAD" @ws2 (1) ^^^ 1.0 bob 10.0.0.1 12 0x1 1 2 - 11 19 3/2/2026 8:15 0 ^^^
 8:20:00 (vend) DENIED: "CAD" eve@ws3  (Licensed number of users already reached. (-4,342))
 8:30:00 (vend[12]) Server started on lic1 for: CAD
 9:00:00 (vend) IN: "CAD" ann@ws1
"""
CSV = b"user,product,start,end,waited_s\nann,cad,2026-03-02 09:00,2026-03-02 17:00,60\nbob,cad,2026-03-02 10:00,,\n"
EVENTS = "\n".join((event("ann", "vew-a", 1, "running", 0), event("ann", "vew-a", 1, "stopped", 30))).encode()
SEEDS = {"flexnet": LOG, "csv": CSV, "events": EVENTS}


def run(*words: str | Path) -> Result:
    """Runs a command. An error has to be a sentence of ours."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    error = result.exception
    assert error is None or isinstance(error, SystemExit | SeatpoolError), repr(error)
    return result


def damaged(content: bytes, random: Random) -> bytes:
    """The content with some bytes changed, lines doubled or cut, or another encoding."""
    made = bytearray(content)
    for _ in range(random.randrange(6)):
        place = random.randrange(len(made) + 1)
        made[place : place + random.randrange(4)] = random.choice(
            (
                b"",
                b"\0",
                b'"',
                b"\r",
                b"\xff",
                b"[",
                b"9999",
                b"-",
                b"\x1b[31m",
                b"{",
                made[place : place + 90],
                b"\xed\xa0\x80",
            )
        )
    if random.random() < 0.2:
        return made.decode("utf-8", "replace").encode(random.choice(("utf-16", "utf-16-le", "utf-8-sig", "utf-32")))
    return gzip.compress(bytes(made))[: random.choice((8, 10_000))] if random.random() < 0.1 else bytes(made)


inputs = st.binary(max_size=300) | st.randoms(use_true_random=False)
EXAMPLES = int(os.environ.get("SEATPOOL_FUZZ", "15"))
fuzzed = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))


def written(folder: Path, name: str, drawn: bytes | Random) -> Path:
    file = folder / name
    file.write_bytes(damaged(SEEDS[name], drawn) if isinstance(drawn, Random) else drawn)
    return file


@fuzzed
@given(st.sampled_from(("flexnet", "csv")), inputs)
def test_no_bytes_in_a_log_break_an_import(tmp_path_factory: pytest.TempPathFactory, form: str, drawn: bytes) -> None:
    folder = tmp_path_factory.mktemp("import")
    made = run("history", "import", "--format", form, written(folder, form, drawn), "--into", folder / "history")
    if made.exit_code == 0:
        for by in ("pool", "hour"):
            run("report", "--history", folder / "history", "--by", by)
        run("plan", "--history", folder / "history", "--target", "p95 wait < 10m", "--resamples", "20")


@fuzzed
@given(inputs)
def test_no_bytes_in_a_file_of_events_break_a_plan(tmp_path_factory: pytest.TempPathFactory, drawn: bytes) -> None:
    run("plan", "--events", written(tmp_path_factory.mktemp("events"), "events", drawn), "--resamples", "20")


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    write_rows([capacity(2), session("ann", 0, 60), session("bob", 30, 90), wait("bob", 0, 30)], folder)
    return folder


def in_each_file(history: Path, folder: Path) -> Iterator[Path]:
    for path in history.rglob("*.parquet"):
        copy = folder / path.relative_to(history)
        copy.parent.mkdir(parents=True)
        copy.write_bytes(path.read_bytes())
        yield copy


@fuzzed
@given(st.randoms(use_true_random=False))
def test_no_bytes_in_a_history_break_a_report_or_a_query(
    tmp_path_factory: pytest.TempPathFactory, history: Path, random: Random
) -> None:
    folder = tmp_path_factory.mktemp("broken")
    copy = random.choice(list(in_each_file(history, folder)))
    content = bytearray(copy.read_bytes())
    if random.random() < 0.3:
        content = content[: random.randrange(len(content))]
    for _ in range(random.randrange(1, 8)):
        if content:
            content[random.randrange(len(content))] = random.randrange(256)
    copy.write_bytes(bytes(content))
    run("report", "--history", folder, "--by", random.choice(("pool", "user", "hour")))
    run("plan", "--history", folder, "--resamples", "20")
    run("sql", "SELECT * FROM sessions", "--history", folder)


@fuzzed
@given(
    st.text(max_size=60)
    | st.sampled_from(("SELECT 1/0", "SELECT 'x'::INT", "SELECT repeat('x', 1 << 60)", "SELECT \0"))
)
def test_no_question_breaks_sql(history: Path, question: str) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        question.encode()
        run("sql", "--history", history, "--", question)


@fuzzed
@given(
    st.sampled_from(("--since", "--until", "--time-zone", "--price", "--seats", "--pool")),
    st.text(max_size=12)
    | st.sampled_from(("0001-01-01", "9999-12-31", "1e309", "99999999d", "../etc/passwd", "9" * 400)),
)
def test_no_option_breaks_a_report(history: Path, option: str, value: str) -> None:
    with contextlib.suppress(UnicodeEncodeError):
        value.encode()
        run("report", "--history", history, f"{option}={value}")


@pytest.mark.parametrize("zone", ["", ".", "../UTC", "UTC\0", "x" * 5000])
def test_a_zone_that_is_none_is_named(tmp_path: Path, zone: str) -> None:
    file = written(tmp_path, "csv", CSV)
    made = run("history", "import", "--format", "csv", file, "--into", tmp_path / "h", f"--timezone={zone}")
    assert isinstance(made.exception, SeatpoolError)
    assert "no such time zone" in str(made.exception)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([own_event_of_ec2(1, "running", 0), own_event_of_ec2(1, "stopped", 9)], "says whose workbench it is about"),
        ([event("ann", "vew-a", 1, "running", 0)], "no user has a workbench for any time in 1 events; name"),
        ([event("  ", "vew-a", 1, "running", 0), event("  ", "vew-a", 1, "stopped", 9)], "no user has a workbench"),
    ],
)
def test_events_of_which_nothing_can_be_planned_say_why(tmp_path: Path, lines: list[str], told: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(lines))
    for output in ("table", "json"):
        made = run("plan", "--events", file, "-o", output)
        assert isinstance(made.exception, SeatpoolError)
        assert told in str(made.exception)


def test_a_library_s_exception_is_a_sentence_and_exit_code_2(tmp_path: Path) -> None:
    code = (
        "import seatpool.history.store as store, seatpool.cli.main as main, sys\n"
        "def broken(*_, **__): raise ZeroDivisionError('a fault\\nof a library')\n"
        "store.connect = broken\n"
        f"sys.argv = ['seatpool', 'sql', 'SELECT 1', '--history', {str(tmp_path)!r}]\n"
        "main.main()\n"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert made.returncode == 2
    assert made.stderr.startswith(
        "seatpool: ZeroDivisionError: a fault of a library; this was not expected, so please report it."
    )
    assert len(made.stderr.splitlines()) == 1
    again = subprocess.run([sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, check=False)
    assert "Traceback" in again.stderr


def test_a_reader_that_ends_first_is_no_answer_of_the_plan(tmp_path: Path) -> None:
    file = written(tmp_path, "events", EVENTS)
    reading, writing = os.pipe()
    os.close(reading)
    made = subprocess.run(
        [sys.executable, "-m", "seatpool", "plan", "--events", str(file)],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writing)
    assert (made.returncode, made.stderr) == (141, "")


def test_events_may_be_in_an_array_or_follow_each_other(tmp_path: Path) -> None:
    events = [json.loads(line) for line in EVENTS.decode().splitlines()]
    expected = json.loads(run("plan", "--events", written(tmp_path, "events", EVENTS), "-o", "json").output)
    forms = (
        json.dumps(events),
        json.dumps(events, indent=2),
        "".join(json.dumps(one) for one in events),
        "\ufeff" + EVENTS.decode(),
        EVENTS.decode().replace("\n", "\r\n"),
    )
    for text in forms:
        found = json.loads(run("plan", "--events", written(tmp_path, "events", text.encode()), "-o", "json").output)
        assert found == expected


OTHERS = (
    "'x'", "'2026-03-09'", "'\\xAA'::BLOB", "42", "1e300", "-1::BIGINT", "true", "['a', 'b']", "{'a': 1}", "NULL",
    "DATE '9999-12-31'", "TIMESTAMP 'infinity'", "TIMESTAMP '290000-01-01'", "TIMESTAMP '4000-01-01 (BC)'",
    "1e12", "-1e12", "'nan'::DOUBLE", "'infinity'::DOUBLE",
)  # fmt: skip
"""Values in SQL, of types that a column may not have."""


@pytest.mark.parametrize("other", OTHERS)
def test_a_column_of_another_type_breaks_no_report_and_no_query(tmp_path: Path, history: Path, other: str) -> None:
    """The Parquet file itself is whole."""
    for kind in (Session, Capacity):
        (whole,) = history.glob(f"kind={kind.kind}/*/*.parquet")
        shutil.copytree(history, tmp_path, dirs_exist_ok=True)
        for name in columns(kind):
            duckdb.execute(
                f"COPY (SELECT * REPLACE ({other} AS {name}) FROM read_parquet('{whole}', hive_partitioning = false)) "
                f"TO '{tmp_path / whole.relative_to(history)}' (FORMAT parquet)"
            )
            for words in (("report",), ("plan", "--resamples", "5"), ("sql", f"SELECT * FROM {kind.kind}")):
                run(*words, "--history", tmp_path)
