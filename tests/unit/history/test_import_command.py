"""`seatpool history import`, from a log to a plan; and `seatpool history NAME`, the old name of `events NAME`."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seatpool.cli.main import app
from seatpool.domain.errors import SeatpoolError

START = datetime(2026, 3, 2, tzinfo=UTC)


def seatpool(*words: str | Path) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "120"})
    if isinstance(result.exception, SeatpoolError):
        raise result.exception
    return result


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Four weeks in which three people each use a feature from nine to ten, and one of them another."""
    lines = []
    for day in range(28):
        when = START + timedelta(days=day)
        lines.append(f" 0:00:01 (lmgrd) TIMESTAMP {when.month}/{when.day}/{when.year}")
        lines += [f' 9:0{number}:00 (MLM) OUT: "MATLAB" CORP\\u{number}@ws{number}' for number in range(3)]
        lines += [' 9:30:00 (MLM) OUT: "Simulink" u0@ws0', ' 9:40:00 (MLM) IN: "Simulink" u0@ws0']
        lines += [f'10:0{number}:00 (MLM) IN: "MATLAB" u{number}@ws{number}' for number in range(3)]
        lines.append("not a line of a log at all")
    path = tmp_path / "debug.log"
    path.write_text("\n".join(lines).replace("CORP\\", ""))
    return path


def test_a_log_becomes_a_history_and_the_history_a_plan(tmp_path: Path, log: Path) -> None:
    folder = tmp_path / "history"
    told = seatpool("history", "import", "--format", "flexnet", log, "--into", folder).output
    assert "112 sessions" in told
    assert "3 people used MATLAB, Simulink" in told
    assert "28 not_a_log_line" in told
    options = ("--history", folder, "--target", "p95 wait < 10m", "-o", "json")
    plan = json.loads(seatpool("plan", *options).output)
    assert {one["type"]: (one["seats"], one["needs"]) for one in plan["plans"]} == {
        "MATLAB": (3, 84),
        "Simulink": (1, 28),
    }
    assert json.loads(seatpool("plan", *options, "--type", "Simulink").output)["seats"] == 1


def test_importing_again_in_pieces_counts_nothing_twice(tmp_path: Path, log: Path) -> None:
    folder, piece = tmp_path / "history", tmp_path / "piece.gz"
    lines = log.read_text().splitlines()
    piece.write_bytes(gzip.compress("\n".join(lines[:120]).encode()))
    seatpool("history", "import", "--format", "flexnet", log, "--into", folder)
    seatpool("history", "import", "--format", "flexnet", piece, log, "--into", folder)
    plan = json.loads(seatpool("plan", "--history", folder, "--type", "MATLAB", "-o", "json").output)
    assert plan["needs"] == 84


def test_a_piece_that_says_no_day_is_named_and_the_others_are_imported(tmp_path: Path, log: Path) -> None:
    undated = tmp_path / "undated.log"
    undated.write_text(' 9:00:00 (MLM) OUT: "MATLAB" eve@ws9\n')
    told = seatpool("history", "import", "--format", "flexnet", undated, log, "--into", tmp_path / "history").output
    assert "Not used: undated.log" in told
    with pytest.raises(SeatpoolError, match=r"no line of undated\.log says which day it is"):
        seatpool("history", "import", "--format", "flexnet", undated, "--into", tmp_path / "other")


def test_lines_that_are_not_used_are_told_in_proportion(tmp_path: Path) -> None:
    file = tmp_path / "use.csv"
    good = "ann,m,2026-03-02 09:00,2026-03-02 10:00\n" * 8
    file.write_text("user,product,start,end\n" + good + "ann,m\n")
    made = seatpool("history", "import", "--format", "csv", file, "--into", tmp_path / "a")
    assert "9 lines, 2026-03-02 to 2026-03-02: 1 sessions" in made.output
    assert "Look at the lines that were not used, 1 of 9, before you trust the totals" in made.stderr
    file.write_text("user,product,start,end\n" + good * 2 + "ann,m\n")
    assert "trust" not in seatpool("history", "import", "--format", "csv", file, "--into", tmp_path / "b").output


def test_people_are_pseudonyms_where_the_settings_have_a_salt(tmp_path: Path, log: Path) -> None:
    (tmp_path / "salt").write_text("a secret of twenty-six letters")
    config = tmp_path / "settings.yaml"
    config.write_text(f"history: {{salt_file: {tmp_path / 'salt'}}}")
    folder = tmp_path / "history"
    seatpool("history", "import", "--format", "flexnet", log, "--into", folder, "--config", config)
    plan = json.loads(seatpool("plan", "--history", folder, "--type", "MATLAB", "-o", "json").output)
    assert plan["users"] == 3
    assert not any(word == b"u1" for path in folder.rglob("*.parquet") for word in path.read_bytes().split(b"\0"))


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--timezone", "Mars/Base"), "--time-zone Mars/Base: no such time zone"),
        (("--longest", "soon"), "--longest: 'soon' is not a duration"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, log: Path, options: tuple[str, str], told: str) -> None:
    with pytest.raises(SeatpoolError, match=told):
        seatpool("history", "import", "--format", "flexnet", log, "--into", tmp_path / "h", *options)


def test_a_name_after_history_is_a_pool_or_a_person(tmp_path: Path) -> None:
    for words in (("matlab",), ("-n", "seatpool", "matlab"), ("show", "import")):
        with pytest.raises(SeatpoolError, match="no way to the Kubernetes API"):
            seatpool("history", *words, "--kubeconfig", tmp_path / "missing.yaml")


def test_the_help_of_history_names_import_and_where_the_other_use_is() -> None:
    told = seatpool("history", "--help").output
    assert "show" in told
    assert "import" in told
    assert "seatpool events" in told
