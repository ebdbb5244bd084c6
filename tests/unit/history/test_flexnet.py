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


def odd(*texts: str, longest: timedelta = DAY) -> Counter[str]:
    log = LicenseLog(ImportSource(name="test", server="lic1", source="flexnet"), longest=longest)
    parsed = [read(text) for text in texts]
    list(log.rows(merge_logs(parsed)))
    return sum((one.passed_over for one in parsed), Counter(log.oddities))


def waits(*texts: str, longest: timedelta = DAY) -> list[tuple[str, str | None, datetime, datetime | None, str | None]]:
    found = [row for row in rows(*texts, longest=longest) if isinstance(row, Wait)]
    return [(row.user_id, row.reason, row.began_at, row.ended_at, row.outcome) for row in found]


OPENED = """
 8:00:00 (lmgrd) TIMESTAMP 3/2/2026
 8:10:00 (vend) OUT: "CAD" ann@ws1
 8:15:00 (vend) OUT: "CAD" bob@ws2
"""
CLOSED = """
16:10:00 (vend) IN: "CAD" ann@ws1
16:15:00 (vend) IN: "CAD" bob@ws2
"""
WHOLE_DAY = [("CAD", "ann", at(8, 10), at(16, 10)), ("CAD", "bob", at(8, 15), at(16, 15))]


@pytest.mark.parametrize(
    "reread",
    [
        "12:30:30 (lmgrd) Rereading license file... Requested from admin@lic1\n"
        "12:30:30 (vend) Rereading license file...\n"
        "12:30:30 (lmgrd) ...Finished rereading\n",
        "12:30:30 (vend) Rereading license file...\n",
        "12:30:30 (lmgrd) Rereading license file... Requested from admin@lic1\n",
    ],
)
def test_a_reread_is_no_restart(reread: str) -> None:
    log = OPENED + reread + "12:30:31 (vend) Server started on lic1 for:\tCAD\n" + CLOSED
    assert sessions(log) == WHOLE_DAY
    assert not odd(log)


def test_a_start_after_a_reread_is_a_restart() -> None:
    fresh = "12:31:00 (vend) FlexNet Licensing version v11.19.0.0 build 1 x64_lsb\n"
    log = (
        OPENED
        + "12:30:00 (vend) Rereading license file...\n"
        + fresh
        + "12:31:01 (vend) Server started on lic1 for:\tCAD\n"
    )
    assert [end for *_, end in sessions(log + CLOSED)] == [at(12, 30), at(12, 30)]
    lmgrd = "12:31:00 (lmgrd) Started vend (internet tcp_port 37560 pid 1085)\n"
    assert [end for *_, end in sessions(log.replace(fresh, lmgrd) + CLOSED)] == [at(12, 30), at(12, 30)]
    late = "12:59:00 (vend) Server started on lic1 for:\tCAD\n"
    assert sessions(OPENED + "12:30:00 (vend) Rereading license file...\n" + late)[0][3] == at(12, 30)


def test_a_reread_and_what_follows_it_may_be_in_two_files() -> None:
    first = OPENED + "12:30:30 (vend) Rereading license file...\n"
    second = "12:30:31 (vend) Server started on lic1 for:\tCAD\n" + CLOSED + "17:00:00 (lmgrd) TIMESTAMP 3/2/2026\n"
    assert sessions(second, first) == WHOLE_DAY


LOST = """
 8:00:00 (vend) TIMESTAMP 3/2/2026
 8:30:00 (vend) OUT: "CAD" ann@ws1
 8:40:00 (vend) OUT: "CAD" bob@ws2
17:00:00 (vend) IN: "CAD" bob@ws2
"""


def day(number: int, user: str = "ann", host: str = "ws1") -> str:
    return (
        f" 8:00:00 (vend) TIMESTAMP 3/{number}/2026\n"
        f' 9:00:00 (vend) OUT: "CAD" {user}@{host}\n17:00:00 (vend) IN: "CAD" {user}@{host}\n'
    )


@pytest.mark.parametrize("host", ["ws1", "ws7"])
def test_a_lost_check_in_swallows_no_later_use(host: str) -> None:
    log = LOST + day(4, host=host) + day(5, host=host) + day(6, host=host)
    assert [(begin, end) for _, user, begin, end in sessions(log) if user == "ann"] == [
        (at(8, 30), at(8, 30, 1)),
        *[(at(9, 0, number), at(17, 0, number)) for number in (2, 3, 4)],
    ]
    assert odd(log) == {"out_without_in": 1}


def test_a_lost_check_in_is_bounded_at_a_restart_too_and_counted() -> None:
    log = LOST + ' 8:00:00 (vend) TIMESTAMP 3/9/2026\n 9:00:00 (vend) OUT: "CAD" bob@ws2\n'
    log += "10:00:00 (vend) Server started on lic1 for:\tCAD\n"
    assert sessions(log)[0] == ("CAD", "ann", at(8, 30), at(8, 30, 1))
    assert odd(log) == {"out_without_in": 1}


@pytest.mark.parametrize("meanwhile", ["", day(4), day(4) + day(6)])
def test_a_long_use_that_is_checked_in_is_not_cut(meanwhile: str) -> None:
    log = LOST + meanwhile + ' 8:00:00 (vend) TIMESTAMP 3/9/2026\n 9:00:00 (vend) IN: "CAD" ann@ws1\n'
    assert sessions(log)[0] == ("CAD", "ann", at(8, 30), at(9, 0, 7))
    assert not odd(log)


def test_lines_of_one_second_keep_the_order_of_the_file() -> None:
    log = """
 8:00:00 (vend) TIMESTAMP 3/2/2026
 8:30:00 (vend) OUT: "CAD" ann@ws1
 9:00:00 (vend) IN: "CAD" ann@ws1
 9:00:00 (vend) OUT: "CAD" ann@ws1
 9:00:00 (vend) IN: "CAD" ann@ws1
""" + day(4)
    half = ("CAD", "ann", at(8, 30), at(9))
    assert sessions(log) == [half, ("CAD", "ann", at(9), at(9)), ("CAD", "ann", at(9, 0, 2), at(17, 0, 2))]
    assert sessions(log, log) == sessions(log)
    assert len({row.id for row in rows(log)}) == 3


def test_who_has_it_on_one_host_and_is_denied_it_on_another_waits_for_nothing() -> None:
    log = (
        OPENED
        + """
 9:00:00 (vend) DENIED: "CAD" ann@ws2  (Licensed number of users already reached. (-4,342))
 9:20:00 (vend) DENIED: "CAD" ann@ws2  (Licensed number of users already reached. (-4,342))
 9:25:00 (vend) OUT: "CAD" ann@ws2
10:00:00 (vend) IN: "CAD" ann@ws2
"""
        + CLOSED
    )
    assert waits(log) == []
    assert sessions(log) == WHOLE_DAY
    assert sum(isinstance(row, Refusal) for row in rows(log)) == 2


@pytest.mark.parametrize(
    ("code", "reason"), [(-4, "PoolFull"), (-24, "UsersQueued"), (-87, "LimitReached"), (-101, "SeatsReserved")]
)
def test_denials_after_which_a_user_waits_say_why(code: int, reason: str) -> None:
    log = f"""
 8:00:00 (vend) TIMESTAMP 3/2/2026
 9:00:00 (vend) DENIED: "CAD" ann@ws1  (Some text of the server. ({code},332))
 9:20:00 (vend) DENIED: "CAD" ann@ws1  (Some text of the server. ({code},332))
 9:31:00 (vend) OUT: "CAD" ann@ws1
 9:40:00 (vend) IN: "CAD" ann@ws1
"""
    assert waits(log) == [("ann", reason, at(9), at(9, 31), "Granted")]


@pytest.mark.parametrize(
    ("end", "ended", "outcome"),
    [
        ('11:00:00 (vend) DEQUEUED: "CAD" bob@ws2\n11:01:00 (vend) OUT: "CAD" bob@ws2\n', at(11, 1), "Granted"),
        ('11:00:00 (vend) OUT: "CAD" bob@ws2\n', at(11), "Granted"),
        ('11:00:00 (vend) DEQUEUED: "CAD" bob@ws2\n', at(11), "NeedEnded"),
        ("11:00:00 (vend) Server started on lic1 for:\tCAD\n", at(10, 30), "NeedEnded"),
        ('11:00:00 (vend) IN: "CAD" ann@ws1\n', at(11), "NeedEnded"),
    ],
)  # fmt: skip
def test_who_is_in_the_servers_queue_waits_until_the_license_or_the_way_out(
    end: str, ended: datetime, outcome: str
) -> None:
    log = f"""
 8:00:00 (vend) TIMESTAMP 3/2/2026
 8:05:00 (vend) OUT: "CAD" ann@ws1
 8:10:00 (vend) QUEUED: "CAD" bob@ws2
10:30:00 (vend) OUT: "X" ann@ws1
{end}"""
    assert waits(log) == [("bob", "PoolFull", at(8, 10), ended, outcome)]


def test_a_place_in_the_queue_that_is_never_left_is_bounded() -> None:
    log = ' 8:00:00 (vend) TIMESTAMP 3/2/2026\n 8:10:00 (vend) QUEUED: "CAD" bob@ws2\n' + day(9)
    assert waits(log) == [("bob", "PoolFull", at(8, 10), at(8, 10, 1), "NeedEnded")]
    assert odd(day(2) + '18:00:00 (vend) DEQUEUED: "CAD" bob@ws2\n') == {"dequeued_without_queued": 1}


def test_other_forms_of_a_denial_are_refusals_of_that_product_and_user() -> None:
    log = """
 8:00:00 (vend) TIMESTAMP 3/2/2026
 9:00:00 (vend) DENIED: 4 solver to dan@n9
 9:10:00 (vend) UNSUPPORTED: "CAD" (00B0 EF6E AFC6 B280 ) eve@n1  (No such feature exists. (-5,346))
 9:20:00 (vend) UPGRADE: "CAD" eve@n1
"""
    found = [(row.product, row.user_id, row.reason) for row in rows(log) if isinstance(row, Refusal)]
    assert found == [("solver", "dan", None), ("CAD", "eve", "-5")]
    assert read(log).passed_over == {"other_event": 1}


def test_lines_with_a_date_and_an_offset_of_their_own_are_taken_as_they_are() -> None:
    log = """
2026-03-02T07:55:00Z (lmgrd) TIMESTAMP 3/2/2026
2026-03-02T07:56:00Z (vend) Server started on lic1 for: CAD
2026-03-02T08:00:00Z (vend) OUT: "CAD" ann@ws1 (2 licenses)
2026-03-02T10:00:00Z (vend) IN: "CAD" ann@ws1 (2 licenses)
2026-03-02T10:00:00+02:00 (vend) OUT: "CAD" bob@ws2
2026-03-02T12:00:00+0200 (vend) IN: "CAD" bob@ws2
2026-03-05 09:00:00 (vend) OUT: "CAD" cem@ws3
2026-03-05 10:00:00 (vend) IN: "CAD" cem@ws3
"""
    for zone in ("UTC", "Asia/Tokyo"):
        shift = timedelta(hours=9 if zone == "Asia/Tokyo" else 0)
        assert sessions(log, zone=zone) == [
            ("CAD", "ann", at(8), at(10)),
            ("CAD", "bob", at(8), at(10)),
            ("CAD", "cem", at(9, 0, 3) - shift, at(10, 0, 3) - shift),
        ]
    undated = '11:30:00 (vend) OUT: "CAD" dan@ws4\n11:45:00 (vend) IN: "CAD" dan@ws4\n'
    assert ("CAD", "dan", at(11, 30, 3), at(11, 45, 3)) in sessions(log + undated)
    assert read(
        '9999-01-01T00:00:00Z (vend) OUT: "F" a@h\n2026-02-30T00:00:00Z (vend) TIMESTAMP 3/2/2026'
    ).passed_over == {"bad_date": 2}


def test_the_user_of_a_verbose_line_is_between_its_marks() -> None:
    verbose = "^^^ 1.0 Jo Doe {} 4102 0xA101 1 2 film-alpha 11 19 3-2-2026 8:05:00 NO ^^^"
    four, six = verbose.format("10.20.1.15"), verbose.format("fe80::1%eth0")
    log = f"""
 8:00:00 (vend) TIMESTAMP 3/2/2026
 8:05:00 (vend) OUT: "CAD" @ws1 (3) {four}
 8:06:00 (vend) QUEUED: "CAD" @ws2 (1) {six.replace("Jo Doe", "bob")}
 9:05:00 (vend) IN: "CAD" @ws1 (3) {four}
 9:06:00 (vend) DENIED: "CAD" @ws3 (Licensed number of users already reached. (-4,342)) {four.replace("Jo Doe", "eve")}
"""
    assert sessions(log) == [("CAD", "jo doe", at(8, 5), at(9, 5))]
    assert [wait[0] for wait in waits(log)] == ["bob", "eve"]
    assert not odd(log)


def test_a_new_process_of_a_daemon_replaces_the_one_that_writes_no_more() -> None:
    log = """
 8:00:00 (lmgrd) TIMESTAMP 3/2/2026
 8:00:00 (vend[100]) Server started on lic1 for: CAD
 8:00:01 (vend[101]) Server started on lic1 for: CAD
 8:10:00 (vend[100]) OUT: "CAD" ann@ws1
 8:20:00 (vend[101]) OUT: "CAD" bob@ws2
 9:00:00 (vend[200]) Server started on lic1 for: CAD
10:00:00 (vend[200]) OUT: "CAD" ann@ws1
11:00:00 (vend[200]) IN: "CAD" ann@ws1
12:00:00 (vend[101]) IN: "CAD" bob@ws2
"""
    assert sessions(log) == [
        ("CAD", "ann", at(8, 10), at(8, 10)),
        ("CAD", "ann", at(10), at(11)),
        ("CAD", "bob", at(8, 20), at(12)),
    ]
    assert not odd(log)


def test_a_line_of_the_evening_that_is_written_after_midnight_is_of_the_day_before() -> None:
    log = """
20:00:00 (vend) TIMESTAMP 3/2/2026
 0:00:05 (vend) OUT: "CAD" ann@ws1
23:59:58 (vend) OUT: "CAD" bob@ws2
 0:00:10 (vend) IN: "CAD" bob@ws2
 1:00:00 (vend) IN: "CAD" ann@ws1
"""
    second = timedelta(seconds=1)
    assert sessions(log) == [
        ("CAD", "ann", at(0, 0, 1) + 5 * second, at(1, 0, 1)),
        ("CAD", "bob", at(0, 0, 1) - 2 * second, at(0, 0, 1) + 10 * second),
    ]


def test_what_the_server_says_besides_is_counted_and_not_odd() -> None:
    log = read(OPENED + " 9:00:00 (vend) TCP_NODELAY NOT enabled\n" + CLOSED)
    assert (log.messages, log.passed_over) == (1, {})


def test_a_day_that_no_log_can_be_of_is_counted() -> None:
    early = ['3:00:00 (x) OUT: "F" a@h', "2:00:00 (x) a", "0:10:00 (x) TIMESTAMP 1/1/1970"]
    log = parse_log(early, zone=UTC, user_of=str.lower)
    assert (log.uses, log.passed_over) == ([], {"bad_date": 1})
