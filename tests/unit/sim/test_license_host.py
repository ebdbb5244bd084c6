"""A license server's disk, from outside."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from seatpool.sim.license_host import JournalEntry, LicenseHost
from seatpool.sim.ssm.behavior import AgentBehavior, AgentBehaviorError


def line(product: str, *users: str, at: float = 1.5) -> str:
    return json.dumps({"at": at, "product": product, "users": users, "count": len(users), "accepted": True}) + "\n"


def test_the_journal_is_read_on_from_where_the_last_reading_ended(tmp_path: Path) -> None:
    host = LicenseHost(tmp_path)
    assert list(host.journal()) == []
    journal = tmp_path / "journal.jsonl"
    journal.write_text(line("P", "ann") + line("Q"))
    at = datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
    assert list(host.journal()) == [
        JournalEntry(at=at, product="P", users=("ann",), accepted=True),
        JournalEntry(at=at, product="Q", users=(), accepted=True),
    ]
    with journal.open("a") as file:
        file.write(line("R", "bob") + line("S")[:20])
    assert [entry.product for entry in host.journal()] == ["R"]
    with journal.open("a") as file:
        file.write(line("S")[20:])
    assert [entry.product for entry in host.journal()] == ["S"]
    assert len(list(LicenseHost(tmp_path).journal())) == 4


def test_a_hand_on_the_server_changes_a_list_without_a_word(tmp_path: Path) -> None:
    host = LicenseHost(tmp_path)
    assert host.users("P") == ()
    host.edit("P", ["mallory", "ann"])
    assert host.users("P") == ("mallory", "ann")
    assert list(host.journal()) == []


def test_the_agents_conduct_lies_beside_it(tmp_path: Path) -> None:
    host = LicenseHost(tmp_path)
    assert host.behavior == AgentBehavior()
    host.behavior = AgentBehavior(offline=True, repeat_after=(0.5, 1.0), shell=("busybox", "sh"))
    assert LicenseHost(tmp_path).behavior == AgentBehavior(
        offline=True, repeat_after=(0.5, 1.0), shell=("busybox", "sh")
    )
    host.behavior = host.behavior.but(offline=False)
    assert not host.behavior.offline
    assert host.behavior.repeat_after == (0.5, 1.0)


@pytest.mark.parametrize("text", ["{", "[]", '{"ofline": true}'])
def test_a_conduct_that_nobody_understands_is_an_error_that_names_the_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "agent.json").write_text(text)
    with pytest.raises(AgentBehaviorError, match=r"agent\.json"):
        AgentBehavior.read(tmp_path)


def test_a_host_may_be_opened_again_without_losing_anything(tmp_path: Path) -> None:
    LicenseHost(tmp_path).edit("P", ["ann"])
    assert LicenseHost(tmp_path).users("P") == ("ann",)
