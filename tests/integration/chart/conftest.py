"""The chart as Helm renders it, and as Helm installs it into a real API server that knows nothing of Seatpool yet."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from seatpool.sim import binaries
from seatpool.sim.aws import AwsProcess
from seatpool.sim.controlplane import ControlPlane

Body = dict[str, Any]
Values = Mapping[str, Any]
REPOSITORY = Path(__file__).resolve().parents[3]
CHART = REPOSITORY / "charts" / "seatpool"
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata", "userGroups": ["system:serviceaccounts"]}, {"level": "None"}],
}


DUAL_STACK = "10.0.0.0/24,fd00:5ea7::/112"
"""Addresses of Services of both families."""


class HelmError(Exception):
    """Helm refused; the message is its own."""


@dataclass(frozen=True)
class Helm:
    """The pinned helm, with no settings of this machine's user."""

    program: Path
    home: Path

    def run(self, *arguments: str | Path, values: Values | None = None, kubeconfig: Path | None = None) -> str:
        """What helm printed on its standard output."""
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "HELM_CACHE_HOME": str(self.home / "cache"),
            "HELM_CONFIG_HOME": str(self.home / "config"),
            "HELM_DATA_HOME": str(self.home / "data"),
            "KUBECONFIG": str(kubeconfig or self.home / "none"),
        }
        given = ["--values=-"] if values is not None else []
        done = subprocess.run(
            [self.program, *arguments, *given],
            env=environ,
            input=json.dumps(dict(values or {}), ensure_ascii=False),  # parsers of YAML differ in what is a boolean
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise HelmError(done.stderr.strip())
        return done.stdout

    def template(self, values: Values | None = None, *, namespace: str = "seatpool") -> list[Body]:
        """All objects for these values, those of `helm test` too."""
        text = self.run("template", "seatpool", CHART, "--namespace", namespace, values=values or {})
        return [found for found in yaml.safe_load_all(text) if found]


@dataclass(frozen=True)
class Cluster:
    """A real API server without our CRDs, Helm for it, and a record of what service accounts ask it for."""

    plane: ControlPlane
    helm: Helm
    audit_log: Path

    def install(self, namespace: str, *flags: str, chart: Path = CHART, values: Values | None = None) -> str:
        return self._release("install", namespace, *flags, chart=chart, values=values)

    def upgrade(self, namespace: str, *flags: str, chart: Path = CHART, values: Values | None = None) -> str:
        return self._release("upgrade", namespace, *flags, chart=chart, values=values)

    def uninstall(self, namespace: str) -> str:
        return self.helm.run("uninstall", "seatpool", "--namespace", namespace, kubeconfig=self.plane.kubeconfig)

    def get(self, *arguments: str) -> Body:
        found: Body = json.loads(self.plane.kubectl("get", *arguments, "--output=json"))
        return found

    def clean(self) -> None:
        """No release, no CRD: as it was."""
        listed = json.loads(self.helm.run("list", "-A", "--output=json", kubeconfig=self.plane.kubeconfig))
        for release in listed:
            self.uninstall(release["namespace"])
        self.plane.delete_crds()

    def _release(self, verb: str, namespace: str, *flags: str, chart: Path, values: Values | None) -> str:
        return self.helm.run(
            verb,
            "seatpool",
            chart,
            "--namespace",
            namespace,
            *flags,
            values=values or {},
            kubeconfig=self.plane.kubeconfig,
        )


def only(objects: Sequence[Body], kind: str, name: str | None = None) -> Body:
    """The one object of this kind and name."""
    found = [one for one in objects if one["kind"] == kind and name in (None, one["metadata"]["name"])]
    assert len(found) == 1, f"{len(found)} of {kind} {name or ''}"
    return found[0]


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    program = binaries.find_helm()
    assert program is not None, f"no helm in {binaries.helm_dir()}: run make bootstrap"
    return Helm(program, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def bare_cluster(tmp_path_factory: pytest.TempPathFactory, helm: Helm) -> Iterator[Cluster]:
    home = tmp_path_factory.mktemp("cluster")
    policy, log = home / "audit.yaml", home / "audit.log"
    policy.write_text(yaml.safe_dump(AUDIT_POLICY))
    flags = [f"--audit-policy-file={policy}", f"--audit-log-path={log}", f"--service-cluster-ip-range={DUAL_STACK}"]
    with ControlPlane(apiserver_flags=flags) as plane:
        yield Cluster(plane, helm, log)


@pytest.fixture
def cluster(bare_cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, for one test."""
    yield bare_cluster
    bare_cluster.clean()


@pytest.fixture(scope="session")
def aws_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AwsProcess]:
    with AwsProcess(tmp_path_factory.mktemp("aws")) as aws:
        yield aws
