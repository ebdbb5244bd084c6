"""Runs a script once in a real shell, in a process group of its own, and keeps its output as SSM reports it."""

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path

from seatpool.sim.lifeline import Lifeline
from seatpool.sim.ssm.commands import NO_RESPONSE, Ending, Phase

__all__ = ["STDERR_LIMIT", "STDOUT_LIMIT", "TRUNCATED", "ScriptRun"]

STDOUT_LIMIT = 24_000
STDERR_LIMIT = 8_000
TRUNCATED = "--output truncated--"
STOPPED_EARLY = 137
BYTES_OF_A_CHARACTER = 4

# The lifeline knows one output for both streams; this shell is replaced at once, so it costs no process.
_SEPARATE_STDERR = 'exec 2>"$0"; exec "$@"'


class ScriptRun:
    """A script that runs. Call `wait` for its end, and `kill` from any thread."""

    def __init__(
        self, text: str, *, shell: tuple[str, ...], folder: Path, environ: Mapping[str, str], lifeline: Lifeline
    ) -> None:
        self._lifeline = lifeline
        # The agent runs `sh -c PATH`. dash stays as the parent and ends with 137 when the script is killed, which the
        # agent takes for its own time limit. bash becomes the script.
        self._shell_stays = Path(shell[0]).resolve().name == "dash"
        self._stdout, self._stderr = folder / "stdout", folder / "stderr"
        self._cause: Phase | None = None
        self._code: int | None = None
        self._lock = threading.Lock()
        path = folder / "_script.sh"
        path.write_text(text)
        with self._stdout.open("wb") as output:
            self._child = lifeline.start(
                ["/bin/sh", "-c", _SEPARATE_STDERR, self._stderr, *shell, path],
                cwd=folder,
                environ=environ,
                output=output,
            )

    def kill(self, cause: Phase) -> None:
        """Kills the script and all that it started. The cause `FAILED` is a kill from outside, as the agent sees it."""
        with self._lock:
            if self._code is not None:
                return
            self._cause = self._cause or cause
        self._lifeline.end(self._child)

    def wait(self) -> Ending:
        code = self._child.wait()
        with self._lock:
            self._code = code
        # A process that it left behind ends here too; the real agent would let it live.
        self._lifeline.end(self._child)
        cause = self._cause if code == -signal.SIGKILL else None
        stdout, stderr = _head(self._stdout, STDOUT_LIMIT), _head(self._stderr, STDERR_LIMIT)
        if cause in {Phase.EXECUTION_TIMED_OUT, Phase.CANCELLED}:
            # The API has no output of a command that neither succeeded nor failed.
            return Ending(phase=cause, code=STOPPED_EARLY)
        if code == 0:
            return Ending(phase=Phase.SUCCESS, code=0, stdout=stdout, stderr=stderr)
        if code == STOPPED_EARLY or (code == -signal.SIGKILL and self._shell_stays):
            return Ending(
                phase=Phase.EXECUTION_TIMED_OUT, code=STOPPED_EARLY, stderr=_cut(f"{stderr}Killed", STDERR_LIMIT)
            )
        why = f"exit status {code}" if code > 0 else "signal: killed"
        return Ending(
            phase=Phase.FAILED,
            code=code if code > 0 else NO_RESPONSE,
            stdout=stdout,
            stderr=_cut(f"{stderr}failed to run commands: {why}", STDERR_LIMIT),
        )


def _head(path: Path, limit: int) -> str:
    try:
        with path.open("rb") as file:
            start = file.read((limit + 1) * BYTES_OF_A_CHARACTER)
    except FileNotFoundError:  # killed before its shell opened it
        return ""
    return _cut(start.decode(errors="replace"), limit)


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - len(TRUNCATED)] + TRUNCATED


def search_path(home: Path) -> str:
    """Returns PATH with the node's own programs first."""
    return os.pathsep.join([str(home / "bin"), os.environ.get("PATH", os.defpath)])
