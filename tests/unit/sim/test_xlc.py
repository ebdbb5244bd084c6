"""The vendor's client, under each POSIX shell that this machine has."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.waiting import PATIENCE

from seatpool.sim.license_host import LicenseHost

SHELLS = [shell for shell in (["dash"], ["busybox", "sh"], ["bash", "--posix"]) if shutil.which(shell[0]) is not None]
Xlc = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def host(tmp_path: Path) -> LicenseHost:
    return LicenseHost(tmp_path / "host")


@pytest.fixture(params=SHELLS, ids=" ".join)
def xlc(request: pytest.FixtureRequest, host: LicenseHost) -> Xlc:
    def call(*arguments: str | Path, users: str | None = None) -> subprocess.CompletedProcess[str]:
        if users is not None:
            (host.home / "wanted").write_text(users)
            arguments = (*arguments, "--file", host.home / "wanted")
        command = [*request.param, str(host.home / "bin" / "xlc"), *map(str, arguments)]
        environ = {"PATH": os.environ["PATH"]}
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=PATIENCE)

    return call


def lines(host: LicenseHost) -> list[dict[str, object]]:
    return [json.loads(line) for line in (host.home / "journal.jsonl").read_text().splitlines()]


def test_applying_overwrites_the_whole_list(xlc: Xlc, host: LicenseHost) -> None:
    assert xlc("list", "--product", "P").stdout == ""
    assert xlc("apply", "--product", "P", users="ann\nbob\n").returncode == 0
    assert xlc("apply", "--product", "P", users="bob\ncid\n").stdout == "ok P\n"
    assert xlc("list", "--product", "P").stdout == "bob\ncid\n"
    assert xlc("list", "--product", "Q").stdout == ""
    assert host.users("P") == ("bob", "cid")


def test_an_empty_list_is_a_list(xlc: Xlc, host: LicenseHost) -> None:
    xlc("apply", "--product", "P", users="ann\n")
    assert xlc("apply", "--product", "P", users="").returncode == 0
    assert host.users("P") == ()
    assert lines(host)[-1]["users"] == []


def test_more_users_than_seats_are_rejected_and_the_list_stays(xlc: Xlc, host: LicenseHost) -> None:
    assert xlc("seats", "--product", "P").stdout == "unlimited\n"
    assert xlc("seats", "--product", "P", "2").returncode == 0
    assert xlc("seats", "--product", "P").stdout == "2\n"
    assert xlc("apply", "--product", "P", users="ann\nbob\n").returncode == 0
    refused = xlc("apply", "--product", "P", users="ann\nbob\ncid\n")
    assert (refused.returncode, "more users than its 2 seats" in refused.stderr) == (2, True)
    assert host.users("P") == ("ann", "bob")
    assert [(line["count"], line["accepted"]) for line in lines(host)] == [(2, True), (3, False)]


def test_the_journal_says_when_each_list_came(xlc: Xlc, host: LicenseHost) -> None:
    before = time.time()
    xlc("apply", "--product", "P.1-x", users="ann\nbob")
    after = time.time()
    (line,) = lines(host)
    at = line.pop("at")
    assert isinstance(at, float)
    assert before - 0.001 <= at <= after
    assert at % 0.001 != 0, "the clock must tell microseconds"
    assert line == {"product": "P.1-x", "users": ["ann", "bob"], "count": 2, "accepted": True}


def test_the_journal_stays_json_whatever_the_users_are_called(xlc: Xlc, host: LicenseHost) -> None:
    users = ['a"b', "c\\d", "e\tf\x01", "Jörg", "$(id)", "`id`", "%s%d", "' or 1", " x ", "{{", "-n"]
    xlc("apply", "--product", "P", users="".join(f"{user}\n" for user in users))
    assert lines(host)[0]["users"] == users
    assert [entry.users for entry in host.journal()] == [tuple(users)]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("apply",),
        ("apply", "--product", "P"),
        ("apply", "--product", "../P", "--file", "/dev/null"),
        ("list", "--product", ".hidden"),
        ("list", "--product", ""),
        ("list", "--product"),
        ("seats", "--product", "P", "many"),
        ("remove", "--product", "P"),
        ("list", "--all"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(xlc: Xlc, host: LicenseHost, arguments: tuple[str, ...]) -> None:
    result = xlc(*arguments)
    assert (result.returncode, "usage: xlc" in result.stderr) == (64, True)
    assert list((host.home / "products").iterdir()) == []


def test_it_can_fail(xlc: Xlc, host: LicenseHost) -> None:
    host.edit("P", ["ann"])
    host.faults(fail_apply=9, fail_list=8)
    assert xlc("apply", "--product", "P", users="bob\n").returncode == 9
    assert xlc("list", "--product", "P").returncode == 8
    assert host.users("P") == ("ann",)
    host.faults()
    assert xlc("list", "--product", "P").stdout == "ann\n"


def test_its_faults_can_be_those_of_one_product(xlc: Xlc, host: LicenseHost) -> None:
    host.faults(fail_apply=9, fail_product="P")
    assert xlc("apply", "--product", "P", users="bob\n").returncode == 9
    assert xlc("apply", "--product", "Q", users="bob\n").returncode == 0


def test_it_can_lie(xlc: Xlc, host: LicenseHost) -> None:
    host.edit("P", ["ann", "bob"])
    host.faults(lie_apply=1, lie_list=1)
    assert xlc("apply", "--product", "P", users="cid\n").returncode == 0
    assert host.users("P") == ("ann", "bob")
    assert xlc("list", "--product", "P").stdout == "bob\nsomebody-else\n"
    assert list(host.journal()) == []


def test_it_can_be_slow_before_and_after_the_change(xlc: Xlc, host: LicenseHost) -> None:
    host.faults(sleep_apply=0.3, late_apply=0.3)
    began = time.time()
    xlc("apply", "--product", "P", users="ann\n")
    ended = time.time()
    (entry,) = host.journal()
    assert entry.at.timestamp() - began > 0.3
    assert ended - entry.at.timestamp() > 0.3


def test_overwrites_at_once_leave_a_whole_list_that_the_journal_ends_with(xlc: Xlc, host: LicenseHost) -> None:
    lists = []
    for number in range(8):
        users = [f"user-{number}-{n:04}" for n in range(2000)]
        path = host.home / f"wanted-{number}"
        path.write_text("".join(f"{user}\n" for user in users))
        lists.append((path, tuple(users)))
    client = [str(host.home / "bin" / "xlc"), "apply", "--product", "P", "--file"]
    running = [subprocess.Popen([*client, str(path)], stdout=subprocess.DEVNULL) for path, _ in lists]
    assert [process.wait(timeout=PATIENCE) for process in running] == [0] * 8
    entries = list(host.journal())
    assert sorted(entry.users for entry in entries) == sorted(users for _, users in lists)
    assert entries[-1].users == host.users("P")
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
