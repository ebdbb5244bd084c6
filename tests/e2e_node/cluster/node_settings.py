"""The settings of a node's programs, made for a node that shares a machine and must leave no trace on it.

- All state is below one folder; what the programs insist on keeping elsewhere is covered by `OwnNode`.
- Containers get cgroups below one of our own, which whoever cleans up knows by name. Without the usual tree of quality
  classes the kubelet needs none of the rights over the machine's other cgroups.
- No process may become less killable than its parent where CAP_SYS_RESOURCE is missing; containerd would ask for it, and
  every sandbox would die of the refusal.
"""

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NODE", "NodePlaces", "containerd", "kubelet", "network"]

NODE = "seatpool-e2e"
BRIDGE = "seatpool0"
POD_NETWORK = "10.244.0"
"""The first three numbers; .1 is the node's own address. It is seen in the node's network namespace alone."""

PAUSE_IMAGE = "localhost/seatpool-pause:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NodePlaces:
    """Where a node keeps what; `disk` outlives a power cut and `memory` does not."""

    directory: Path
    cgroup: str
    network_plugins: Path

    @property
    def disk(self) -> Path:
        return self.directory / "disk"

    @property
    def memory(self) -> Path:
        return self.directory / "memory"

    @property
    def settings(self) -> Path:
        return self.directory / "settings"

    @property
    def network_settings(self) -> Path:
        return self.settings / "net.d"

    @property
    def socket(self) -> Path:
        return self.memory / "containerd.sock"


def containerd(places: NodePlaces) -> str:
    """config.toml of containerd 1.6 and newer 1.x."""
    return f"""\
version = 2
root = "{places.disk}/containerd"
state = "{places.memory}/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]

[grpc]
address = "{places.socket}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
restrict_oom_score_adj = true
disable_apparmor = true
netns_mounts_under_state_dir = true

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{places.network_plugins}"
conf_dir = "{places.network_settings}"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
"""


def kubelet(places: NodePlaces) -> str:
    """A KubeletConfiguration; JSON is YAML."""
    settings = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": f"{POD_NETWORK}.1",
        # Nobody else is in the node's network namespace.
        "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
        "authorization": {"mode": "AlwaysAllow"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": places.cgroup,
        "cgroupsPerQOS": False,
        "containerRuntimeEndpoint": f"unix://{places.socket}",
        "enforceNodeAllocatable": [],
        # A full disk of the machine is no reason to throw pods out.
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "makeIPTablesUtilChains": False,
        "podLogsDir": str(places.disk / "pod-logs"),
        "resolvConf": "",
        "volumePluginDir": str(places.disk / "volume-plugins"),
    }
    return json.dumps(settings, indent=2)


def network(places: NodePlaces) -> str:
    """Pods hang on a bridge; there is no way out of it, and nothing to be translated."""
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipMasq": False,
        "ipam": {
            "type": "host-local",
            "ranges": [[{"subnet": f"{POD_NETWORK}.0/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}],
            "dataDir": str(places.disk / "addresses"),
        },
    }
    return json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}, indent=2)
