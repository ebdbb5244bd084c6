"""Locates the programs of a real control plane on this machine.

`tools/bootstrap.py` fills the cache folder and `seatpool.sim.controlplane` starts the programs in it. Both use this
module, so they cannot look in different places. The bootstrap runs before any dependency is installed, so this is
standard library only.
"""

import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path

__all__ = [
    "ETCD_VERSION",
    "HELM_VERSION",
    "KUBERNETES_VERSION",
    "NODE_PROGRAMS",
    "PROGRAMS",
    "cache_dir",
    "find",
    "find_helm",
    "find_node",
    "helm_dir",
    "missing",
    "named_dir",
    "node_dir",
    "target",
]

KUBERNETES_VERSION = "1.37.2"
"""Also pinned in tools/controlplane/go.mod. A test keeps the two equal."""

ETCD_VERSION = "3.7.3"

HELM_VERSION = "4.3.1"

PROGRAMS = ("etcd", "kube-apiserver", "kubectl")

NODE_PROGRAMS = ("kube-controller-manager", "kube-scheduler", "kubelet", "pause")

_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def target() -> str:
    """Returns this machine in the words of Go releases, such as `linux-amd64`."""
    machine = platform.machine().lower()
    return f"{sys.platform}-{_ARCHITECTURES.get(machine, machine)}"


def cache_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Returns the folder that outlives clones: $SEATPOOL_CACHE, else seatpool under $XDG_CACHE_HOME or ~/.cache."""
    if chosen := environ.get("SEATPOOL_CACHE"):
        return Path(chosen).expanduser().absolute()
    if base := environ.get("XDG_CACHE_HOME"):
        return Path(base) / "seatpool"
    return Path.home() / ".cache" / "seatpool"


def named_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Returns the cache folder of exactly these versions for this machine."""
    return cache_dir(environ) / f"controlplane-v{KUBERNETES_VERSION}-etcd-v{ETCD_VERSION}-{target()}"


def missing(directory: Path) -> tuple[str, ...]:
    """Returns the programs that `directory` lacks."""
    return tuple(name for name in PROGRAMS if not os.access(directory / name, os.X_OK))


def find(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Returns the first folder that holds all programs: $KUBEBUILDER_ASSETS (the envtest convention), else the cache."""
    candidates = [named_dir(environ)]
    if assets := environ.get("KUBEBUILDER_ASSETS"):
        candidates.insert(0, Path(assets).expanduser().absolute())
    return next((directory for directory in candidates if not missing(directory)), None)


def helm_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Returns Helm's cache folder. It is separate, so that a new Helm does not build the API server again."""
    return cache_dir(environ) / f"helm-v{HELM_VERSION}-{target()}"


def find_helm(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Returns the pinned helm in the cache. A helm on PATH may be of any version and is not used."""
    helm = helm_dir(environ) / "helm"
    return helm if os.access(helm, os.X_OK) else None


def node_dir(environ: Mapping[str, str] = os.environ) -> Path:
    """Returns the cache folder of kubelet, kube-controller-manager, kube-scheduler and the pause program."""
    return cache_dir(environ) / f"node-v{KUBERNETES_VERSION}-{target()}"


def find_node(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Returns that folder if it holds all of them, else None."""
    home = node_dir(environ)
    return home if all(os.access(home / name, os.X_OK) for name in NODE_PROGRAMS) else None
