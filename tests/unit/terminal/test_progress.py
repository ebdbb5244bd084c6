"""Work over a second is shown on a terminal and taken away again, and nowhere else."""

import os
import pty
import subprocess
import sys

CODE = """
import time
from seatpool.terminal.progress import progress
with progress('Reading'):
    time.sleep({0})
print('done')
"""


def on_a_terminal(seconds: float) -> bytes:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", CODE.format(seconds)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as child:
        os.close(theirs)
        seen = b""
        try:
            while piece := os.read(ours, 4096):
                seen += piece
        except OSError:
            pass  # how Linux says that the other end is closed
        assert child.wait(timeout=60) == 0
    os.close(ours)
    return seen


def test_work_of_seconds_is_shown_and_taken_away() -> None:
    seen = on_a_terminal(2.5)
    assert b"Reading ... 1 s" in seen
    assert b"Reading ... 2 s" in seen
    assert seen.endswith(b"\r\x1b[2K")


def test_quick_work_shows_nothing() -> None:
    assert on_a_terminal(0) == b""


def test_nothing_is_shown_where_no_terminal_is() -> None:
    done = subprocess.run([sys.executable, "-c", CODE.format(1.5)], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"done\n", b"")
