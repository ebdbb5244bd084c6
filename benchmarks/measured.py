"""A child process whose time, memory and open files are read from the kernel, and not from what it says of itself."""

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


class Measured:
    """`python ARGUMENTS`, ended with this process at the latest."""

    def __init__(self, arguments: Sequence[str | Path], *, log: Path, environ: Mapping[str, str] | None = None) -> None:
        # Nothing of this shell's own AWS account or cluster may reach it.
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
        """Seconds since it was started."""
        return time.monotonic() - self.began

    @property
    def running(self) -> bool:
        return self.child.poll() is None

    def check(self) -> None:
        """RuntimeError with the end of its log when it has ended."""
        if not self.running:
            text = self.log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"it ended with code {self.child.returncode}; the end of {self.log}:\n{text}")

    def peak_mb(self) -> float:
        """The most memory that it ever held (VmHWM)."""
        return self._kilobytes("VmHWM") / 1024

    def memory_mb(self) -> float:
        """What it holds now (VmRSS)."""
        return self._kilobytes("VmRSS") / 1024

    def files(self) -> int:
        """Open file descriptors."""
        return len(os.listdir(f"/proc/{self.child.pid}/fd"))  # noqa: PTH208

    def cpu_seconds(self) -> float:
        """Processor time of user and system so far."""
        return cpu_seconds(self.child.pid)

    def wait(self, *, seconds: float) -> float:
        """Wait for its own end; how old it became."""
        self.child.wait(timeout=seconds)
        return self.age

    def kill(self) -> None:
        """kill -9."""
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
    """Processor time of a process, with that of its children that have ended."""
    return sum(map(int, _stat(pid)[11:15])) / TICKS


def children() -> list[int]:
    """Processes that this one has started."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(_stat(int(path.name))[1]) == os.getpid():
                found.append(int(path.name))
    return found


def _stat(pid: int) -> list[str]:
    """What follows a process's name in /proc."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
