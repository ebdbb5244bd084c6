"""Install, upgrade and uninstall by the real Helm: what happens to the CRDs, and to what people made of them."""

import re
import secrets
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.chart.conftest import CHART, Cluster, HelmError

from seatpool.api.crd import RESOURCES
from seatpool.sim.controlplane import KubectlError

NAMES = sorted(f"{resource.plural}.seatpool.io" for resource in RESOURCES)
POOL = "licensepools.seatpool.io"
NEWER_FIELD = "readmitAfter"
TAKE_OVER = ("--take-ownership", "--force-conflicts")


@pytest.fixture
def place(cluster: Cluster) -> str:
    """A namespace of the test's own."""
    name = f"chart-{secrets.token_hex(3)}"
    cluster.plane.kubectl("create", "namespace", name)
    return name


@pytest.fixture
def older_crds(tmp_path: Path) -> Path:
    """CRDs of a version that did not know one field of pools yet."""
    folder = tmp_path / "older-crds"
    shutil.copytree(CHART / "files" / "crds", folder)
    path = folder / "seatpool.io_licensepools.yaml"
    crd = yaml.safe_load(path.read_text())
    del properties(crd)[NEWER_FIELD]
    path.write_text(yaml.safe_dump(crd, sort_keys=False))
    return folder


@pytest.fixture
def older_chart(tmp_path: Path, older_crds: Path) -> Path:
    chart = tmp_path / "older-chart"
    shutil.copytree(CHART, chart)
    shutil.copytree(older_crds, chart / "files" / "crds", dirs_exist_ok=True)
    return chart


def properties(crd: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    return found


def knows_the_newer_field(cluster: Cluster) -> bool:
    return NEWER_FIELD in properties(cluster.get("crd", POOL))


def crds(cluster: Cluster) -> list[str]:
    return sorted(one["metadata"]["name"] for one in cluster.get("crd")["items"])


def make_pool(cluster: Cluster, namespace: str) -> None:
    spec = {"serverRef": {"name": "licenses"}, "product": "matlab", "seats": 2, "workbenchTypes": ["vew-*"]}
    pool = {"apiVersion": "seatpool.io/v1alpha1", "kind": "LicensePool", "metadata": {"name": "matlab"}, "spec": spec}
    cluster.plane.kubectl("wait", "--for=condition=Established", f"crd/{POOL}")
    cluster.plane.kubectl("apply", "--server-side", "-n", namespace, "-f", "-", input=yaml.safe_dump(pool))


def set_newer_field(cluster: Cluster, namespace: str) -> str | None:
    """What the pool has of it afterwards."""
    patch = f'{{"spec": {{"{NEWER_FIELD}": "24h"}}}}'
    cluster.plane.kubectl("patch", "licensepool", "matlab", "-n", namespace, "--type=merge", "-p", patch)
    found: str | None = cluster.get("licensepool", "matlab", "-n", namespace)["spec"].get(NEWER_FIELD)
    return found


def test_an_upgrade_brings_the_newer_schema_and_keeps_the_pools(
    cluster: Cluster, place: str, older_chart: Path
) -> None:
    cluster.install(place, chart=older_chart)
    make_pool(cluster, place)
    assert set_newer_field(cluster, place) is None  # dropped without a word: what an outdated CRD does
    cluster.upgrade(place)
    assert knows_the_newer_field(cluster)
    assert set_newer_field(cluster, place) == "24h"


def test_uninstalling_leaves_crds_and_pools_and_nothing_else(cluster: Cluster, place: str) -> None:
    cluster.install(place)
    make_pool(cluster, place)
    assert "These resources were kept" in cluster.uninstall(place)
    assert crds(cluster) == NAMES
    assert cluster.get("licensepool", "matlab", "-n", place)["spec"]["seats"] == 2
    left = cluster.get("all,sa,role,rolebinding,configmap,pdb,secret", "-n", place)["items"]
    assert [(one["kind"], one["metadata"]["name"]) for one in left] == []
    assert "seatpool" not in cluster.plane.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
    cluster.install(place)  # and it can come back to them
    assert cluster.get("licensepool", "matlab", "-n", place)["spec"]["seats"] == 2


def test_crds_that_nobody_wants_to_keep_go_with_the_release(cluster: Cluster, place: str) -> None:
    cluster.install(place, values={"crds": {"keep": False}})
    assert crds(cluster) == NAMES
    cluster.plane.until_served(NAMES)
    assert "These resources were kept" not in cluster.uninstall(place)
    cluster.plane.kubectl("wait", "--for=delete", "--timeout=30s", *(f"crd/{name}" for name in NAMES))


def test_crds_applied_by_hand_are_refused_first_and_adopted_when_told_so(
    cluster: Cluster, place: str, older_crds: Path
) -> None:
    cluster.plane.kubectl("apply", "--server-side", "-f", older_crds)
    make_pool(cluster, place)
    with pytest.raises(HelmError, match="invalid ownership metadata"):
        cluster.install(place)
    cluster.install(place, *TAKE_OVER)
    assert knows_the_newer_field(cluster)
    assert cluster.get("licensepool", "matlab", "-n", place)["spec"]["seats"] == 2
    cluster.upgrade(place)  # from now on without a flag


def test_crds_applied_by_hand_that_are_equal_need_the_flags_once_more_at_the_next_change(
    cluster: Cluster, place: str, older_crds: Path, older_chart: Path
) -> None:
    cluster.plane.kubectl("apply", "--server-side", "-f", older_crds)
    cluster.install(place, "--take-ownership", chart=older_chart)  # no conflict yet, so kubectl keeps its share
    with pytest.raises(HelmError, match=r'conflict with "kubectl": \.spec\.versions'):
        cluster.upgrade(place)
    cluster.upgrade(place, "--force-conflicts")
    assert knows_the_newer_field(cluster)
    cluster.upgrade(place, chart=older_chart)


def test_crds_of_a_release_of_another_name_change_hands(cluster: Cluster, place: str) -> None:
    cluster.install(place)
    cluster.uninstall(place)
    other = f"{place}-other"
    cluster.plane.kubectl("create", "namespace", other)
    with pytest.raises(HelmError, match=r'"meta\.helm\.sh/release-namespace" must equal'):
        cluster.install(other)
    cluster.install(other, "--take-ownership")
    assert cluster.get("crd", POOL)["metadata"]["annotations"]["meta.helm.sh/release-namespace"] == other


def test_without_crds_the_release_needs_no_right_to_them(cluster: Cluster, place: str) -> None:
    """What a team may do that gets its CRDs from somebody else and may only write to its own namespace."""
    kubectl, who = cluster.plane.kubectl, f"--serviceaccount={place}:team"
    kubectl("create", "serviceaccount", "team", "-n", place)
    for part in ("admin", "edit", "view"):  # the parts of `admin`, which nothing puts together here
        kubectl("create", "rolebinding", part, f"--clusterrole=system:aggregate-to-{part}", who, "-n", place)
    # RBAC lets nobody give away what he does not have.
    ours = "--resource=*.seatpool.io,*.seatpool.io/status,events,leases.coordination.k8s.io"
    kubectl("create", "role", "team", "--verb=*", ours, "-n", place)
    kubectl("create", "rolebinding", "team", "--role=team", who, "-n", place)
    kubeconfig = cluster.plane.kubeconfig_for_service_account(place, "team")
    values = {"crds": {"install": False}, "watchNamespaces": [place], "config": {"installation": "team"}}
    cluster.helm.run("install", "seatpool", CHART, "-n", place, values=values, kubeconfig=kubeconfig)
    assert cluster.get("deployment", "seatpool", "-n", place)["spec"]["replicas"] == 2
    with pytest.raises(KubectlError, match="forbidden"):
        cluster.plane.kubectl("get", "crd", "--kubeconfig", kubeconfig)


@pytest.mark.parametrize(
    ("service", "families"),
    [
        ({}, ["IPv4"]),
        ({"ipFamilies": ["IPv6"]}, ["IPv6"]),
        ({"ipFamilyPolicy": "PreferDualStack"}, ["IPv4", "IPv6"]),
        ({"ipFamilyPolicy": "RequireDualStack", "ipFamilies": ["IPv6", "IPv4"]}, ["IPv6", "IPv4"]),
    ],
)
def test_the_service_has_addresses_of_the_families_that_are_asked_for(
    cluster: Cluster, place: str, service: dict[str, Any], families: list[str]
) -> None:
    cluster.install(place, values={"service": service, "crds": {"install": False}})
    spec = cluster.get("service", "seatpool", "-n", place)["spec"]
    assert spec["ipFamilies"] == families
    assert [("IPv6" if ":" in address else "IPv4") for address in spec["clusterIPs"]] == families


def test_the_notes_name_what_comes_next_and_what_is_missing(cluster: Cluster, place: str) -> None:
    said = cluster.install(place)
    assert "NO QUEUE IS SET (config.mirror.queue)" in said
    assert re.search(rf"helm test seatpool -n {place}", said)
    said = cluster.upgrade(place, values={"config": {"mirror": {"queue": "events", "region": "eu-central-1"}}})
    assert "NO QUEUE" not in said


def test_the_notes_name_what_leads_nowhere(cluster: Cluster, place: str) -> None:
    alerts = {
        "crds": {"install": False},
        "monitoring": {"prometheusRule": {"runbookUrl": "https://wiki.example/runbook"}},
    }
    said = cluster.install(place, values=alerts | {"image": {"registry": "registry.example"}})
    assert "NO REGISTRY" not in said
    assert "ALERTS LINK" not in said
    flags = ("--dry-run=client", "--set", "monitoring.prometheusRule.enabled=true")
    said = cluster.helm.run("install", "other", CHART, *flags)
    assert "NO REGISTRY IS SET (image.registry): nodes look for seatpool:0.1.0" in said
    assert "ALERTS LINK TO docs/runbook.md" in said


def test_the_notes_tell_how_to_change_a_document_that_is_there(cluster: Cluster, place: str) -> None:
    said = cluster.install(place)
    create, update, make_default = (said.index(f"aws ssm {verb}") for verb in (
        "create-document", "update-document", "update-document-default-version"))  # fmt: skip
    assert create < update < make_default
