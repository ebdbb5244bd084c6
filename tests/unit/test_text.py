"""Values as people read them: times, durations, names, counts and shares."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatpool.text import (
    TimeFormat,
    csv_cell,
    escape_unprintable,
    format_count,
    format_names,
    format_number,
    format_percent,
    format_rough_duration,
    format_seconds,
    redact_urls,
)

NOW = datetime(2026, 3, 9, 23, 30, tzinfo=UTC)
TIMES = TimeFormat(zone=UTC, now=NOW)
EAST = TimeFormat(zone=timezone(timedelta(hours=1)), now=NOW)


@pytest.mark.parametrize(
    ("times", "instant", "text"),
    [
        pytest.param(TIMES, NOW - timedelta(hours=2), "21:30", id="a time of today has no date"),
        pytest.param(TIMES, NOW - timedelta(days=1), "2026-03-08 23:30", id="another day has its date"),
        pytest.param(EAST, NOW, "00:30", id="today is the reader's day"),
        pytest.param(EAST, NOW - timedelta(hours=2), "2026-03-09 22:30", id="yesterday is the reader's yesterday"),
        pytest.param(TIMES, None, "an unknown time", id="no time is said so"),
    ],
)
def test_a_time(times: TimeFormat, instant: datetime | None, text: str) -> None:
    assert times.format_time(instant) == text


def test_a_time_that_has_come_is_at_once() -> None:
    assert TIMES.format_time_or_now(NOW) == "at once"
    assert TIMES.format_time_or_now(NOW + timedelta(minutes=1)) == "at 23:31"


def test_an_age_is_a_rough_duration_and_a_dash_if_it_never_was() -> None:
    assert TIMES.format_age(NOW - timedelta(minutes=12)) == "12 min"
    assert TIMES.format_age(None) == "-"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (0.9, "0 s"), (59, "59 s"), (60, "1 min"), (65, "1 min 5 s"), (605, "10 min"), (3600, "1 h"),
        (2 * 3600 + 300, "2 h 5 min"), (10 * 3600 + 300, "10 h"), (26 * 3600, "1 d 2 h"), (-5, "0 s"),
    ],
)  # fmt: skip
def test_a_rough_duration_has_its_largest_unit_and_below_ten_the_next_one(seconds: float, text: str) -> None:
    assert format_rough_duration(timedelta(seconds=seconds)) == text
    assert format_seconds(seconds) == text


def test_seconds_that_are_not_known_are_a_dash() -> None:
    assert format_seconds(None) == "-"


@pytest.mark.parametrize(
    ("names", "most", "text"),
    [
        ("", 5, ""), ("ann", 5, "ann"), ("ann bob", 2, "ann, bob"), ("ann bob cem", 2, "ann, bob and 1 more"),
        ("ann bob cem", 1, "ann and 2 more"),
    ],
)  # fmt: skip
def test_names_are_cut_and_the_others_counted(names: str, most: int, text: str) -> None:
    assert format_names(iter(names.split()), most=most) == text


def test_five_names_are_shown_if_nothing_else_is_said() -> None:
    assert format_names("abcdefg") == "a, b, c, d, e and 2 more"


@pytest.mark.parametrize(("count", "text"), [(0, "0 pools"), (1, "1 pool"), (2, "2 pools")])
def test_a_count_has_its_plural(count: int, text: str) -> None:
    assert format_count(count, "pool") == text


@pytest.mark.parametrize(
    ("share", "places", "text"),
    [
        (None, None, "-"), (0, None, "0 %"), (0.0004, None, "< 0.1 %"), (0.003, None, "0.3 %"), (0.126, None, "13 %"),
        (1, None, "100 %"), (None, 1, "-"), (0, 1, "0.0 %"), (0.0004, 1, "0.0 %"), (0.126, 1, "12.6 %"),
    ],
)  # fmt: skip
def test_a_share_is_in_percent(share: float | None, places: int | None, text: str) -> None:
    assert format_percent(share, places=places) == text


@pytest.mark.parametrize(
    ("value", "places", "text"),
    [
        (None, None, "-"), (1234, None, "1,234"), (4, None, "4"), (4.25, None, "4.2"), (9.95, None, "10"), (0.0, None, "0"),
        (12.5, None, "12"), (4.5, 0, "4"), (1234.5, 0, "1,234"), (None, 0, "-"),
    ],
)  # fmt: skip
def test_a_number_has_one_decimal_below_ten_unless_the_places_are_given(
    value: float | None, places: int | None, text: str
) -> None:
    assert format_number(value, places=places) == text


ANY_TEXT = st.text(alphabet=st.characters())
"""Text with half surrogates too, which hypothesis leaves out by default."""


@given(ANY_TEXT)
@example("vew-\x1b]0;pwned\x1b\\\x1b[2J")
@example("ann\u202enna")
@example("one\ntwo\r\u2028three\x85\x9b2J\x7f")
def test_escaped_text_is_printable_and_printable_text_stays(text: str) -> None:
    escaped = escape_unprintable(text)
    assert escaped.isprintable()
    assert escape_unprintable(escaped) == escaped
    assert (escaped == text) is text.isprintable()
    assert escape_unprintable(text, keep_lines=True).replace("\n", "").isprintable()
    assert escape_unprintable(text, keep_lines=True).count("\n") == text.count("\n")


def test_an_escape_says_which_character_it_is() -> None:
    assert escape_unprintable("\x1b[2J\u202eann\n\ud800") == r"\x1b[2J\u202eann\n\ud800"
    assert escape_unprintable("CORP\\J\u00f6rg \u65e5") == "CORP\\J\u00f6rg \u65e5"


@given(
    st.sampled_from(["", " ", "  ", "\t", "\n", "\r", "\u00a0", "\x00"]),
    st.sampled_from("=+-@\uff1d\uff0b\uff0d\uff20"),
    ANY_TEXT,
)
def test_no_text_in_a_csv_cell_is_a_formula_or_another_line(before: str, sign: str, text: str) -> None:
    cell = csv_cell(f"{before}{sign}{text}")
    assert isinstance(cell, str)
    assert cell.isprintable()
    assert cell[0] in "'\\"


@pytest.mark.parametrize("value", [-1, 1.5, None, True, "ann", "a=b"])
def test_what_is_no_formula_stays_in_a_csv_cell(value: object) -> None:
    assert csv_cell(value) == value


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://hooks.example/T0/XXXX", "https://hooks.example/..."),
        ("at http://user:pa55@host:8080/?token=x, again", "at http://host:8080/... again"),
        ("http://pa55@host", "http://host"),
        ("'https://a:b@h/x' and https://c@i#y", "'https://h/...' and https://i/..."),
        ("no URL: a@b/c", "no URL: a@b/c"),
    ],
)
def test_of_a_url_only_scheme_and_host_are_shown(text: str, shown: str) -> None:
    assert redact_urls(text) == shown
