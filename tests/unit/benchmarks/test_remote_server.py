"""The license servers of the scale benchmarks answer as the real apply script does."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seatpool.api.list_backends import XlcSettings
from seatpool.servers.command_result import CommandResult
from seatpool.servers.commands import ListChange, ListCommand
from seatpool.servers.ssm.document import script
from seatpool.servers.ssm.xlc import XlcAdapter
from seatpool.sim.license_host import LicenseHost

QUICK = Path(__file__).resolve().parents[3] / "benchmarks" / "remote_server.py"
Run = Callable[[ListCommand], CommandResult]


def runner(home: Path, words: list[str]) -> tuple[LicenseHost, Run]:
    host = LicenseHost(home)
    adapter = XlcAdapter(XlcSettings(state_dir=host.state_dir))
    path = home / "_script.sh"
    path.write_text(script())

    def output(parameters: dict[str, list[str]]) -> str:
        environ = {
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "XLC_HOME": str(home),
            "SSM_Payload": parameters["Payload"][0],
        }
        return subprocess.run([*words, path], env=environ, capture_output=True, text=True, check=True).stdout

    def run(command: ListCommand) -> CommandResult:
        (parameters,) = adapter.parameters(command)
        outputs = [output(parameters)]
        report = adapter.parse(outputs)
        while report.unread:
            outputs.append(output(adapter.more(report.unread)))
            report = adapter.parse(outputs)
        return report

    return host, run


def write(revision: int, *lists: tuple[str, list[str]], owner: str = "us", takeover: str | None = None) -> ListCommand:
    changes = tuple(ListChange(product=product, users=tuple(users), seats=None) for product, users in lists)
    return ListCommand(revision=revision, owner=owner, takeover=takeover, changes=changes)


CROWD = [f"user-{number * 7919 % 100_003:06x}" for number in range(900)]
STORY = {
    "two lists": [write(1, ("cad", ["ann", "bob"]), ("matlab", []))],
    "an older one is refused": [write(5, ("cad", ["ann"])), write(4, ("cad", ["bob"]))],
    "the same again is taken": [write(5, ("cad", ["ann"])), write(5, ("cad", ["ann"]))],
    "another one of the same revision is refused": [write(5, ("cad", ["ann"])), write(5, ("cad", ["bob"]))],
    "another owner is refused": [write(5, ("cad", ["ann"])), write(9, ("cad", ["bob"]), owner="them")],
    "another owner takes over": [write(5, ("cad", ["ann"])), write(2, ("cad", ["bob"]), owner="them", takeover="us")],
    "more than the seats": [write(1, ("full", ["ann", "bob", "cem"]))],
    "a list that is fetched in pieces": [
        write(1, *((f"p{n}", CROWD[n:]) for n in range(3))),
        ListCommand(revision=2, owner="us", products=("p0", "p1", "p2", "unknown")),
    ],
}


@pytest.mark.parametrize("story", STORY)
def test_it_answers_and_keeps_what_the_script_does(story: str, tmp_path: Path) -> None:
    script_host, by_script = runner(tmp_path / "script", ["sh"])
    quick_host, quickly = runner(tmp_path / "quick", [sys.executable, "-I", "-S", str(QUICK)])
    for host in (script_host, quick_host):
        host.seats("full", 2)
    for command in STORY[story]:
        expected, answer = by_script(command), quickly(command)
        assert answer.revision == expected.revision
        for product, told in expected.products.items():
            got = answer.products[product]
            assert (got.result, got.fence, got.owner, got.users) == (told.result, told.fence, told.owner, told.users)
    products = {product for command in STORY[story] for product in command.names}
    assert {p: quick_host.users(p) for p in products} == {p: script_host.users(p) for p in products}
    journals = [[(e.product, e.users, e.accepted) for e in host.journal()] for host in (quick_host, script_host)]
    assert journals[0] == journals[1]
