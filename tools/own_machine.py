"""Runs a command in namespaces of this machine that take everything along when they end.

In a PID namespace no process outlives the first one. A network namespace has links and addresses of its own, and a
mount namespace its mounts. So there is no cleanup list that a failure could cut short. Two things are left to remove:
the empty cgroups of the containers, and one folder.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import system_packages
from progress import SetupError

from seatpool.sim.lifeline import Lifeline

PROGRAMS = {
    "host-local": "containernetworking-plugins",
    "containerd": "containerd",
    "ctr": "containerd",
    "ip": "iproute2",
    "runc": "runc",
    "unshare": "util-linux",
}

NAMESPACES = ("--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")

FIRST = 'ip link set lo up; "$@"'
"""First process of the PID namespace: waits for the command and adopts orphans."""

TRIAL = """
ip link set lo up
ip link add trial0 type bridge
ip link add trial1 type veth peer name trial2
mkdir lower upper work merged
mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work merged
unshare --mount --pid --fork --kill-child --mount-proc true
"""


def check() -> None:
    """Raises SetupError that says why this machine cannot run a node."""
    instead = "or install kind and start docker"
    if sys.platform != "linux":
        raise SetupError(f"a node of our own needs Linux and this is {sys.platform}: use a Linux machine, {instead}")
    if os.geteuid() != 0:
        raise SetupError(f"a node of our own needs root, and this is user {os.geteuid()}: use sudo, {instead}")
    system_packages.ensure(PROGRAMS, why="a node of our own")
    with tempfile.TemporaryDirectory(prefix="seatpool-e2e-trial-") as directory:
        trial = subprocess.run(
            ["unshare", *NAMESPACES, "sh", "-ec", TRIAL], cwd=directory, capture_output=True, text=True, check=False
        )
    if trial.returncode:
        raise SetupError(
            f"this machine lets root make no namespaces with a bridge and an overlay mount ({trial.stderr.strip()}): "
            f"a container needs --privileged for it; use another machine, {instead}"
        )


def run(command: Sequence[str | Path], *, environ: Mapping[str, str], cwd: Path) -> int:
    """Runs the command in its own part of the machine, removes everything, and returns the exit code."""
    from tests.e2e_node.cluster import cgroups

    directory = Path(tempfile.mkdtemp(prefix="seatpool-e2e-"))
    cgroup = f"/{directory.name}"
    told = {
        "SEATPOOL_E2E_CGROUP": cgroup,
        "SEATPOOL_E2E_DIRECTORY": str(directory),
        "SEATPOOL_E2E_NETWORK_PLUGINS": str(Path(system_packages.find("host-local") or "").parent),
    }
    try:
        with Lifeline() as lifeline:
            child = lifeline.start(
                ["unshare", *NAMESPACES, "sh", "-c", FIRST, "sh", *command], environ={**environ, **told}, cwd=cwd
            )
            return child.wait()
    finally:
        cgroups.await_empty(cgroup)
        cgroups.remove(cgroup)
        shutil.rmtree(directory)
