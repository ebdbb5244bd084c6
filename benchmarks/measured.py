"""Measures time, memory and open files of a child process from the kernel, and not from what it says itself."""

import contextlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from seatpool.sim.lifeline import Lifeline

TICKS = os.sysconf("SC_CLK_TCK")
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "PYTHONPATH",
    "VIRTUAL_ENV",
    "LOGNAME",
    "USER",
    "KUBEBUILDER_ASSETS",
)


class MeasuredProcess:
    """Runs `python ARGUMENTS`. It ends with this process at the latest."""

    def __init__(self, arguments: Sequence[str | Path], *, log: Path, environ: Mapping[str, str] | None = None) -> None:
        # The AWS account and the cluster of this shell must not reach the process.
        passed = {name: value for name, value in os.environ.items() if name in PASSED_ON}
        passed |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_EC2_METADATA_DISABLED": "true"}
        self.log = log
        self._lifeline = Lifeline()
        self.began, self.began_at = time.monotonic(), time.time()
        with log.open("ab") as output:
            self.child = self._lifeline.start(
                [sys.executable, *arguments], environ=passed | dict(environ or {}), output=output
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def age(self) -> float:
        """Returns the seconds since its start."""
        return time.monotonic() - self.began

    @property
    def running(self) -> bool:
        return self.child.poll() is None

    def check(self) -> None:
        """Raises RuntimeError with the end of its log if it has ended."""
        if not self.running:
            text = self.log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"it ended with code {self.child.returncode}; the end of {self.log}:\n{text}")

    def peak_mb(self) -> float:
        """Returns the most memory that it held (VmHWM)."""
        return self._kilobytes("VmHWM") / 1024

    def memory_mb(self) -> float:
        """Returns the memory that it holds now (VmRSS)."""
        return self._kilobytes("VmRSS") / 1024

    def files(self) -> int:
        """Returns the number of open file descriptors."""
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))  # noqa: PTH208

    def cpu_seconds(self) -> float:
        """Returns the processor time of user and system so far."""
        return cpu_seconds(self.child.pid)

    def wait(self, *, seconds: float) -> float:
        """Waits for its end and returns its age."""
        self.child.wait(timeout=seconds)
        return self.age

    def kill(self) -> None:
        """Sends SIGKILL."""
        self._lifeline.end(self.child)

    def end(self) -> None:
        self._lifeline.end(self.child, grace=10)
        self._lifeline.close()

    def _kilobytes(self, name: str) -> int:
        for line in Path(f"/proc/{self.child.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1])
        return 0


def cpu_seconds(pid: int) -> float:
    """Returns the processor time of a process and of its children that have ended."""
    return sum(map(int, _stat(pid)[11:15])) / TICKS


def children() -> list[int]:
    """Returns the processes that this one has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(_stat(int(path.name))[1]) == os.getpid():
                found.append(int(path.name))
    return found


def _stat(pid: int) -> list[str]:
    """Returns the fields after a process's name in /proc."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
