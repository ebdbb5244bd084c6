"""The control plane that all integration tests stand on."""

import json
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.waiting import wait_until

from seatpool.sim.controlplane import ControlPlane, ControlPlaneError, KubectlError

OWNER_OF_ANOTHER_ONE = """
import sys
from pathlib import Path
from seatpool.sim.controlplane import ControlPlane

plane = ControlPlane(directory=Path(sys.argv[1]))
plane.start()
plane.kubectl("create", "namespace", "only-here")
print(plane.url, flush=True)
sys.stdin.read()
"""


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1)
    except urllib.error.URLError as error:
        return not isinstance(error.reason, ConnectionRefusedError)
    return True


def test_an_object_that_is_applied_can_be_read_back(control_plane: ControlPlane, namespace: str) -> None:
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
    control_plane.kubectl("apply", "--namespace", namespace, "--filename=-", input=json.dumps(manifest))
    assert control_plane.kubectl("get", "configmap", "a", "-n", namespace, "-o", "jsonpath={.data.k}") == "v"


def test_what_kubectl_refuses_is_an_error_with_its_own_words(control_plane: ControlPlane) -> None:
    with pytest.raises(KubectlError, match=r'namespaces "absent" not found'):
        control_plane.kubectl("get", "namespace", "absent")


def test_a_service_account_may_do_what_rbac_gives_it_and_nothing_else(
    control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("create", "serviceaccount", "reader", "-n", namespace)
    kubeconfig = control_plane.kubeconfig_for_service_account(namespace, "reader")
    with pytest.raises(KubectlError, match=f"system:serviceaccount:{namespace}:reader.*cannot list"):
        control_plane.kubectl("get", "configmaps", "--kubeconfig", kubeconfig)
    control_plane.kubectl("create", "role", "reader", "--verb=list", "--resource=configmaps", "-n", namespace)
    control_plane.kubectl(
        "create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader", "-n", namespace
    )
    control_plane.kubectl("get", "configmaps", "--kubeconfig", kubeconfig)
    with pytest.raises(KubectlError, match="cannot list resource"):
        control_plane.kubectl("get", "secrets", "--kubeconfig", kubeconfig)


def test_a_killed_api_server_comes_back_at_the_same_address_with_its_objects() -> None:
    with ControlPlane() as plane:
        plane.kubectl("create", "serviceaccount", "kept")
        kubeconfig = plane.kubeconfig_for_service_account("default", "kept")
        plane.kill_apiserver()
        assert not answers(plane.url)
        with pytest.raises(KubectlError, match="refused"):
            plane.kubectl("get", "serviceaccount", "kept")
        plane.start_apiserver()
        assert "system:serviceaccount:default:kept" in plane.kubectl("auth", "whoami", "--kubeconfig", kubeconfig)


def test_a_second_one_runs_beside_the_first_and_ends_with_its_killed_owner(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER_OF_ANOTHER_ONE, tmp_path / "data"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        assert url != control_plane.url
        assert answers(url)
        assert "only-here" not in control_plane.kubectl("get", "namespaces", "-o", "name")
    finally:
        owner.kill()
        owner.communicate()
    wait_until(lambda: not answers(url), what="the API server has ended")
    assert answers(control_plane.url)
    shutil.rmtree(tmp_path / "data")  # etcd reserves 64 MB for each of its logs


def test_missing_programs_are_named_with_the_way_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("SEATPOOL_CACHE", str(tmp_path))
    with pytest.raises(ControlPlaneError, match="run make bootstrap"):
        ControlPlane().start()


def test_a_program_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    for name in ("etcd", "kube-apiserver", "kubectl"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} has no memory left\nexit 3\n")
        (tmp_path / name).chmod(0o755)
    with pytest.raises(ControlPlaneError, match=r"ended with code 3:\n.*has no memory left"):
        ControlPlane(programs=tmp_path).start()
