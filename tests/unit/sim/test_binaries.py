"""Where the programs of the control plane are looked for."""

import re
from pathlib import Path

from seatpool.sim import binaries

REPOSITORY = Path(__file__).resolve().parents[3]


def fill(directory: Path) -> Path:
    directory.mkdir(parents=True)
    for name in binaries.PROGRAMS:
        (directory / name).touch(mode=0o755)
    return directory


def test_the_versions_are_those_that_the_go_module_pins() -> None:
    pinned = dict(re.findall(r"^\t(\S+) v(\S+)$", (REPOSITORY / "tools/controlplane/go.mod").read_text(), re.MULTILINE))
    assert pinned["k8s.io/kubernetes"] == binaries.KUBERNETES_VERSION
    assert pinned["go.etcd.io/etcd/server/v3"] == binaries.ETCD_VERSION
    assert pinned["helm.sh/helm/v4"] == binaries.HELM_VERSION


def test_kubebuilder_assets_win_over_the_cache(tmp_path: Path) -> None:
    environ = {"SEATPOOL_CACHE": str(tmp_path / "cache"), "KUBEBUILDER_ASSETS": str(tmp_path / "assets")}
    fill(binaries.named_dir(environ))
    assert binaries.find(environ) == binaries.named_dir(environ)
    fill(tmp_path / "assets")
    assert binaries.find(environ) == tmp_path / "assets"


def test_a_folder_that_lacks_a_program_is_passed_over(tmp_path: Path) -> None:
    environ = {"SEATPOOL_CACHE": str(tmp_path / "cache"), "KUBEBUILDER_ASSETS": str(tmp_path / "assets")}
    (fill(tmp_path / "assets") / "kubectl").unlink()
    assert binaries.missing(tmp_path / "assets") == ("kubectl",)
    assert binaries.find(environ) is None


def test_helm_is_the_pinned_one_of_the_cache(tmp_path: Path) -> None:
    environ = {"SEATPOOL_CACHE": str(tmp_path), "PATH": str(tmp_path)}
    (tmp_path / "helm").touch(mode=0o755)
    assert binaries.find_helm(environ) is None
    binaries.helm_dir(environ).mkdir()
    (binaries.helm_dir(environ) / "helm").touch(mode=0o755)
    assert binaries.find_helm(environ) == binaries.helm_dir(environ) / "helm"
