"""What is typed is understood, or the answer says what would be."""

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from seatpool.history.pseudonyms import Pseudonyms
from seatpool.reports.question import PerPool, UnclearQuestion, read_per_pool, read_window, read_zone
from seatpool.reports.teams import UnusableTeams, read_teams

FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 30, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("since", "until", "begin", "end"),
    [
        (None, None, "2026-05-31T12:00:00+00:00", "2026-06-30T12:00:00+00:00"),
        ("90d", None, "2026-04-01T12:00:00+00:00", "2026-06-30T12:00:00+00:00"),
        ("2026-03-01", "2026-04-01", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00"),
        ("7d", "2026-04-01", "2026-03-25T00:00:00+01:00", "2026-04-01T00:00:00+02:00"),
        ("2026-03-01T06:00Z", None, "2026-03-01T06:00:00+00:00", "2026-06-30T12:00:00+00:00"),
    ],
)
def test_a_window_is_read_on_the_readers_clock(since: str | None, until: str | None, begin: str, end: str) -> None:
    found = read_window(since, until, zone=BERLIN, first=FIRST, last=LAST)
    assert tuple(instant.isoformat() for instant in found) == (begin, end)


def test_a_short_history_is_reported_as_a_whole() -> None:
    first = datetime(2026, 6, 28, tzinfo=UTC)
    assert read_window(None, None, zone=UTC, first=first, last=LAST) == (first, LAST)


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        ("yesterday", None, "--since yesterday: write a date such as 2026-01-31, or a length of time such as 90d"),
        (None, "30d", "--until 30d: write a date such as 2026-01-31"),
        ("2026-07-01", None, "nothing lies between it and the end .* the history has 2026-01-01T00:00:00Z to"),
        ("2026-03-01", "2026-02-01", "--since 2026-03-01: nothing lies between it and 2026-02-01"),
    ],
)
def test_a_window_that_is_none_is_refused(since: str | None, until: str | None, message: str) -> None:
    with pytest.raises(UnclearQuestion, match=message):
        read_window(since, until, zone=UTC, first=FIRST, last=LAST)


def test_a_number_may_be_given_for_all_pools_and_for_some() -> None:
    prices = read_per_pool("--price", ["1200", "matlab=900", "lab/cad=0.5"])
    assert prices == PerPool(1200.0, {"matlab": 900.0, "lab/cad": 0.5})
    assert [prices.for_pool(pool) for pool in ("lab/matlab", "lab/cad", "other/cad", "MATLAB")] == [
        900,
        0.5,
        1200,
        1200,
    ]


@pytest.mark.parametrize("text", ["cheap", "matlab=", "-1", "nan", "inf", "matlab=1,200"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UnclearQuestion, match=f"--price {text}: write a number, or POOL=NUMBER"):
        read_per_pool("--price", [text])


@pytest.mark.parametrize("name", ["Berlin/Europe", "", "../../etc/passwd"])
def test_a_time_zone_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UnclearQuestion, match="write a name such as Europe/Berlin or UTC"):
        read_zone(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("teams.csv", "\ufeffuser,team,office\nann,alpha,1\nbob,alpha,2\ncem,beta,\n"),
        ("teams.yaml", "alpha: [ann, bob]\nbeta: [cem]\n"),
        ("teams.yml", "ann: alpha\nbob: alpha\ncem: beta\n"),
    ],
)
def test_teams_are_read_from_what_people_have(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert read_teams(file, Pseudonyms()) == {"ann": "alpha", "bob": "alpha", "cem": "beta"}
    salted = Pseudonyms(b"a salt of sixteen bytes")
    assert read_teams(file, salted) == {
        salted.of("ann"): "alpha",
        salted.of("bob"): "alpha",
        salted.of("cem"): "beta",
    }


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("teams.csv", "ann;alpha\n", "the first line must name the columns user and team"),
        ("teams.yaml", "- ann\n", "write `team: "),
        ("teams.yaml", "{", "expected"),
    ],
)
def test_a_file_of_teams_that_is_none_says_what_it_should_be(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(UnusableTeams, match=message):
        read_teams(file, Pseudonyms())
    with pytest.raises(UnusableTeams, match="No such file"):
        read_teams(tmp_path / "none.csv", Pseudonyms())
