"""Provides etcd, kube-apiserver and kubectl, ready-made if there are any, else built here. Helm is always built.

The order is from fast to slow: $KUBEBUILDER_ASSETS, the cache, a download as envtest does it, and a build from the
pinned Go module, which takes minutes.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from envtest_download import download
from progress import SetupError, run, say
from whole import exclusive, folder

from seatpool.sim import binaries

GO_NEEDED = (1, 26)

PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
}

HELM = {"helm": "helm.sh/helm/v4/cmd/helm"}

NODE = {
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "pause": "seatpool.io/tools/pause",
}


def ensure(module: Path) -> Path:
    """Returns the folder with all programs. `module` is the Go module that pins them."""
    if ready := binaries.find():
        return ready
    if assets := os.environ.get("KUBEBUILDER_ASSETS"):
        lacking = ", ".join(binaries.missing(Path(assets).expanduser().absolute()))
        say(f"KUBEBUILDER_ASSETS={assets} has no executable {lacking}; going on without it")
    home = binaries.named_dir()
    with exclusive(home.name, cache=home.parent):
        if not binaries.missing(home):
            return home
        with folder(home) as partial:
            if not download(partial):
                build(module, partial)
    say(f"control plane in {home}")
    return home


def ensure_helm(module: Path) -> Path:
    """Returns the helm that `module` pins. It is built if the cache has none."""
    home = binaries.helm_dir()
    with exclusive(home.name, cache=home.parent):
        if not binaries.find_helm():
            with folder(home) as partial:
                say("building helm: about 3 minutes on 2 cores, once for each version")
                compile_all(HELM, module=module, into=partial)
    return home / "helm"


def ensure_node(module: Path) -> Path:
    """Returns the folder with the programs of a node, which run pods. Only `make e2e` needs it."""
    home = binaries.node_dir()
    with exclusive(home.name, cache=home.parent):
        if not binaries.find_node():
            with folder(home) as partial:
                say("building the programs of a node: 2 to 5 minutes on 2 cores, once for each version")
                compile_all(NODE, module=module, into=partial)
    return home


def build(module: Path, into: Path) -> None:
    """Builds the control plane from the pinned module."""
    say("building the control plane: about 5 minutes on 2 cores, once for each version")
    compile_all(PACKAGES, module=module, into=into)


def compile_all(packages: Mapping[str, str], *, module: Path, into: Path) -> None:
    """Builds these programs from the pinned module. Needs Go, and git for modules that no proxy has."""
    environ = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off"}
    check_toolchain(module, environ)
    for number, (program, package) in enumerate(packages.items(), 1):
        run(
            f"go build {program} ({number} of {len(packages)})",
            ["go", "build", "-trimpath", "-buildvcs=false", "-ldflags", linker_flags(), "-o", into / program, package],
            cwd=module,
            environ=environ,
        )


def linker_flags() -> str:
    """Returns the version flags. Without them kube-apiserver takes itself for v0.0.0, and clients refuse it."""
    major, minor, _ = binaries.KUBERNETES_VERSION.split(".")
    stamped = {"gitVersion": f"v{binaries.KUBERNETES_VERSION}", "gitMajor": major, "gitMinor": minor}
    variables = [f"-X k8s.io/component-base/version.{name}={value}" for name, value in stamped.items()]
    variables.append(f"-X helm.sh/helm/v4/internal/version.version=v{binaries.HELM_VERSION}")
    return " ".join(["-s", "-w", *variables])


def check_toolchain(module: Path, environ: dict[str, str]) -> None:
    """Raises SetupError if Go or git is missing, or if Go is too old and does not fetch a newer one."""
    needed = ".".join(map(str, GO_NEEDED))
    instead = f"or set KUBEBUILDER_ASSETS to a folder with ready {', '.join(PACKAGES)}"
    advice = {"go": f"install Go {needed} or newer (https://go.dev/dl/), {instead}", "git": f"install git, {instead}"}
    for program in advice:
        if not shutil.which(program, path=environ.get("PATH")):
            raise SetupError(f"building the control plane needs {program}, which is not on PATH: {advice[program]}")
    found = subprocess.run(
        ["go", "env", "GOVERSION"], cwd=module, env=environ, capture_output=True, text=True, check=False
    )
    version = re.match(r"go(\d+)\.(\d+)", found.stdout)
    if found.returncode or not version or (int(version[1]), int(version[2])) < GO_NEEDED:
        raise SetupError(f"Go is too old or broken ({(found.stdout + found.stderr).strip()}): {advice['go']}")
