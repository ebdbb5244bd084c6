"""Children that end with their owner."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.waiting import PATIENCE

from seatpool.sim.lifeline import Lifeline

OWNER = """
import sys
from seatpool.sim.lifeline import Lifeline

lifeline = Lifeline()
ended = lifeline.start(["sleep", "60"])
lifeline.end(ended)
child = lifeline.start(["sh", "-c", "sleep 60 & echo $!; wait"], output=sys.stdout.fileno())
sys.stdout.write(f"{child.pid}\\n")
sys.stdout.flush()
sys.stdin.read()
"""


def is_gone(pid: int) -> bool:
    """Ended, or a zombie whose parent has not looked yet."""
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE
    while not is_gone(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_gone(pid)


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_children_and_what_they_started_end_when_their_owner_is_killed(number: signal.Signals) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert owner.stdout is not None
    pids = [int(owner.stdout.readline()), int(owner.stdout.readline())]
    assert not any(map(is_gone, pids))
    owner.send_signal(number)
    owner.communicate(timeout=PATIENCE)
    assert all(map(wait_until_gone, pids))


def test_a_child_that_is_given_grace_ends_in_its_own_way(tmp_path: Path) -> None:
    with Lifeline() as lifeline, (tmp_path / "output").open("wb") as output:
        child = lifeline.start(
            ["sh", "-c", "trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.05; done"], output=output
        )
        while not (tmp_path / "output").read_text():
            time.sleep(0.01)
        lifeline.end(child, grace=5)
    assert child.returncode == 7
    assert (tmp_path / "output").read_text() == "up\nbye\n"


def test_a_child_that_ignores_its_grace_is_killed() -> None:
    with Lifeline() as lifeline:
        child = lifeline.start(["sh", "-c", "trap '' TERM; while :; do sleep 0.05; done"])
        time.sleep(0.1)
        lifeline.end(child, grace=0.2)
        assert child.returncode == -signal.SIGKILL
        lifeline.end(child)


def test_closing_ends_all_children_and_the_watcher() -> None:
    lifeline = Lifeline()
    children = [lifeline.start(["sleep", "60"]) for _ in range(3)]
    lifeline.close()
    assert [child.returncode for child in children] == [-signal.SIGKILL] * 3
    with pytest.raises(ChildProcessError):
        os.waitpid(lifeline._watcher.pid, os.WNOHANG)
