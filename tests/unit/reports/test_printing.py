"""A report in every form, as it leaves the program."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from tests.unit.history.rows import capacity, session, wait
from typer.testing import CliRunner

from seatpool.cli.main import app
from seatpool.domain.errors import SeatpoolError
from seatpool.history.writing import write_rows

HOUR = 3600
FORMULA, SCRIPT = "=cmd|' /C calc'!A0", "<script>alert(1)</script>"
LOADS = re.compile(r"""(?:src|href)\s*=\s*["'](?!#)|url\((?!#)|@import|<script|<link""", re.IGNORECASE)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    rows = [
        capacity(1),
        session("ann", 0, 4 * HOUR, waited_s=0.0, account="1", workbench_type="vew-matlab"),
        wait("bob", HOUR, 4 * HOUR),
        session(
            "bob",
            4 * HOUR,
            5 * HOUR,
            waited_s=3.0 * HOUR,
            account=FORMULA,
            workbench_type=SCRIPT,
        ),
        capacity(30, pool="lab/a-pool-with-a-name-that-is-longer-than-what-others-have"),
        session("eve", 0, 9 * HOUR, pool="lab/a-pool-with-a-name-that-is-longer-than-what-others-have"),
    ]
    write_rows(rows, tmp_path / "history")
    return tmp_path / "history"


def run(*arguments: str | Path, width: int = 80) -> str:
    result = CliRunner(env={"COLUMNS": str(width)}).invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def test_the_table_fits_into_80_columns_and_has_everything_in_wide(history: Path) -> None:
    text = run("report", "--history", history, "--price", "1000")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "2026-03-09 12:00 to 2026-03-09 21:00 (UTC), namespace lab, 2 rows"
    assert lines[2].split() == "POOL SEATS PEAK P95 IN USE FULL H WAITED P95 WAIT COST".split()  # noqa: SIM905
    assert re.search(r"^matlab +1 +1 +1 +56 % +5\.0 +50 % +3 h +1\.0$", text, re.MULTILINE)
    wide = run("report", "--history", history, "--price", "1000", "-o", "wide", width=200)
    assert "a-pool-with-a-name-that-is-longer-than-what-others-have" in wide
    assert all(word in wide for word in ("NEVER USED", "LONGEST", "GAVE UP", "IDLE COST"))


@pytest.mark.parametrize("words", [("report",), ("sql", "SELECT user_id, held_s FROM sessions ORDER BY user_id")])
def test_a_table_without_its_headings(history: Path, words: tuple[str, ...]) -> None:
    whole, bare = (run(*words, "--history", history, *more).splitlines() for more in ((), ("--no-headers",)))
    (heading,) = [line for line in whole if line.startswith(("POOL", "user_id"))]
    assert [line.split() for line in bare] == [line.split() for line in whole if line != heading]


def test_json_has_the_numbers_and_says_nothing_of_what_is_not_known(history: Path) -> None:
    found = json.loads(run("report", "--history", history, "-o", "json", "--pool", "matlab"))
    assert (found["since"], found["until"], found["by"]) == ("2026-03-09T12:00:00Z", "2026-03-09T21:00:00Z", "pool")
    (row,) = found["rows"]
    assert (row["pool"], row["held_hours"], row["wait_p95_s"], row["utilisation"]) == ("lab/matlab", 5, 10800, 0.556)
    assert "cost" not in row


def test_csv_is_safe_to_open_in_a_spreadsheet(history: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(run("report", "--history", history, "-o", "csv", "--by", "account"))))
    assert {row["account"] for row in rows} == {"1", f"'{FORMULA}", "(not known)"}
    assert {row["account"]: row["held_hours"] for row in rows}["1"] == "4.0"


def test_parquet_has_the_same_rows_with_their_types(history: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.parquet"
    run("report", "--history", history, "-o", "parquet", "--by", "hour", "--out", file)
    with duckdb.connect() as database:
        rows = database.execute(f"SELECT day, hour, peak, needs, wait_p95_s FROM '{file}' WHERE needs > 0").fetchall()
    assert rows == [("Mon", 12, 2, 2, 0.0), ("Mon", 13, 2, 1, 10800.0)]


def test_the_page_loads_nothing_runs_nothing_and_names_nobody(history: Path, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    teams = tmp_path / "teams.csv"
    teams.write_text("user,team\nann,alpha & co\nbob,beta\nzoe,beta\n")
    run("report", "--history", history, "-o", "html", "--price", "1000", "--teams", teams, "--out", file)
    page = file.read_text()
    assert not LOADS.findall(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "alpha &amp; co" in page
    assert page.count("<svg") == 9, "two pictures of each pool, also for a telephone; nobody waited for one of them"
    assert "all 1 in use for 5.0 hours" in page
    assert "1 of the people who are in a team" in page
    assert not re.search(r"\b(ann|bob|eve|zoe)\b", page)


def test_the_page_says_when_by_what_and_how_it_was_made_and_each_plot_says_what_it_shows(
    history: Path, tmp_path: Path
) -> None:
    file = tmp_path / "a page.html"
    run("report", "--history", history, "-o", "html", "--out", file)
    page = file.read_text()
    assert re.search(r"Made \d{4}-\d\d-\d\d \d\d:\d\d UTC by Seatpool \d", page)
    assert f"report --history {history} -o html --out &#39;{file}&#39;" in page
    pictures = re.findall(r"<svg[^>]*>.{0,300}", page, flags=re.DOTALL)
    for picture in pictures:
        assert re.search(r'role="img" aria-label="[^"]+"><title>[^<]+</title><desc>[^<]+\.?</desc>', picture), picture
    assert page.count("<figcaption>") == 5
    assert "Starts by how long they waited: to 4 h 1." in page
    assert "prefers-color-scheme: dark" in page


def test_a_page_is_not_printed_on_a_terminal(history: Path) -> None:
    main, terminal = os.openpty()
    words = [sys.executable, "-m", "seatpool", "report", "--history", str(history), "-o", "html"]
    ended = subprocess.run(words, stdout=terminal, stderr=subprocess.PIPE, text=True, check=False)
    os.close(terminal)
    os.close(main)
    assert (ended.returncode, ended.stderr) == (2, "seatpool: -o html prints a page: give --out FILE\n")


def test_an_import_without_waits_tells_nothing_of_them(tmp_path: Path) -> None:
    use = tmp_path / "use.csv"
    use.write_text("user,product,start,end\nann,cad,2026-03-02 09:00,2026-03-02 17:00\n")
    into = tmp_path / "history"
    run("history", "import", "--format", "csv", use, "--into", into)
    page, table = (run("report", "--history", into, "--seats", "1", "-o", form) for form in ("html", "table"))
    assert "nobody had to wait" not in page
    assert "how long users waited is not known" in page
    assert page.count("<svg") == 4, "no picture of waits"
    assert re.search(r"^cad +1 +1 +1 +100 % +8\.0 +- +-$", table, re.MULTILINE), table
    assert "How long users waited is not known of 1 of 1 starts" in table
    use.write_text("user,product,start,end,waited_s\nann,cad,2026-03-02 09:00,2026-03-02 17:00,0\n")
    run("history", "import", "--format", "csv", use, "--into", into, "--replace")
    assert "nobody had to wait" in run("report", "--history", into, "--seats", "1", "-o", "html")


def test_a_report_by_person_tells_who_was_never_seen(history: Path, tmp_path: Path) -> None:
    teams = tmp_path / "teams.yaml"
    teams.write_text("alpha: [ann, zoe]\n")
    text = run("report", "--history", history, "--by", "user", "--teams", teams)
    assert [line.split()[0] for line in text.splitlines()[3:6]] == ["eve", "ann", "bob"]
    assert "In a team and never seen: zoe" in text


def test_a_question_in_sql_is_answered_as_table_csv_and_json(history: Path) -> None:
    question = "SELECT user_id, held_s / 3600 AS hours, released_at FROM sessions WHERE pool = 'lab/matlab' ORDER BY 1"
    assert run("sql", question, "--history", history).splitlines()[1].split() == ["ann", "4.0", "2026-03-09T16:00:00"]
    assert run("sql", question, "--history", history, "-o", "csv").splitlines()[0] == "user_id,hours,released_at"
    assert json.loads(run("sql", question, "--history", history, "-o", "json"))[1] == {
        "user_id": "bob",
        "hours": 1.0,
        "released_at": "2026-03-09T17:00:00",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["report"], "no history is named: give --history LOCATION"),
        (["report", "--history", "nowhere"], "history folder nowhere: there is no such folder"),
        (["report", "--history", "HISTORY", "--by", "team"], "--by team: say with --teams FILE who is in which team"),
        (["report", "--history", "HISTORY", "--pool", "eda"], "no pool that --pool eda names has any history"),
        (
            ["report", "--history", "HISTORY", "--price", "matlb=3"],
            "--price matlb=...: the history has no pool matlb; did you mean matlab?",
        ),
        (["report", "--history", "HISTORY", "--pool", "a-*", "--seats", "x=3"], "no pool x; there are: a-pool-with-a"),
        (["report", "--history", "HISTORY", "--no-headers", "-o", "csv"], "--no-headers is for tables"),
        (["report", "--history", "EMPTY"], "nothing is recorded there yet"),
        (["report", "--history", "HISTORY", "--out", "/proc/no/such"], "--out /proc/no/such: "),
        (["sql", "DROP VIEW sessions", "--history", "HISTORY"], "write one SELECT"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    places = {"HISTORY": str(history), "EMPTY": str(tmp_path / "empty")}
    with pytest.raises(SeatpoolError) as caught:
        run(*(places.get(argument, argument) for argument in arguments))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "arguments", "extra"),
    [
        ("matplotlib", ["report", "-o", "html"], "report"),
        ("jinja2", ["report"], "report"),
        ("duckdb", ["report"], "report"),
        ("duckdb", ["sql", "SELECT 1"], "history"),
    ],
)
def test_what_is_not_installed_is_named_with_how_to_install_it(
    history: Path, monkeypatch: pytest.MonkeyPatch, missing: str, arguments: list[str], extra: str
) -> None:
    for name in list(sys.modules):
        if name.startswith(("seatpool.reports.", "seatpool.history.", "seatpool.pages")) and not name.endswith(
            (".commands", ".config")
        ):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(SeatpoolError) as caught:
        run(*arguments, "--history", history)
    assert re.search(
        rf"a package that is not installed \({missing}.*\): .*pip install '\./seatpool-VERSION-py3-none-any\.whl\[{extra}\]'",
        str(caught.value),
    )


def test_no_name_of_the_history_reaches_a_terminal_or_a_cell_raw(tmp_path: Path) -> None:
    evil = "=cmd\x1b]0;pwned\x1b\\\x1b[2J\u202e\n2 rows\x9b"
    write_rows([capacity(1), session("ann", 0, HOUR, workbench_type=evil, account=evil)], tmp_path / "history")
    for form in ("table", "csv", "json"):
        for question in (("report", "--by", "type"), ("sql", "SELECT workbench_type, [workbench_type] FROM sessions")):
            text = run(*question, "--history", tmp_path / "history", "-o", form, width=200)
            assert text.replace("\n", "").isprintable(), (form, question)
            if form == "csv":
                (row,) = list(csv.reader(io.StringIO(text)))[1:]
                assert not any(cell.startswith("=") for cell in row)


def test_no_name_of_the_history_reaches_a_page_raw(tmp_path: Path) -> None:
    evil = "<b>\x1b[2J\u202e\n2 rows\x9b"
    write_rows([capacity(1), session("ann", 0, HOUR, workbench_type=evil, account=evil)], tmp_path / "history")
    file = tmp_path / "page.html"
    run("report", "--history", tmp_path / "history", "-o", "html", "--out", file)
    page = file.read_text()
    assert page.replace("\n", "").isprintable()
    assert "&lt;b&gt;\\x1b[2J\\u202e\\n2 rows\\x9b" in page


def test_sql_marks_formulas_in_csv(history: Path) -> None:
    text = run("sql", "SELECT '=HYPERLINK(1)' AS a, -1 AS b", "--history", history, "-o", "csv")
    assert text.splitlines()[1] == "'=HYPERLINK(1),-1"
