"""`seatpool plan` as people call it."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.unit.planner.event_texts import event
from typer.testing import CliRunner, Result

from seatpool.cli.main import app
from seatpool.domain.errors import SeatpoolError

EXAMPLES = Path(__file__).parents[3] / "examples"
LAB = EXAMPLES / "events-matlab-lab.jsonl.gz"
WEEKS = 2


def seatpool(*words: str | Path | int, **environ: str) -> Result:
    result = CliRunner().invoke(app, ["plan", *map(str, words)], env={"COLUMNS": "80"} | environ)
    if isinstance(result.exception, SeatpoolError):
        raise result.exception
    return result


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two weeks in which four people of matlab and two of cad come at nine and stay an hour, one after the other."""
    lines = []
    for day in range(7 * WEEKS):
        for number, (user, of_type) in enumerate(
            [(f"u{n}", "vew-matlab") for n in range(4)] + [("x-v", "vew-cad")] * 2
        ):
            begin = day * 24 * 60 + 60 + 10 * number
            lines.append(event(user, of_type, number, "running", begin))
            lines.append(event(user, of_type, number, "stopped", begin + 60))
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(lines))
    return path


def answer(*words: str | Path | int) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(seatpool(*words, "-o", "json").output)
    return found


def test_the_json_of_one_type_has_the_number_and_the_curve(file: Path) -> None:
    plan = answer("--events", file, "--type", "vew-matlab", "--target", "p95 wait < 10m", "--price", 100)
    assert plan["seats"] == 4
    assert plan["cost"] == 400
    assert [point["seats"] for point in plan["curve"]] == [1, 2, 3, 4]
    fields = {"seats", "share_waiting", "wait_p50_s", "wait_p95_s", "wait_max_s", "utilisation", "cost"}
    assert fields <= plan["curve"][0].keys()
    assert plan["curve"][2]["share_waiting"] == 0.25
    assert plan["curve"][2]["wait_p95_s"] == 30 * 60
    assert plan["curve"][3]["utilisation"] == pytest.approx(14 * 4 * 60 / (4 * (13 * 24 * 60 + 110)))


def test_without_a_type_every_type_is_a_pool_of_its_own(file: Path) -> None:
    plans = answer("--events", file, "--target", "max wait < 1m")
    assert [(plan["type"], plan["seats"]) for plan in plans["plans"]] == [("vew-cad", 1), ("vew-matlab", 4)]
    assert plans["seats"] == 5


def test_without_a_target_there_is_only_the_curve(file: Path) -> None:
    plan = answer("--events", file, "--type", "vew-cad")
    assert plan["seats"] is None
    assert "target" not in plan
    assert plan["curve"][-1]["share_waiting"] == 0


def test_numbers_that_were_asked_for_are_the_curve(file: Path) -> None:
    plan = answer("--events", file, "--type", "vew-matlab", "--target", "p95 wait < 10m", "--seats-range", "2..6")
    assert [point["seats"] for point in plan["curve"]] == [2, 3, 4, 5, 6]
    assert [point["meets_target"] for point in plan["curve"]] == [False, False, True, True, True]


def test_a_linger_time_keeps_seats_from_those_who_come_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(
        "\n".join(
            event(user, "vew-a", number, state, 20 * number + minute)
            for number, user in enumerate(("ann", "bob", "carl"))
            for state, minute in (("running", 0), ("stopped", 10))
        )
    )
    for linger, seats in (("0s", 1), ("10m", 1), ("11m", 2), ("31m", 3)):
        assert answer("--events", path, "--target", "max wait < 1s", "--linger", linger)["seats"] == seats


def test_a_rule_that_no_number_of_seats_satisfies_ends_with_exit_code_1(file: Path) -> None:
    result = seatpool("--events", file, "--type", "vew-matlab", "--target", "p95 wait < 10m", "--readmit", "24h")
    assert result.exit_code == 1
    assert "no number of seats gives p95 wait < 10m" in result.output
    assert "because of the rules" in " ".join(result.output.split())


def test_pools_of_a_file_bring_their_rules_and_those_that_nobody_needed_are_named(file: Path) -> None:
    plan = answer("--events", file, "--pool", EXAMPLES / "licensepools.yaml", "--target", "p95 wait < 10m")
    assert [one["type"] for one in plan["plans"]] == ["matlab", "cad"]
    assert plan["plans"][0]["seats_now"] == 4
    assert plan["plans"][1]["rules"] == {
        "linger": "2m",
        "reservations": "night-shift 2",
        "protectedUsers": "cad-librarian",
    }
    assert plan["plans"][1]["seats"] == 4  # two are kept for the night shift, one is the librarian's
    assert plan["read"]["pools_left_out"] == ["simulation"]


def test_rules_of_the_command_line_count_more_than_those_of_the_file(file: Path) -> None:
    pools = EXAMPLES / "licensepools.yaml"
    plan = answer(
        "--events", file, "--pool", pools, "--target", "p95 wait < 10m", "--linger", "5m", "--budget", "9/30d"
    )
    assert plan["plans"][1]["rules"]["linger"] == "5m"
    assert plan["plans"][0]["rules"] == {"linger": "5m", "maxReassignments": "9/30d"}


def test_a_table_fits_into_80_columns_and_marks_the_answer(file: Path) -> None:
    options = ("--events", LAB, "--target", "p95 wait < 10m", "--linger", "15m", "--price", 123456, "--resamples", 20)
    text = seatpool(*options).output
    assert max(map(len, text.splitlines())) <= 80
    marked = re.findall(r"^ *> (\d+) ", text, flags=re.MULTILINE)
    assert marked == [str(answer(*options)["seats"])]
    many = seatpool("--events", file, "--target", "p95 wait < 10m", "--price", 123456).output
    assert max(map(len, many.splitlines())) <= 80


class Page(HTMLParser):
    """What a page would load, and whether its elements are closed."""

    EMPTY = frozenset({"meta", "path", "use", "rect"})

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.loads += [
            value or "" for name, value in attrs if name in ("src", "href") and not (value or "").startswith("#")
        ]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(file: Path) -> None:
    page = Page()
    page.feed(seatpool("--events", file, "--target", "p95 wait < 10m", "-o", "html").output)
    assert (page.loads, page.open) == ([], [])
    assert {"svg", "table"} <= page.seen


def test_names_in_a_page_are_text_and_never_markup(tmp_path: Path) -> None:
    path = tmp_path / "<b>.jsonl"
    path.write_text(
        "\n".join(
            event("ann", "<script>alert(1)</script>", 1, state, at) for state, at in (("running", 0), ("stopped", 9))
        )
    )
    text = seatpool("--events", path, "-o", "html").output
    assert "<script>" not in text
    assert "&lt;script&gt;" in text
    assert "<b>" not in text


def test_no_name_reaches_a_page_raw(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    evil = "a\x1b[2J\u202e\x9b"
    path.write_text("\n".join(event("ann", evil, 1, state, at) for state, at in (("running", 0), ("stopped", 9))))
    text = seatpool("--events", path, "-o", "html").output
    assert text.replace("\n", "").isprintable()
    assert "a\\x1b[2J\\u202e\\x9b" in text


def test_the_page_says_when_by_what_and_how_it_was_made_and_each_plot_says_what_it_shows(file: Path) -> None:
    text = seatpool("--events", file, "--target", "p95 wait < 10m", "-o", "html").output
    assert re.search(r"Made \d{4}-\d\d-\d\d \d\d:\d\d UTC by Seatpool \d", text)
    assert f"plan --events {file} --target &#39;p95 wait &lt; 10m&#39; -o html" in text
    pictures = re.findall(r"<svg[^>]*>.{0,200}", text, flags=re.DOTALL)
    assert len(pictures) == 4  # of two pools, each for a desk and for a telephone
    for picture in pictures:
        assert 'role="img" aria-label="Waits by number of seats, vew-' in picture
        assert "<title>Waits by number of seats, vew-" in picture
    assert text.count("<figcaption>") == 2
    assert "prefers-color-scheme: dark" in text


def test_who_is_never_served_is_a_column_and_in_the_verdict(file: Path) -> None:
    options = ("--events", file, "--type", "vew-matlab", "--target", "share waiting < 80%", "--linger", "10m")
    text = " ".join(seatpool(*options).output.split())
    assert "NEVER SERVED" in text
    found = answer(*options)
    point = next(one for one in found["curve"] if one["seats"] == found["seats"])
    assert point["unserved"] == round(point["share_unserved"] * found["needs"]) > 0
    assert f"{point['unserved']} of {found['needs']} needs" in text
    assert "are never served" in text
    assert "every need is served" in seatpool("--events", file, "--type", "vew-cad", "--target", "max wait < 1s").output


def test_a_percentile_that_is_never_served_is_null_in_json_and_never_on_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    happenings = [("long", 1, 0, 900), ("ann", 2, 10, 20), ("bob", 3, 30, 40)]
    path.write_text(
        "\n".join(
            event(user, "vew-a", number, state, at)
            for user, number, begin, end in happenings
            for state, at in (("running", begin), ("stopped", end))
        )
    )
    point = answer("--events", path)["curve"][0]
    assert (point["wait_p95_s"], point["wait_max_s"]) == (None, 600)
    assert re.search(r"^ *1 +66.7 % +66.7 % +never +never +10 min", seatpool("--events", path).output, re.MULTILINE)


@pytest.mark.parametrize("output", ["table", "json", "html"])
def test_a_past_of_one_instant_is_refused_with_a_sentence(tmp_path: Path, output: str) -> None:
    path = tmp_path / "one.jsonl"
    path.write_text(event("ann", "vew-a", 1, "running", 0))
    with pytest.raises(SeatpoolError, match="no user has a workbench for any time"):
        seatpool("--events", path, "--target", "p95 wait < 10m", "-o", output)


def test_a_type_that_was_never_active_needs_no_seat(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(event("ann", "vew-a", 1, "stopped", at) for at in (0, 50)))
    assert "vew-a: nobody needed a seat" in seatpool("--events", path, "--type", "vew-a").output
    assert "nobody needed a seat" in seatpool("--events", path, "--type", "vew-a", "-o", "html").output
    plan = answer("--events", path, "--type", "vew-a", "--target", "max wait < 1m")
    assert (plan["seats"], plan["needs"], plan["curve"]) == (0, 0, [])


def test_there_is_a_sum_only_if_every_pool_has_a_number(file: Path) -> None:
    assert "5 seats in all for max wait < 1m" in seatpool("--events", file, "--target", "max wait < 1m").output
    without_target = seatpool("--events", file).output
    assert "in all" not in without_target
    assert "None" not in without_target
    result = seatpool("--events", file, "--target", "p95 wait < 10m", "--readmit", "24h")
    assert result.exit_code == 1
    assert "No sum: no number of seats gives p95 wait < 10m for vew-cad, vew-matlab" in " ".join(result.output.split())
    assert "seats" not in answer("--events", file, "--target", "p95 wait < 10m", "--readmit", "24h")


def test_several_pools_without_a_range_say_why(file: Path) -> None:
    text = " ".join(seatpool("--events", file, "--target", "max wait < 1m").output.split())
    assert "- no range: a maximum has none" in text


def test_types_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    types = ["vew-t10", "vew-t2", "vew-t1", "vew"]
    path.write_text(
        "\n".join(
            event("ann", of_type, number, state, at)
            for number, of_type in enumerate(types)
            for state, at in (("running", 0), ("stopped", 9))
        )
    )
    assert [one["type"] for one in answer("--events", path)["plans"]] == ["vew", "vew-t1", "vew-t2", "vew-t10"]


@pytest.mark.parametrize("columns", [60, 80, 100, 120, 200])
def test_a_table_fits_into_any_terminal_without_cutting_a_number(file: Path, columns: int) -> None:
    for words in (("--type", "vew-matlab"), ()):
        text = seatpool(
            "--events", file, *words, "--target", "p95 wait < 10m", "--price", 123456, COLUMNS=str(columns)
        ).output
        assert max(map(len, text.splitlines())) <= columns
        assert "\u2026" not in text
        assert "NEVER SERVED" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--events", LAB, "--since", "2022-06-10"), "--since is for a history"),
        (("--events", LAB, "--recorded-linger", "5m"), "--recorded-linger is for a history"),
        (("--history", "folder", "--config", "seatpool.yaml"), "for the users of --pool FILE only"),
        ((), "--events FILE, or a history with --history FOLDER"),
        (("--events", LAB, "--history", "x"), "--events FILE, or a history with --history FOLDER"),
        (("--events", "missing.jsonl"), "missing.jsonl: cannot be read"),
        (("--events", LAB, "--type", "cad"), "cad: .* it has vew-matlab"),
        (("--events", LAB, "--target", "fast"), "--target 'fast'"),
        (("--events", LAB, "--linger", "5"), "--linger: '5' is not a duration"),
        (("--events", LAB, "--budget", "4"), "--budget 4: write COUNT/WINDOW"),
        (("--events", LAB, "--seats-range", "9..2"), "--seats-range 9..2: write FROM..TO"),
        (("--events", LAB, "--pool", EXAMPLES / "licenseserver.yaml"), "no document of kind LicensePool"),
        (("--events", LAB, "--pool", "missing.yaml"), "missing.yaml: cannot be read"),
        (("--history", "missing-folder"), "missing-folder"),
    ],
)
def test_a_mistake_is_named_with_what_would_be_right(words: tuple[str | Path, ...], told: str) -> None:
    with pytest.raises(SeatpoolError, match=told):
        seatpool(*words)
