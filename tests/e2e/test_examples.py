"""What ships in examples/ is what a real API server, and the operator's own settings, take."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from seatpool.settings import load_settings
from seatpool.sim.controlplane import ControlPlane

EXAMPLES = Path(__file__).parents[2] / "examples"
INSTALL = EXAMPLES / "install"
ACCOUNT = "system:serviceaccount:seatpool:seatpool"


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
    assert sorted(name.rpartition("/")[2] for name in listed) == ["cad", "license-server", "matlab", "seatpool", "simulation"]


def test_the_settings_in_the_config_map_are_settings(tmp_path: Path) -> None:
    config = documents(INSTALL / "deployment.yaml")[0]
    file = tmp_path / "settings.yaml"
    file.write_text(config["data"]["settings.yaml"])
    assert load_settings(file=file).mirror.accounts[0].account == "111122223333"


def test_the_deployment_runs_as_the_service_account_of_the_rights() -> None:
    pod = documents(INSTALL / "deployment.yaml")[1]["spec"]["template"]["spec"]
    account = documents(INSTALL / "rbac.yaml")[0]["metadata"]["name"]
    (mount,) = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "settings"]
    assert pod["serviceAccountName"] == account
    assert pod["containers"][0]["args"] == ["run", "--config", f"{mount['mountPath']}/settings.yaml"]


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
    ],
)
def test_the_operator_may_not_do_what_it_does_not_need(installed: ControlPlane, verb: str, resource: str) -> None:
    assert not may(installed, verb, resource)


def test_the_operator_may_do_what_it_does(installed: ControlPlane) -> None:
    needed = [
        ("watch", "workbenches"), ("create", "workbenches"), ("delete", "workbenches"),
        ("patch", "workbenches/status"), ("patch", "licensepools/status"), ("patch", "licenseservers/status"),
        ("update", "seatledgers"), ("create", "events"), ("get", "namespaces/kube-system"),
    ]  # fmt: skip
    assert [pair for pair in needed if not may(installed, *pair)] == []


def may(plane: ControlPlane, verb: str, resource: str) -> bool:
    """Whether the ServiceAccount has the right, by the API server's own word."""
    plural, _, rest = resource.partition("/")
    of_ours = plural in {"licensepools", "licenseservers", "workbenches", "seatledgers"}
    attributes = {
        "verb": verb,
        "resource": plural,
        "namespace": "" if plural in {"namespaces", "customresourcedefinitions"} else "seatpool",
        "group": "seatpool.io" if of_ours else "apiextensions.k8s.io" if plural == "customresourcedefinitions" else "",
        "subresource" if rest == "status" else "name": rest,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": ACCOUNT, "groups": ["system:serviceaccounts"], "resourceAttributes": attributes},
    }
    answer = yaml.safe_load(plane.kubectl("create", "-f", "-", "-o", "yaml", input=yaml.safe_dump(review)))
    return bool(answer["status"]["allowed"])
