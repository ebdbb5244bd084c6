"""The HTTP API as the chart installs it: its own ServiceAccount and roles, on the real API server."""

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.chart.conftest import Body, Cluster, Helm, HelmError, only
from tests.integration.chart.test_admission import accept, restricted  # noqa: F401
from tests.integration.chart.test_every_value import GATEWAY
from tests.integration.cli.conftest import Board
from tests.integration.web.conftest import AUDIENCE, Site, machine, start
from tests.waiting import wait_until

from seatpool.history.config import HistoryConfig
from seatpool.settings.settings import Settings, load_settings
from seatpool.sim.controlplane import ControlPlane

Right = tuple[str, str, str]
ON = {"web": {"enabled": True}}
EVERYTHING: Body = {
    "web": {
        "enabled": True,
        "keys": {"enabled": True},
        "tls": {"secretName": "tls"},
        "ingress": {"enabled": True, "hosts": ["seats.example.com"]},
        "httpRoute": {"enabled": True, "parentRefs": [{"name": "public"}]},
    },
    "networkPolicy": {"enabled": True},
}
REVIEWS: set[Right] = {
    ("authentication.k8s.io", "tokenreviews", "create"),
    ("authorization.k8s.io", "subjectaccessreviews", "create"),
    ("authorization.k8s.io", "selfsubjectaccessreviews", "create"),
}
LOOKS: set[Right] = {
    ("seatpool.io", kind, verb)
    for kind in ("licensepools", "licenseservers", "seatledgers", "workbenches")
    for verb in ("list", "watch")
}


def of_web(objects: list[Body]) -> list[Body]:
    return [one for one in objects if one["metadata"]["name"].startswith("seatpool-web")]


def test_nothing_of_it_is_there_unless_it_is_switched_on(helm: Helm) -> None:
    assert of_web(helm.template()) == []


def test_the_example_without_the_chart_gives_the_same_rights(helm: Helm) -> None:
    example = Path(__file__).parents[3] / "examples" / "install" / "web.yaml"
    shipped = list(yaml.safe_load_all(example.read_text()))

    def rights(objects: list[Body]) -> list[tuple[str, Any]]:
        bound = [one for one in objects if one["kind"].endswith("Binding")]
        given = [(one["kind"], one["rules"]) for one in objects if one["kind"] in ("Role", "ClusterRole")]
        return sorted([*given, *((one["kind"], one["roleRef"]["kind"]) for one in bound)], key=json.dumps)

    assert rights(shipped) == rights(of_web(helm.template(ON, namespace="seatpool")))


NAMESPACED: Body = {
    "watchNamespaces": ["a", "b"], "config": {"installation": "tests"}, "rbac": {"decisionPolicy": "install"},
}  # fmt: skip


@pytest.mark.parametrize("more", [{}, NAMESPACED])
def test_no_two_objects_have_the_same_name(helm: Helm, more: Body) -> None:
    objects = helm.template(EVERYTHING | more)
    names = [(one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in objects]
    assert len(names) == len(set(names))


def test_the_operators_objects_are_the_same_with_it(helm: Helm) -> None:
    with_it = helm.template(ON)
    assert [one for one in with_it if one not in of_web(with_it)] == helm.template()


def test_its_pods_are_taken_for_the_operator_by_no_selector(helm: Helm) -> None:
    objects = helm.template(EVERYTHING)
    labels = only(objects, "Deployment", "seatpool-web")["spec"]["template"]["metadata"]["labels"]
    operator = only(objects, "Deployment", "seatpool")["spec"]["template"]["metadata"]["labels"]
    for one in objects:
        spec = one.get("spec") or {}
        selector = spec.get("selector") or spec.get("podSelector") or {}
        wanted = selector.get("matchLabels", selector)
        if one["kind"] in ("Service", "Deployment", "NetworkPolicy", "PodDisruptionBudget"):
            is_web = one["metadata"]["name"].startswith("seatpool-web")
            assert (wanted.items() <= labels.items()) is is_web, one["metadata"]["name"]
            assert not (is_web and wanted.items() <= operator.items())


def test_a_restricted_namespace_takes_the_pod(
    helm: Helm,
    control_plane: ControlPlane,
    restricted: str,  # noqa: F811
) -> None:
    objects = of_web(helm.template(EVERYTHING, namespace=restricted))
    accept(control_plane, [one for one in objects if not one["apiVersion"].startswith(GATEWAY)])
    template = only(objects, "Deployment")["spec"]["template"]
    metadata = template["metadata"] | {"name": "web", "namespace": restricted}
    accept(control_plane, [{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}])


def test_its_settings_have_nothing_of_the_operators_that_could_be_a_secret(helm: Helm) -> None:
    config = {
        "identity": {"fold_case": False, "mapping_file": "/files/owners.yaml"},
        "notify": {"webhook": {"url": "https://hooks.example/T0K3N"}},
        "mirror": {"queue": "events"},
        "web": {"audience": "licenses"},
    }
    mounts = {
        "extraVolumes": [{"name": "f", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "f", "mountPath": "/files"}],
    }
    objects = helm.template(ON | {"config": config} | mounts)
    found = yaml.safe_load(only(objects, "ConfigMap", "seatpool-web")["data"]["settings.yaml"])
    assert found == {
        "identity": {"fold_case": False}, "web": {"audience": "licenses", "port": 8081}, "http": {"port": 8080},
    }  # fmt: skip


FOLDER: Body = {
    "web": {"enabled": True, "history": {"enabled": True}},
    "history": {"volume": "claim"},
    "config": {"history": {"location": "/var/lib/seatpool/history", "salt_file": "/var/lib/seatpool/salt"}},
}
BUCKET: Body = FOLDER | {
    "config": {
        "history": {"location": "s3://licenses/history", "spool": "/var/lib/seatpool/spool", "region": "eu-central-1"}
    },
    "networkPolicy": {"enabled": True},
}


def test_it_reads_the_operators_claim_and_cannot_write_there(helm: Helm, tmp_path: Path) -> None:
    objects = helm.template(FOLDER)
    pod = only(objects, "Deployment", "seatpool-web")["spec"]["template"]["spec"]
    (mount,) = [one for one in pod["containers"][0]["volumeMounts"] if one["name"] == "history"]
    assert mount == {"name": "history", "mountPath": "/var/lib/seatpool", "readOnly": True}
    operator = only(objects, "Deployment", "seatpool")["spec"]["template"]["spec"]
    claims = [next(one for one in found["volumes"] if one["name"] == "history") for found in (pod, operator)]
    assert {one["persistentVolumeClaim"]["claimName"] for one in claims} == {"seatpool-history"}
    assert history_of(objects, tmp_path).model_dump(exclude_unset=True) == {"location": "/var/lib/seatpool/history"}


def test_it_reads_a_bucket_and_has_a_way_there(helm: Helm, tmp_path: Path) -> None:
    objects = helm.template(BUCKET)
    found = history_of(objects, tmp_path)
    assert (found.location, found.region) == ("s3://licenses/history", "eu-central-1")
    assert "history" not in str(only(objects, "Deployment", "seatpool-web")["spec"]["template"]["spec"]["volumes"])
    without = helm.template(BUCKET | {"web": {"enabled": True}})
    ways = [len(only(one, "NetworkPolicy", "seatpool-web")["spec"]["egress"]) for one in (objects, without)]
    assert ways == [4, 2]
    assert "history" not in only(without, "ConfigMap", "seatpool-web")["data"]["settings.yaml"]


def history_of(objects: list[Body], folder: Path) -> HistoryConfig:
    file = folder / "settings.yaml"
    file.write_text(only(objects, "ConfigMap", "seatpool-web")["data"]["settings.yaml"])
    return load_settings(file=file).history


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"web": {"enabled": True, "port": 8080}}, "web.port and port are both 8080"),
        ({"web": {"enabled": True, "serviceAccount": {"name": "seatpool"}}}, "the operator's ServiceAccount"),
        (ON | {"config": {"web": {"port": 1}}}, "config.web.port is decided by web of this chart"),
        (ON | {"config": {"web": {"keys": {"enabled": True}}}}, "config.web.keys.enabled is decided by web"),
        (
            {
                "web": {"enabled": True, "keys": {"enabled": True}},
                "watchNamespaces": ["a"],
                "config": {"installation": "x"},
            },
            "web.keys.enabled needs an admission policy",
        ),
        (
            {"web": {"enabled": True, "keys": {"enabled": True}}, "rbac": {"decisionPolicy": "none"}},
            "web.keys.enabled needs an admission policy",
        ),
        (ON | {"config": {"web": {"host": "127.0.0.1"}}}, "config.web.host is 127.0.0.1"),
        (FOLDER | {"config": {}}, "config.history.location is not set"),
        (FOLDER | {"history": {"volume": "emptyDir"}}, "history.volume is emptyDir: only a claim"),
        (FOLDER | {"config": {"history": {"location": "/tmp/history"}}}, "which is not below history.mountPath"),
        (
            FOLDER | {"replicas": 1, "history": {"volume": "claim", "accessModes": ["ReadWriteOnce"]}},
            "history.accessModes is ReadWriteOnce",
        ),
        ({"web": {"enabled": True, "ingress": {"enabled": True}}}, "/web/ingress/hosts"),
        ({"web": {"enabled": True, "httpRoute": {"enabled": True}}}, "/web/httpRoute/parentRefs"),
    ],
)
def test_what_cannot_be_right_is_refused(helm: Helm, values: Body, message: str) -> None:
    with pytest.raises(HelmError, match=message):
        helm.template(values)


@pytest.fixture(params=[False, True], ids=["cluster-wide", "namespaced"])
def installed(cluster: Cluster, request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[tuple[Site, str]]:
    """The release in one namespace, what it serves in another, and the API with the release's settings and token."""
    plane = cluster.plane
    release, served = f"release-{secrets.token_hex(3)}", f"served-{secrets.token_hex(3)}"
    for name in (release, served):
        plane.kubectl("create", "namespace", name)
    values: Body = {
        "web": {"enabled": True},
        "config": {"identity": {"mapping": {f"system:serviceaccount:{served}:ann": "ann"}}},
    }
    if request.param:
        values["watchNamespaces"] = [served]
        values["config"]["installation"] = "tests"
    cluster.install(release, values=values)
    plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
    plane.until_served(["licensepools", "licenseservers", "seatledgers", "workbenches"])
    board = Board(plane, served)
    board.put(
        board.server(target=machine()),
        board.pool(),
        board.ledger(assigned={"ann": board.ago(hours=1)}),
        board.workbench(1, "ann"),
    )
    plane.kubectl("create", "serviceaccount", "ann", "-n", served)
    data = cluster.get("configmap", "seatpool-web", "-n", release)["data"]
    file = tmp_path / "settings.yaml"
    file.write_text(data["settings.yaml"])
    kubeconfig = plane.kubeconfig_for_service_account(release, "seatpool-web")
    flags = {
        "kubeconfig": kubeconfig, "http": {"host": "127.0.0.1", "port": 0}, "web": {"host": "127.0.0.1", "port": 0},
        "watch": {"resync_interval": "1s"},
    }  # fmt: skip
    settings: Settings = load_settings(file=file, flags=flags)
    server, log, stop = start(settings)
    site = Site(plane, board, served, server, log)
    site.tokens["ann"] = site.new_token("ann", audience=AUDIENCE)
    yield site, release
    stop()


def test_pages_and_a_proxy_are_settings_of_the_pod(helm: Helm, tmp_path: Path) -> None:
    web = {"pages": {"enabled": False}, "proxy": {"user_header": "X-User", "trusted": ["10.42.7.0/28", "fd00::/64"]}}
    config = only(helm.template(ON | {"config": {"web": web}}), "ConfigMap", "seatpool-web")
    (text,) = config["data"].values()
    (file := tmp_path / "settings.yaml").write_text(text)
    found = load_settings(file=file, flags={}).web
    assert not found.pages.enabled
    assert [str(one) for one in found.proxy.trusted] == web["proxy"]["trusted"]


def test_its_roles_are_enough_and_no_more(cluster: Cluster, installed: tuple[Site, str]) -> None:
    site, release = installed
    me = site.until("/api/v1/me", "ann", lambda found: found["answer"]["pools"])
    assert me["answer"]["pools"][0]["phase"] in ("Assigned", "Pending")
    assert site.get("/api/v1/pools", "ann").status == 403
    user = f"system:serviceaccount:{release}:seatpool-web"

    def asked(*, allowed: bool) -> set[Right]:
        found = set()
        for line in cluster.audit_log.read_text().splitlines():
            entry = json.loads(line)
            if entry["user"]["username"] != user or "objectRef" not in entry:
                continue
            if (entry.get("responseStatus", {}).get("code") == 403) is not allowed:
                it = entry["objectRef"]
                found.add((it.get("apiGroup", ""), it["resource"], entry["verb"]))
        return found

    wait_until(lambda: asked(allowed=True) >= LOOKS, what="watches are open")
    assert asked(allowed=False) == set()
    assert asked(allowed=True) == LOOKS | REVIEWS
