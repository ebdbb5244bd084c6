"""Lines of the audit trail: whole, in order, and never a reason to stop."""

import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from prometheus_client import CollectorRegistry

from seatpool.trail.config import TrailConfig
from seatpool.trail.trail import Action, Trail, UnusableTrail


def trail(config: TrailConfig, registry: CollectorRegistry) -> Trail:
    return Trail(config, holder="me", registry=registry, log=structlog.get_logger())


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_line_is_one_json_object_with_when_who_and_what(tmp_path: Path) -> None:
    written = trail(TrailConfig(file=tmp_path / "audit.jsonl"), CollectorRegistry())
    written.bind({"installation": "ours"})
    written.note(Action.GRANT, user="ann", rule="Granted", ssmCommandId=None)
    (line,) = lines(tmp_path / "audit.jsonl")
    assert line.pop("at").endswith("Z")
    assert line == {
        "action": "grant", "holder": "me", "installation": "ours", "logger": "audit", "rule": "Granted", "user": "ann",
    }  # fmt: skip


def test_foreign_text_makes_no_line_and_no_control_character_and_is_read_as_it_was(tmp_path: Path) -> None:
    evil = "vew-\x1b[2J\u202efalse\nrow\r\x9b\x7f\u2028\ud800"
    trail(TrailConfig(file=tmp_path / "audit.jsonl"), CollectorRegistry()).note(
        Action.GRANT, user=evil, name="J\u00f6rg"
    )
    text = (tmp_path / "audit.jsonl").read_text()
    assert text.count("\n") == 1
    assert text.strip().isprintable()
    assert "J\u00f6rg" in text
    assert [line["user"] for line in lines(tmp_path / "audit.jsonl")] == [evil]


def test_lines_are_appended_and_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    for user in ("ann", "bob"):
        trail(TrailConfig(file=file), CollectorRegistry()).note(Action.GRANT, user=user)
    written = trail(TrailConfig(file=file), CollectorRegistry())
    file.rename(tmp_path / "audit.1")
    written.note(Action.RELEASE, user="eve")
    assert [line["user"] for line in lines(tmp_path / "audit.1")] == ["ann", "bob"]
    assert [line["user"] for line in lines(file)] == ["eve"]


def test_standard_output_can_carry_the_trail(capsys: pytest.CaptureFixture[str]) -> None:
    trail(TrailConfig(stdout=True), CollectorRegistry()).note(Action.GRANT, user="ann")
    assert json.loads(capsys.readouterr().out)["user"] == "ann"


def test_a_file_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(UnusableTrail, match=r"audit\.file .*/missing/audit\.jsonl: No such file"):
        trail(TrailConfig(file=tmp_path / "missing" / "audit.jsonl"), CollectorRegistry())


def test_a_disk_that_is_full_later_is_counted_and_stops_nothing() -> None:
    registry = CollectorRegistry()
    written = trail(TrailConfig(file=Path("/dev/full")), registry)
    written.note(Action.GRANT, user="ann")
    assert registry.get_sample_value("seatpool_audit_lines_total", {"result": "failed"}) == 1
    assert registry.get_sample_value("seatpool_audit_lines_total", {"result": "written"}) == 0


def test_without_a_place_to_write_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    trail(TrailConfig(), CollectorRegistry()).note(Action.GRANT, user="ann")
    assert capsys.readouterr().out == ""
