"""A node of a cluster without any engine: containerd and the kubelet in namespaces of their own.

Ending the first process of its PID namespace is the power cut: the kernel ends everything in it, with no time to say
anything, and takes the mounts and the pods' networks along. What these programs keep at fixed places of the system
(/run, /var/log, /var/lib/kubelet) is covered by folders of ours, which only they see. So are the settings of the kernel
that the kubelet would change for the whole machine: it changes files of ours.
"""

import shutil
import subprocess
import time
from pathlib import Path

from tests.e2e_node.cluster import cgroups, node_settings
from tests.e2e_node.cluster.node_settings import NODE, POD_NETWORK, NodePlaces

from seatpool.sim.lifeline import Lifeline

__all__ = ["OwnNode", "OwnNodeError"]

START = """
set -e
mount -t tmpfs tmpfs /run
mount --bind "$disk/log" /var/log
[ -d /var/lib/kubelet ] || { mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/kubelet; }
mount --bind "$disk/kubelet" /var/lib/kubelet
for setting in kernel/panic kernel/panic_on_oops kernel/keys/root_maxbytes kernel/keys/root_maxkeys \
    vm/overcommit_memory vm/panic_on_oom; do
    cat "/proc/sys/$setting" >"$disk/kernel/${setting##*/}"
    mount --bind "$disk/kernel/${setting##*/}" "/proc/sys/$setting"
done
rm -rf "$memory"
mkdir "$memory"
containerd --config "$settings/containerd.toml" >>"$logs/containerd.log" 2>&1 &
until ctr --address "$memory/containerd.sock" version >/dev/null 2>&1; do
    kill -0 $!
    sleep 0.05
done
"$disk/bin/kubelet" --config "$settings/kubelet.json" --kubeconfig "$kubeconfig" --root-dir "$disk/kubelet" \
    --hostname-override "$node" --node-ip "$address" >>"$logs/kubelet.log" 2>&1 &
wait
"""


class OwnNodeError(Exception):
    """The node does not start; the message has the end of its logs."""


class OwnNode:
    """One node, off until `power_on`."""

    def __init__(self, places: NodePlaces, *, kubeconfig: Path, kubelet: Path, lifeline: Lifeline) -> None:
        self._places = places
        self._lifeline = lifeline
        self._first: subprocess.Popen[bytes] | None = None
        for folder in ("bin", "containerd", "kernel", "kubelet", "log"):
            (places.disk / folder).mkdir(parents=True)
        shutil.copy(kubelet, places.disk / "bin")  # where it came from may be covered
        places.network_settings.mkdir(parents=True)
        (places.settings / "containerd.toml").write_text(node_settings.containerd(places))
        (places.settings / "kubelet.json").write_text(node_settings.kubelet(places))
        (places.network_settings / "10-pods.conflist").write_text(node_settings.network(places))
        self._environ = {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "address": f"{POD_NETWORK}.1",
            "disk": str(places.disk),
            "kubeconfig": str(kubeconfig),
            "logs": str(places.directory),
            "memory": str(places.memory),
            "node": NODE,
            "settings": str(places.settings),
        }

    def power_on(self, *, seconds: float = 60.0) -> None:
        """Return when containers can be started."""
        namespaces = ("--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
        with (self._places.directory / "node.log").open("ab") as log:
            self._first = self._lifeline.start(
                ["unshare", *namespaces, "sh", "-c", START], environ=self._environ, output=log
            )
        deadline = time.monotonic() + seconds
        while self._ctr("version").returncode:
            if self._first.poll() is not None or time.monotonic() > deadline:
                raise OwnNodeError(f"containerd is not there after {seconds:g} s:\n{self.told()}")
            time.sleep(0.05)

    def cut_power(self) -> None:
        """kill -9 of everything at once; the cgroups go too, as they would with the kernel's memory."""
        if self._first is not None:
            self._lifeline.end(self._first)
            self._first = None
        cgroups.await_empty(self._places.cgroup)
        cgroups.remove(self._places.cgroup)

    def load_image(self, archive: Path) -> None:
        done = self._ctr("--namespace", "k8s.io", "images", "import", str(archive))
        if done.returncode:
            raise OwnNodeError(f"{archive} cannot be imported: {done.stderr.strip()}\n{self.told()}")

    def told(self) -> str:
        """The ends of its logs."""
        parts = []
        for name in ("node", "containerd", "kubelet"):
            log = self._places.directory / f"{name}.log"
            lines = log.read_text(errors="replace").splitlines()[-40:] if log.exists() else []
            parts.append("\n".join([f"--- {log.name}", *lines]))
        return "\n".join(parts)

    def _ctr(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        command = ["ctr", "--address", str(self._places.socket), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
