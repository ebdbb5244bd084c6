"""Starts child processes that cannot outlive the process that started them, however it ends.

`atexit` and `finally` do not run after SIGKILL, and a forgotten kube-apiserver keeps 300 MB. Linux can signal a child
when its parent dies (PR_SET_PDEATHSIG). But that depends on the *thread* that made the child, and no other system has
it. So a shell holds the reading end of a pipe and the list of children. If the owner ends in any way, the kernel closes
the writing end. The shell then reads an end of file and kills the children on its list.

Children get a session of their own, so that Ctrl-C reaches only the owner, which ends them in order.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

__all__ = ["Lifeline"]

_WATCHER = """
children=
while read -r verb child; do
    case $verb in
    watch) children="$children $child" ;;
    forget)
        rest=
        for other in $children; do
            [ "$other" = "$child" ] || rest="$rest $other"
        done
        children=$rest
        ;;
    esac
done
for child in $children; do
    kill -s KILL -- "-$child"
done
"""


class Lifeline:
    """Starts children, and ends them with all that they started, at the latest when this process ends."""

    def __init__(self) -> None:
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._lock = threading.Lock()
        self._watcher = subprocess.Popen(  # noqa: S603
            ["/bin/sh", "-c", _WATCHER],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        output: int | IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes]:
        """Starts `command`. `output` gets both output streams. None: those of this process."""
        child = subprocess.Popen(  # noqa: S603
            [str(part) for part in command],
            cwd=cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            start_new_session=True,
        )
        self._tell("watch", child)
        with self._lock:
            self._children[child.pid] = child
        return child

    def end(self, child: subprocess.Popen[bytes], *, grace: float = 0.0) -> None:
        """Ends `child`: SIGTERM, up to `grace` seconds, then SIGKILL for its group. Ending it again does nothing."""
        with self._lock:
            if self._children.pop(child.pid, None) is None:
                return
        if grace:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(timeout=grace)
        # A group lives on while any of its members does, also after the child itself has ended.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        self._tell("forget", child)

    def close(self) -> None:
        """Ends every child that is left, the newest first."""
        for child in reversed(list(self._children.values())):
            self.end(child)
        self._pipe.close()
        self._watcher.wait()

    @property
    def _pipe(self) -> IO[bytes]:
        pipe = self._watcher.stdin
        assert pipe is not None  # noqa: S101
        return pipe

    def _tell(self, verb: str, child: subprocess.Popen[bytes]) -> None:
        with self._lock:
            self._pipe.write(f"{verb} {child.pid}\n".encode())
            self._pipe.flush()
