"""FlexNet debug logs: from lines with a time of day to who had what from when to when."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatpool.history.flexnet import ParsedLog, merge_logs, parse_log
from seatpool.history.license_log import ImportSource, LicenseLog
from seatpool.history.schema import Refusal, Row, Session, Wait

MIDNIGHT = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
Interval = tuple[str, str, datetime, datetime | None]


def read(text: str, zone: str = "UTC") -> ParsedLog:
    return parse_log(text.splitlines(), zone=ZoneInfo(zone), user_of=str.lower)


def rows(*texts: str, zone: str = "UTC", longest: timedelta = DAY) -> list[Row]:
    log = LicenseLog(ImportSource(name="test", server="lic1", source="flexnet"), longest=longest)
    return list(log.rows(merge_logs(read(text, zone) for text in texts)))


def sessions(*texts: str, zone: str = "UTC", longest: timedelta = DAY) -> list[Interval]:
    found = [row for row in rows(*texts, zone=zone, longest=longest) if isinstance(row, Session)]
    return sorted((row.product, row.user_id, row.granted_at, row.released_at) for row in found)


def at(hour: int, minute: int = 0, day: int = 0) -> datetime:
    return MIDNIGHT + timedelta(days=day, hours=hour, minutes=minute)


def test_a_check_out_and_its_check_in_are_one_interval() -> None:
    log = """
 8:00:00 (MLM) TIMESTAMP 3/2/2026
 8:30:00 (MLM) OUT: "MATLAB" Ann@ws1
17:45:00 (MLM) IN: "MATLAB" Ann@ws1
"""
    assert sessions(log) == [("MATLAB", "ann", at(8, 30), at(17, 45))]


def test_a_person_on_two_hosts_has_one_interval_from_the_first_to_the_last() -> None:
    log = """
 8:00:00 (MLM) TIMESTAMP 3/2/2026
 8:10:00 (MLM) OUT: "MATLAB" ann@ws1
 9:00:00 (MLM) OUT: "MATLAB" ann@ws2  (2 licenses)
10:00:00 (MLM) IN: "MATLAB" ann@ws1
11:00:00 (MLM) IN: "MATLAB" ann@ws2
12:00:00 (MLM) IN: "MATLAB" ann@ws2  (INACTIVE)
"""
    assert sessions(log) == [("MATLAB", "ann", at(8, 10), at(12))]


def test_where_the_clock_goes_back_a_day_has_passed() -> None:
    log = """
22:00:00 (MLM) TIMESTAMP 3/2/2026
23:30:00 (MLM) OUT: "MATLAB" ann@ws1
 0:30:00 (MLM) IN: "MATLAB" ann@ws1
23:50:00 (MLM) OUT: "MATLAB" bob@ws2
 7:00:00 (MLM) IN: "MATLAB" bob@ws2
"""
    assert sessions(log) == [("MATLAB", "ann", at(23, 30), at(0, 30, 1)), ("MATLAB", "bob", at(23, 50, 1), at(7, 0, 2))]


def test_lines_before_the_first_date_are_counted_back_from_it() -> None:
    log = """
21:00:00 (MLM) OUT: "MATLAB" ann@ws1
 2:00:00 (MLM) IN: "MATLAB" ann@ws1
 4:00:00 (lmgrd) TIMESTAMP 3/2/2026
"""
    assert sessions(log) == [("MATLAB", "ann", at(21, 0, -1), at(2))]


def test_days_without_a_line_are_made_up_by_the_next_date() -> None:
    log = """
 8:00:00 (MLM) TIMESTAMP 3/2/2026
 9:00:00 (MLM) OUT: "MATLAB" ann@ws1
10:00:00 (MLM) TIMESTAMP 3/9/2026
11:00:00 (MLM) IN: "MATLAB" ann@ws1
"""
    assert sessions(log) == [("MATLAB", "ann", at(9), at(11, 0, 7))]


@pytest.mark.parametrize(
    "line",
    [
        "FlexNet Licensing (v11.18.1.0 build 279785 x64_n6) started on lic1 (IBM PC) (3/2/2026)",
        "(@lmgrd-SLOG@) Start-Date: Mon Mar 02 2026 08:00:00 W. Europe Standard Time",
        "(@MLM-SLOG@) Time: Mon Mar 02 2026 08:00:00 CET",
        "Server's System Date and Time: Mon Mar 02 2026 08:00:00 CET",
        "TIMESTAMP 3/2/2026",
    ],
)
def test_a_date_is_known_by_any_line_in_which_the_server_writes_one(line: str) -> None:
    assert sessions(f' 8:00:00 (lmgrd) {line}\n 9:00:00 (MLM) OUT: "F" ann@h\n 9:10:00 (MLM) IN: "F" ann@h') == [
        ("F", "ann", at(9), at(9, 10))
    ]


def test_a_date_that_a_user_can_write_is_none() -> None:
    log = ' 9:00:00 (MLM) OUT: "TIMESTAMP 1/1/1999" a@h\n 9:01:00 (MLM) IN: "F" TIMESTAMP 1/1/1999@h\n'
    assert not read(log).dated


def test_pieces_in_any_order_that_overlap_count_once() -> None:
    first = ' 8:00:00 (MLM) TIMESTAMP 3/2/2026\n 9:00:00 (MLM) OUT: "F" ann@h\n 9:00:01 (MLM) OUT: "F" bob@h'
    second = """
 9:00:00 (MLM) OUT: "F" ann@h
 9:00:01 (MLM) OUT: "F" bob@h
 9:30:00 (MLM) IN: "F" bob@h
12:00:00 (MLM) TIMESTAMP 3/2/2026
"""
    third = '12:00:00 (MLM) TIMESTAMP 3/2/2026\n13:00:00 (MLM) IN: "F" ann@h'
    expected = [("F", "ann", at(9), at(13)), ("F", "bob", at(9) + timedelta(seconds=1), at(9, 30))]
    assert sessions(third, first, second) == sessions(second, third, first) == expected


def test_local_time_becomes_utc_also_when_the_clocks_change() -> None:
    summer = """
23:00:00 (MLM) TIMESTAMP 3/28/2026
23:30:00 (MLM) OUT: "F" ann@h
 4:00:00 (MLM) IN: "F" ann@h
"""
    assert sessions(summer, zone="Europe/Madrid") == [
        ("F", "ann", datetime(2026, 3, 28, 22, 30, tzinfo=UTC), datetime(2026, 3, 29, 2, 0, tzinfo=UTC))
    ]
    winter = """
 1:00:00 (MLM) TIMESTAMP 10/25/2026
 2:50:00 (MLM) OUT: "F" ann@h
 2:10:00 (MLM) IN: "F" ann@h
 3:10:00 (MLM) OUT: "F" bob@h
 3:20:00 (MLM) IN: "F" bob@h
"""
    assert sessions(winter, zone="Europe/Madrid") == [
        ("F", "ann", datetime(2026, 10, 25, 0, 50, tzinfo=UTC), datetime(2026, 10, 25, 1, 10, tzinfo=UTC)),
        ("F", "bob", datetime(2026, 10, 25, 2, 10, tzinfo=UTC), datetime(2026, 10, 25, 2, 20, tzinfo=UTC)),
    ]


def test_a_restart_ends_everything_when_the_server_was_last_seen_alive() -> None:
    log = """
 8:00:00 (MLM) TIMESTAMP 3/2/2026
 9:00:00 (MLM) OUT: "F" ann@h
 9:30:00 (MLM) OUT: "F" bob@h
12:00:00 (MLM) Server started on lic1 for:	F
13:00:00 (MLM) IN: "F" ann@h
14:00:00 (MLM) OUT: "F" ann@h
15:00:00 (MLM) IN: "F" ann@h
"""
    assert sessions(log) == [
        ("F", "ann", at(9), at(9, 30)),
        ("F", "ann", at(14), at(15)),
        ("F", "bob", at(9, 30), at(9, 30)),
    ]


def test_what_is_never_checked_in_lasts_to_the_end_but_not_longer_than_allowed() -> None:
    log = """
 8:00:00 (MLM) TIMESTAMP 3/2/2026
 9:00:00 (MLM) OUT: "F" ann@h
 9:00:00 (MLM) TIMESTAMP 3/6/2026
10:00:00 (MLM) OUT: "F" bob@h
12:00:00 (MLM) OUT: "G" carl@h
"""
    assert sessions(log) == [
        ("F", "ann", at(9), at(9, 0, 1)),
        ("F", "bob", at(10, 0, 4), at(12, 0, 4)),
        ("G", "carl", at(12, 0, 4), at(12, 0, 4)),
    ]


def test_a_check_in_without_a_check_out_is_counted_and_changes_nothing() -> None:
    log = LicenseLog(ImportSource(name="t", server="s", source="flexnet"), longest=DAY)
    text = ' 8:00:00 (MLM) TIMESTAMP 3/2/2026\n 9:00:00 (MLM) IN: "F" ann@h\n10:00:00 (MLM) OUT: "F" ann@h'
    assert len(list(log.rows(merge_logs([read(text)])))) == 1
    assert log.oddities == {"in_without_out": 1, "out_without_in": 1}


def test_somebody_who_is_turned_away_for_want_of_a_license_waits_until_the_next_check_out() -> None:
    full = "(Licensed number of users already reached. (-4,342:10054))"
    log = f"""
 8:00:00 (MLM) TIMESTAMP 3/2/2026
 9:00:00 (MLM) DENIED: "F" ann@h  {full}
 9:20:00 (MLM) DENIED: "F" ann@h  {full}
 9:25:00 (MLM) OUT: "F" ann@h
10:00:00 (MLM) DENIED: "F" bob@h  {full}
15:00:00 (MLM) OUT: "F" bob@h
16:00:00 (MLM) DENIED: "F" eve@h  (User/host on EXCLUDE list for feature. (-38,348))
"""
    found = rows(log)
    waits = [(row.user_id, row.began_at, row.ended_at, row.outcome) for row in found if isinstance(row, Wait)]
    assert waits == [("ann", at(9), at(9, 25), "Granted"), ("bob", at(10), at(10), "NeedEnded")]
    waited = {row.user_id: row.waited_s for row in found if isinstance(row, Session)}
    assert waited == {"ann": 25 * 60, "bob": 0}
    refused = Counter((row.user_id, row.reason) for row in found if isinstance(row, Refusal))
    assert refused == {("ann", "PoolFull"): 2, ("bob", "PoolFull"): 1, ("eve", "-38"): 1}


def test_verbose_lines_and_names_with_spaces_are_read() -> None:
    log = """
 8:00:00 (demo) TIMESTAMP 3/2/2026
 8:41:54 (demo) OUT: "f1" Maria Mar@PC-1 ^^^ 1.0 x 127.0.0.1 29865 0x12 1 5 - 11 19 3/2/2026 8:41 0 ^^^
 8:42:54 (demo) IN: "f1" Maria Mar@pc-1 [data@x] (1 licenses) ^^^ 1.0 x ^^^
"""
    assert sessions(log) == [("f1", "maria mar", at(8, 41) + timedelta(seconds=54), at(8, 42) + timedelta(seconds=54))]


def test_hostile_lines_are_counted_by_what_is_wrong_with_them() -> None:
    log = read(
        "\n".join(
            [
                " 8:00:00 (MLM) TIMESTAMP 3/2/2026",
                " 8:00:00 (MLM) TIMESTAMP 13/45/2026",
                " 8:00:00 (MLM) TIMESTAMP 1/1/9999",
                '25:00:00 (MLM) OUT: "F" ann@h',
                ' 8:00:01 (MLM) OUT: "F" nobody',
                " 8:00:01 (MLM) OUT: ",
                ' 8:00:01 (MLM) OUT: "F" a\x07b@h',
                ' 8:00:01 (MLM) OUT: "F" ann@h (999999999 licenses)',
                ' 8:00:01 (MLM) OUT: "F" ann@h (0 licenses)',
                ' 8:00:01 (MLM) OUT: "F" ' + "x" * 5000,
                "'; DROP TABLE sessions; --",
                ' 8:00:02 (MLM) IN: "F" @h',
            ]
        )
    )
    assert log.uses == []
    assert log.passed_over == {
        "bad_date": 2,
        "bad_time": 1,
        "bad_out": 2,
        "bad_user": 1,
        "bad_count": 2,
        "too_long": 1,
        "not_a_log_line": 1,
        "bad_in": 1,
    }


@given(
    st.lists(
        st.text(max_size=60) | st.from_regex(r" \d:\d\d:\d\d \(x\) (OUT|IN|DENIED|TIMESTAMP):? .{0,40}"), max_size=30
    )
)
def test_no_text_breaks_the_reader(lines: Iterable[str]) -> None:
    parse_log(lines, zone=UTC, user_of=str.lower)


intervals = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "j. doe"]),
        st.sampled_from(["F", "G_1"]),
        st.integers(0, 10 * 24 * 60),
        st.integers(1, 3000),
    ),
    max_size=25,
)


def without_touching(drawn: Sequence[tuple[str, str, int, int]]) -> list[Interval]:
    """The drawn intervals of each person and feature, with a gap after each."""
    free: dict[tuple[str, str], int] = {}
    found = []
    for user, feature, start, length in sorted(drawn, key=lambda one: one[2]):
        begin = max(start, free.get((user, feature), 0))
        free[user, feature] = begin + length + 1
        found.append((feature, user, at(0, begin), at(0, begin + length)))
    return sorted(found)


def written(wanted: Iterable[Interval], pieces: int, random: Random) -> list[str]:
    """Logs of these intervals as a server writes them: a date every six hours, cut into pieces at any line."""
    last = max((end for *_, end in wanted if end is not None), default=MIDNIGHT)
    dates = (last - MIDNIGHT) // timedelta(hours=6) + 1
    lines = [
        (MIDNIGHT + timedelta(hours=6 * number), "TIMESTAMP {0.month}/{0.day}/{0.year}") for number in range(dates)
    ]
    for feature, user, begin, end in wanted:
        assert end is not None
        count = random.choice([1, 3])
        licenses = "" if count == 1 else f"  ({count} licenses)"
        lines.append((begin, f'OUT: "{feature}" {user}@ws1{licenses}'))
        lines += [(end, f'IN: "{feature}" {user}@ws1')] * count
    lines.sort(key=lambda line: line[0])
    texts = [f"{when.hour:2d}:{when:%M:%S} (vendor) {text.format(when)}" for when, text in lines]
    cuts = sorted(random.sample(range(len(texts)), min(pieces, len(texts))))
    parts = [texts[start:end] for start, end in zip([0, *cuts], [*cuts, len(texts)], strict=True)]
    dated = [part for part in parts if any("TIMESTAMP" in line for line in part)]
    # A piece without a date says nothing of its day: such a cut is undone.
    return ["\n".join(part) for part in dated] if len(dated) == len(parts) else ["\n".join(texts)]


@settings(max_examples=200)
@given(intervals, st.integers(0, 4), st.randoms(use_true_random=False))
def test_what_a_server_writes_in_pieces_is_read_back_as_it_was(
    drawn: list[tuple[str, str, int, int]], pieces: int, random: Random
) -> None:
    wanted = without_touching(drawn)
    texts = written(wanted, pieces, random)
    random.shuffle(texts)
    assert sessions(*texts) == wanted
