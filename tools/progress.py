"""Shows the progress of long steps, because a build of minutes without output looks like a hang."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["SECONDS_BETWEEN_SIGNS", "SetupError", "run", "say"]

SECONDS_BETWEEN_SIGNS = 10.0
LINES_SHOWN_OF_A_FAILURE = 30


class SetupError(Exception):
    """The set-up cannot go on. The message says what the user has to do."""


def say(text: str) -> None:
    """Prints one line on standard error. Standard output belongs to `--print-assets`."""
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


def run(label: str, command: Sequence[str | Path], *, cwd: Path, environ: Mapping[str, str]) -> None:
    """Runs `command` to its end with progress output. Raises SetupError with the end of its output if it fails."""
    say(f"{label} ...")
    began = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=cwd,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _follow(label, process, began)
        finally:
            _end_group(process)
        if process.returncode:
            output.seek(0)
            lines = deque(output.read().decode(errors="replace").splitlines(), maxlen=LINES_SHOWN_OF_A_FAILURE)
            raise SetupError(
                f"{label} failed with exit code {process.returncode} after {time.monotonic() - began:.0f} s:\n"
                + "\n".join(f"    {line}" for line in lines)
            )
    say(f"{label}: done in {time.monotonic() - began:.1f} s")


def _follow(label: str, process: subprocess.Popen[bytes], began: float) -> None:
    while True:
        try:
            process.wait(timeout=SECONDS_BETWEEN_SIGNS)
            return
        except subprocess.TimeoutExpired:
            say(f"{label}: {time.monotonic() - began:.0f} s so far")


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """Ends the children of a compiler after Ctrl-C. The group is ours because of start_new_session."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
