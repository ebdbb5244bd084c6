"""What ships in examples/ is what a real API server, and the operator's own settings, take."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from seatpool.settings.settings import LeaderElectionSettings, load_settings
from seatpool.sim.controlplane import ControlPlane

EXAMPLES = Path(__file__).parents[2] / "examples"
INSTALL = EXAMPLES / "install"
ACCOUNT = "system:serviceaccount:seatpool:seatpool"
OURS = ("licensepools", "licenseservers", "workbenches", "seatledgers")
GROUPS = dict.fromkeys(OURS, "seatpool.io") | {
    "customresourcedefinitions": "apiextensions.k8s.io",
    "leases": "coordination.k8s.io",
}


@pytest.fixture(scope="module")
def installed(control_plane: ControlPlane) -> ControlPlane:
    """Everything in examples/ applied as the README says; no controller makes pods of it here."""
    for name in ("namespace.yaml", "rbac.yaml", "deployment.yaml"):
        control_plane.kubectl("apply", "--filename", INSTALL / name)
    for name in ("licenseserver.yaml", "licensepools.yaml"):
        control_plane.kubectl("apply", "--filename", EXAMPLES / name)
    return control_plane


def documents(path: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(path.read_text()))


def test_every_example_is_taken_as_it_is(installed: ControlPlane) -> None:
    listed = installed.kubectl("get", "deployments,licensepools,licenseservers", "-n", "seatpool", "-o", "name").split()
    assert sorted(name.rpartition("/")[2] for name in listed) == [
        "cad",
        "license-server",
        "matlab",
        "seatpool",
        "simulation",
    ]


def test_the_settings_in_the_config_map_are_settings(tmp_path: Path) -> None:
    config = documents(INSTALL / "deployment.yaml")[0]
    file = tmp_path / "settings.yaml"
    file.write_text(config["data"]["settings.yaml"])
    settings = load_settings(file=file)
    assert settings.mirror.accounts[0].account == "111122223333"
    assert settings.leader_election.enabled


def test_the_deployment_runs_as_the_service_account_of_the_rights() -> None:
    pod = documents(INSTALL / "deployment.yaml")[1]["spec"]["template"]["spec"]
    account = documents(INSTALL / "rbac.yaml")[0]["metadata"]["name"]
    (mount,) = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "settings"]
    assert pod["serviceAccountName"] == account
    assert pod["containers"][0]["args"] == ["run", "--config", f"{mount['mountPath']}/settings.yaml"]


def test_the_lease_that_the_replicas_share_is_the_one_that_they_may_renew() -> None:
    config, deployment = documents(INSTALL / "deployment.yaml")
    (role,) = [one for one in documents(INSTALL / "rbac.yaml") if one["kind"] == "Role"]
    named = yaml.safe_load(config["data"]["settings.yaml"])["leader_election"].get(
        "name", LeaderElectionSettings().name
    )
    assert role["rules"][0]["resourceNames"] == [named]
    assert role["metadata"]["namespace"] == deployment["metadata"]["namespace"], (
        "the Lease is in the pod's own namespace"
    )
    assert deployment["spec"]["replicas"] > 1
    assert "POD_NAME" in [one["name"] for one in deployment["spec"]["template"]["spec"]["containers"][0]["env"]]


@pytest.mark.parametrize(
    ("verb", "resource"),
    [
        ("create", "licensepools"),
        ("delete", "licensepools"),
        ("patch", "licenseservers"),
        ("delete", "licenseservers"),
        ("get", "secrets"),
        ("list", "pods"),
        ("create", "namespaces"),
        ("patch", "customresourcedefinitions"),
        ("get", "namespaces/default"),
        ("delete", "events"),
        ("update", "leases/another"),
        ("delete", "leases/seatpool"),
        ("list", "leases"),
    ],
)
def test_the_operator_may_not_do_what_it_does_not_need(installed: ControlPlane, verb: str, resource: str) -> None:
    assert not may(installed, verb, resource)


def test_the_operator_may_do_what_it_does(installed: ControlPlane) -> None:
    needed = [
        ("watch", "workbenches"), ("create", "workbenches"), ("delete", "workbenches"),
        ("patch", "workbenches/status"), ("patch", "licensepools/status"), ("patch", "licenseservers/status"),
        ("update", "seatledgers"), ("create", "events"), ("get", "namespaces/kube-system"),
        ("create", "leases"), ("get", "leases/seatpool"), ("update", "leases/seatpool"),
    ]  # fmt: skip
    assert [pair for pair in needed if not may(installed, *pair)] == []


def may(plane: ControlPlane, verb: str, resource: str) -> bool:
    """Whether the ServiceAccount has the right, by the API server's own word."""
    plural, _, rest = resource.partition("/")
    attributes = {
        "verb": verb,
        "resource": plural,
        "namespace": "" if plural in {"namespaces", "customresourcedefinitions"} else "seatpool",
        "group": GROUPS.get(plural, ""),
        "subresource" if rest == "status" else "name": rest,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": ACCOUNT, "groups": ["system:serviceaccounts"], "resourceAttributes": attributes},
    }
    answer = yaml.safe_load(plane.kubectl("create", "-f", "-", "-o", "yaml", input=yaml.safe_dump(review)))
    return bool(answer["status"]["allowed"])
