"""CSV files of seat intervals."""

import csv
import io
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatpool.history.csv_import import CsvInterval, UnusableCsv, read_csv
from seatpool.history.importing import LogImport, NothingImported
from seatpool.history.store import open_history

START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def read(text: str, zone: str = "UTC") -> tuple[list[CsvInterval], Counter[str]]:
    odd: Counter[str] = Counter()
    lines = text.splitlines(keepends=True)
    found = list(read_csv(lines, name="file.csv", zone=ZoneInfo(zone), user_of=str.lower, passed_over=odd))
    return found, odd


def importing(folder: Path, *files: Path) -> LogImport:
    return LogImport(
        files=files,
        into=folder / "history",
        name="csv",
        server=None,
        zone=UTC,
        user_of=str.lower,
        longest=timedelta(days=1),
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_may_come_in_any_order_and_with_any_separator(separator: str) -> None:
    text = separator.join(["End", " start ", "extra", "USER", "product"]) + "\n"
    text += separator.join(["2026-03-02 17:30:00", "2026-03-02T09:00:00Z", "x", "Ann", "matlab"]) + "\n"
    found, odd = read(text)
    assert found == [CsvInterval("ann", "matlab", START, START + timedelta(hours=8, minutes=30), {})]
    assert not odd


def test_instants_without_an_offset_are_in_the_given_zone() -> None:
    found, _ = read("user,product,start,end\nann,m,2026-07-01 09:00,2026-07-01T09:00+00:00\n", "Europe/Madrid")
    assert [(one.start.hour, one.end and one.end.hour) for one in found] == [(7, 9)]


def test_an_empty_end_says_that_it_goes_on() -> None:
    found, _ = read("user,product,start,end\nann,m,2026-07-01 09:00,\n")
    assert found[0].end is None


def test_lines_that_cannot_be_read_are_counted_by_what_is_wrong_with_them() -> None:
    found, odd = read(
        "user,product,start,end,waited_s\n"
        "ann,m,2026-03-02 09:00,2026-03-02 10:00,\n"
        "ann,m\n"
        "\n"
        "ann,m,yesterday,2026-03-02 10:00,\n"
        "ann,m,2026-03-02 11:00,2026-03-02 10:00,\n"
        ",m,2026-03-02 09:00,2026-03-02 10:00,\n"
        "ann,,2026-03-02 09:00,2026-03-02 10:00,\n"
        "ann,m,2026-03-02 09:00,2026-03-02 10:00,-5\n"
        "ann,m,2026-03-02 09:00,2026-03-02 10:00,soon\n"
        f"{'x' * 300},m,2026-03-02 09:00,2026-03-02 10:00,\n"
    )
    assert len(found) == 1
    assert odd == {"bad_line": 3, "bad_instant": 1, "bad_interval": 1, "bad_user": 1, "bad_product": 1, "bad_wait": 1}


def test_a_file_without_the_columns_is_refused_with_those_that_are_missing() -> None:
    with pytest.raises(UnusableCsv, match=r"file\.csv: the first line has no column start, end"):
        read("user,product,begin\nann,m,2026\n")


words = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=20)
instants = st.integers(0, 4_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


@given(
    st.lists(
        st.tuples(words, words, instants, st.none() | st.timedeltas(timedelta(0), timedelta(days=90))), max_size=20
    )
)
def test_what_is_written_is_read_back(drawn: list[tuple[str, str, datetime, timedelta | None]]) -> None:
    wanted = [
        CsvInterval(user.lower(), product, start, None if length is None else start + length, {})
        for user, product, start, length in drawn
        if user.lower().isprintable()
    ]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["user", "product", "start", "end"])
    for one in wanted:
        writer.writerow([one.user, one.product, one.start.isoformat(), "" if one.end is None else one.end.isoformat()])
    found, odd = read(text.getvalue())
    assert found == wanted
    assert not odd


def test_importing_the_same_file_twice_doubles_nothing(tmp_path: Path) -> None:
    file = tmp_path / "use.csv"
    file.write_text(
        "user,product,start,end,type,server\n"
        "ann,m,2026-03-02 09:00,2026-03-02 10:00,vew-m,lic1\n"
        "bob,m,2026-03-03 09:30,,,\n"
    )
    for _ in range(2):
        importing(tmp_path, file).import_csv()
    with open_history(tmp_path / "history") as database:
        rows = database.execute(
            "SELECT user_id, workbench_type, server, source, granted_at, released_at, is_open FROM sessions ORDER BY 1"
        ).fetchall()
    nine = START.replace(tzinfo=None)
    assert rows == [
        ("ann", "vew-m", "lic1", "csv", nine, nine + timedelta(hours=1), False),
        ("bob", "m", "unknown", "csv", nine + timedelta(days=1, minutes=30), None, True),
    ]


def test_a_file_in_which_nothing_can_be_used_is_an_error_that_says_why(tmp_path: Path) -> None:
    file = tmp_path / "use.csv"
    file.write_text("user,product,start,end\nann,m,now,later\n")
    with pytest.raises(NothingImported, match=r"no seat interval in 1 lines \(1 bad_instant\)"):
        importing(tmp_path, file).import_csv()
    assert not (tmp_path / "history").exists()


def test_a_quotation_mark_too_many_spoils_its_own_line_only(tmp_path: Path) -> None:
    rows = [f"u{number},m,2026-03-02 09:00,2026-03-02 10:00" for number in range(1000)]
    rows[2] = 'u2,"m,2026-03-02 09:00,2026-03-02 10:00'
    found, odd = read("user,product,start,end\n" + "\n".join(rows) + "\n")
    assert (len(found), odd) == (999, {"bad_line": 1})


def test_overlapping_lines_of_one_user_are_one_seat(tmp_path: Path) -> None:
    file = tmp_path / "use.csv"
    file.write_text(
        "user,product,start,end,type\n"
        "ann,m,2026-03-02 10:00,2026-03-02 12:00,b\n"
        "ANN,m,2026-03-02 09:00,2026-03-02 17:00,a\n"
        "ann,m,2026-03-02 11:00,2026-03-02 18:00,c\n"
        "ann,m,2026-03-02 18:00,2026-03-02 18:30,d\n"
        "ann,m,2026-03-02 18:00,2026-03-02 18:00,d\n"
        "ann,n,2026-03-02 12:00,,a\n"
        "ann,n,2026-03-04 12:00,2026-03-04 13:00,b\n"
        "bob,m,2026-03-02 13:00,2026-03-02 14:00,a\n"
    )
    assert importing(tmp_path, file).import_csv().rows == {"sessions": 4}
    with open_history(tmp_path / "history") as database:
        rows = database.execute(
            "SELECT user_id, product, workbench_type, hour(granted_at), hour(released_at) FROM sessions ORDER BY 1, 2, 4"
        ).fetchall()
    assert rows == [
        ("ann", "m", "a", 9, 18),
        ("ann", "m", "d", 18, 18),
        ("ann", "n", "a", 12, None),
        ("bob", "m", "a", 13, 14),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("ann,m,2026-03-02 09:00,2026-03-02 17:00,1e308", "bad_wait"),
        ("ann,m,2026-03-02 09:00,2026-03-02 17:00,nan", "bad_wait"),
        ("ann,m,0001-01-01 00:00,2026-03-02 17:00,5", "bad_year"),
        ("ann,m,2026-03-02 09:00,9999-12-31 23:59:59,5", "bad_year"),
        ("ann,m,2026-03-02 09:00,2026-03-02 17:00," + "5" * 20_000, "too_long"),
    ],
)
def test_values_out_of_any_range_are_refused_with_the_reason(line: str, reason: str) -> None:
    assert read(f"user,product,start,end,waited_s\n{line}\n") == ([], {reason: 1})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize(("separator", "end"), [("\t", "\r\n"), (",", "\r"), (";", "\n")])
def test_what_spreadsheets_export_is_read(tmp_path: Path, encoding: str, separator: str, end: str) -> None:
    file = tmp_path / "use.csv"
    lines = [
        "user,product,start,end",
        "jörg,m,2026-03-02 09:00,2026-03-02 17:00",
        "bob,m,2026-03-02 09:00,2026-03-02 17:00",
    ]
    file.write_bytes("".join(line.replace(",", separator) + end for line in lines).encode(encoding))
    result = importing(tmp_path, file).import_csv()
    assert (result.people, result.lines, result.passed_over) == (2, 2, {})
