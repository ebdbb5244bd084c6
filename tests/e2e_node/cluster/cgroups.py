"""The cgroups of a node's containers: who is in them, and how they go away.

Nothing else of a node outlives its namespaces. A cgroup can be removed only when it is empty, so no process of anybody
is ever touched by this.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["ROOT", "await_empty", "processes", "remove"]

ROOT = Path("/sys/fs/cgroup")


def trees(name: str) -> Iterator[Path]:
    """The folder of this cgroup in each hierarchy: one with cgroup v2, one for each controller with v1."""
    for hierarchy in (ROOT, *ROOT.iterdir()):
        tree = hierarchy / name.lstrip("/")
        if not hierarchy.is_symlink() and tree.is_dir():
            yield tree


def processes(name: str) -> set[int]:
    """The ids of all processes below this cgroup."""
    files = (file for tree in trees(name) for file in tree.rglob("cgroup.procs"))
    return {int(number) for file in files for number in _read(file).split()}


def await_empty(name: str, *, seconds: float = 20.0) -> None:
    """Wait for the kernel to end what is in it."""
    deadline = time.monotonic() + seconds
    while left := processes(name):
        if time.monotonic() > deadline:
            raise TimeoutError(f"cgroup {name}: {len(left)} processes are still there after {seconds:g} s")
        time.sleep(0.05)


def remove(name: str) -> None:
    """Remove it with all below it, innermost first."""
    for tree in list(trees(name)):
        for directory, _, _ in os.walk(tree, topdown=False):
            Path(directory).rmdir()


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:  # a container has just ended
        return ""
