"""Each documented value has an effect, with which Kubernetes can do something.

A value that nothing reads looks like a setting and is a trap. What the API server takes with another value it takes with
none, too: an empty map must not become a template error.
"""

import importlib.util
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.integration.chart.conftest import CHART, REPOSITORY, Body, Helm, HelmError
from tests.integration.chart.monitoring_kinds import MONITORING, check_monitoring
from tests.integration.chart.test_admission import accept

from seatpool.sim.controlplane import ControlPlane

PEER = [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
MONITOR = {"namespace": "monitoring", "labels": {"release": "prometheus"}, "annotations": {"a": "b"}, "interval": "45s"}
RELABELING = [{"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "node"}]
SCRAPED = {
    "scrapeTimeout": "5s",
    "honorLabels": True,
    "relabelings": RELABELING,
    "metricRelabelings": RELABELING,
    "endpointConfig": {"scheme": "http"},
}
OTHER_CONTAINER = [{"name": "other", "image": "other", "securityContext": {"readOnlyRootFilesystem": True}}]

OTHERS: dict[str, Any] = {
    "fullnameOverride": "other",
    "nameOverride": "other",
    "namespaceOverride": "elsewhere",
    "commonLabels": {"team": "cad"},
    "commonAnnotations": {"team": "cad"},
    "image.registry": "registry.example",
    "image.repository": "other",
    "image.tag": "other",
    "image.digest": f"sha256:{'a' * 64}",
    "image.pullPolicy": "Always",
    "imagePullSecrets": [{"name": "registry"}],
    "replicas": 3,
    "crds.install": False,
    "crds.keep": False,
    "crds.labels": {"a": "b"},
    "crds.annotations": {"a": "b"},
    "watchNamespaces": ["team-a"],
    "config": {"log": {"level": "debug"}},
    "configKind": "Secret",
    "port": 9090,
    "leaderElection.enabled": False,
    "leaderElection.leaseDuration": "20s",
    "leaderElection.renewDeadline": "9s",
    "leaderElection.retryPeriod": "1s",
    "aws.roleArn": "arn:aws:iam::111122223333:role/seatpool",
    "serviceAccount.create": False,
    "serviceAccount.name": "other",
    "serviceAccount.labels": {"a": "b"},
    "serviceAccount.annotations": {"a": "b"},
    "serviceAccount.automount": False,
    "rbac.create": False,
    "rbac.people": False,
    "rbac.aggregate": True,
    "rbac.decisionPolicy": "none",
    "backends.secrets": [{"namespace": "licenses", "names": ["directory-login"]}, {"names": ["scim-token"]}],
    "rbac.extraRules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}],
    "history.volume": "emptyDir",
    "history.mountPath": "/other",
    "history.size": "1Gi",
    "history.existingClaim": "other",
    "history.accessModes": ["ReadWriteMany", "ReadWriteOnce"],
    "history.storageClassName": "efs",
    "resources.requests": {"cpu": "1"},
    "resources.limits": {"memory": "1Gi"},
    "podSecurityContext": {"runAsUser": 1000},
    "securityContext": {"readOnlyRootFilesystem": False},
    "tmp.sizeLimit": "1Gi",
    "deploymentAnnotations": {"a": "b"},
    "podLabels": {"a": "b"},
    "podAnnotations": {"a": "b"},
    "priorityClassName": "system-cluster-critical",
    "runtimeClassName": "gvisor",
    "schedulerName": "other",
    "nodeSelector": {"a": "b"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpread.enabled": False,
    "topologySpread.constraints": [{"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}],
    "dnsPolicy": "Default",
    "dnsConfig": {"options": [{"name": "ndots", "value": "2"}]},
    "hostAliases": [{"ip": "fd00::1", "hostnames": ["sqs.example"]}],
    "hostNetwork": True,
    "terminationGracePeriodSeconds": 60,
    "revisionHistoryLimit": 1,
    "strategy": {"type": "Recreate"},
    "podDisruptionBudget.enabled": False,
    "podDisruptionBudget.maxUnavailable": "50%",
    "podDisruptionBudget.minAvailable": 1,
    "initContainers": OTHER_CONTAINER,
    "extraContainers": OTHER_CONTAINER,
    "extraEnv": [{"name": "A", "value": "b"}],
    "extraEnvFrom": [{"secretRef": {"name": "a"}}],
    "extraVolumes": [{"name": "a", "emptyDir": {}}],
    "extraVolumeMounts": [{"name": "a", "mountPath": "/a"}],
    "extraArgs": ["--log-level=debug"],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}],
    "probes.startup": {"failureThreshold": 90},
    "probes.liveness": {"timeoutSeconds": 3},
    "probes.readiness": {"timeoutSeconds": 3},
    "service.enabled": False,
    "service.labels": {"a": "b"},
    "service.annotations": {"a": "b"},
    "service.ipFamilyPolicy": "PreferDualStack",
    "service.ipFamilies": ["IPv4"],
    "web.enabled": True,
    "web.replicas": 2,
    "web.keys.enabled": True,
    "web.port": 9443,
    "web.serviceAccount.name": "other",
    "web.serviceAccount.create": False,
    "web.serviceAccount.annotations": {"a": "b"},
    "web.tls.secretName": "web-tls",
    "web.history.enabled": True,
    "web.service.labels": {"a": "b"},
    "web.service.annotations": {"a": "b"},
    "web.service.port": 8443,
    "web.ingress.enabled": True,
    "web.ingress.className": "nginx",
    "web.ingress.annotations": {"a": "b"},
    "web.ingress.hosts": ["seats.example.com"],
    "web.ingress.tls": [{"secretName": "seats", "hosts": ["seats.example.com"]}],
    "web.httpRoute.enabled": True,
    "web.httpRoute.parentRefs": [{"name": "private"}],
    "web.httpRoute.hostnames": ["seats.example.com"],
    "web.httpRoute.annotations": {"a": "b"},
    "web.networkPolicy.from": PEER,
    "web.resources": {"requests": {"cpu": "1"}},
    "web.podLabels": {"a": "b"},
    "web.podAnnotations": {"a": "b"},
    "networkPolicy.enabled": True,
    "networkPolicy.metricsFrom": [],
    "networkPolicy.apiServerTo": PEER,
    "networkPolicy.apiServerPorts": [8443],
    "networkPolicy.awsTo": PEER,
    "networkPolicy.extraEgress": [{"to": PEER}],
    **{f"monitoring.{kind}.enabled": True for kind in ("serviceMonitor", "podMonitor", "prometheusRule", "dashboard")},
    **{
        f"monitoring.{kind}.{name}": value
        for kind in ("serviceMonitor", "podMonitor", "prometheusRule", "dashboard")
        for name, value in MONITOR.items()
        if (kind, name) != ("dashboard", "interval")
    },
    **{
        f"monitoring.{kind}.{name}": value
        for kind in ("serviceMonitor", "podMonitor")
        for name, value in SCRAPED.items()
    },
    "monitoring.prometheusRule.runbookUrl": "https://runbook.example",
    "monitoring.prometheusRule.selector": {"kubernetes_namespace": "seatpool"},
    "monitoring.prometheusRule.ruleLabels": {"team": "cad"},
    "monitoring.prometheusRule.alerts": {"SeatpoolSlow": {"threshold": 60}},
    "monitoring.prometheusRule.extraRules": [{"alert": "Mine", "expr": "vector(1)"}],
    "monitoring.dashboard.title": "Seats",
}
"""Another value for each than its default."""

NEEDED: dict[str, dict[str, Any]] = {
    "watchNamespaces": {"config.installation": "tests"},
    "leaderElection.enabled": {"replicas": 1},
    "crds.keep": {"crds.install": True},
    "extraVolumeMounts": {"extraVolumes": [{"name": "a", "emptyDir": {}}]},
    "history.mountPath": {"history.volume": "emptyDir"},
    "history.size": {"history.volume": "claim"},
    "history.existingClaim": {"history.volume": "claim"},
    "history.accessModes": {"history.volume": "claim"},
    "history.storageClassName": {"history.volume": "claim"},
    **{path: {"networkPolicy.enabled": True} for path in OTHERS if re.match(r"networkPolicy\.(?!enabled)", path)},
}
"""What has to be so for a value to matter."""


WEB_LISTS = {"web.ingress.hosts": ["a.example"], "web.httpRoute.parentRefs": [{"name": "public"}]}
"""Lists that may not be empty where they count."""
WEB: dict[str, dict[str, Any]] = {
    "web.": {"web.enabled": True},
    "web.history.": {"config": {"history": {"location": "/var/lib/seatpool/history"}}, "history.volume": "claim"},
    "web.ingress.": {"web.ingress.enabled": True, "web.ingress.hosts": WEB_LISTS["web.ingress.hosts"]},
    "web.httpRoute.": {
        "web.httpRoute.enabled": True,
        "web.httpRoute.parentRefs": WEB_LISTS["web.httpRoute.parentRefs"],
    },
    "web.networkPolicy.": {"networkPolicy.enabled": True},
}
"""What has to be so for the values of a section to matter."""
GATEWAY = "gateway.networking.k8s.io"
"""Group of kinds that the API server of the tests does not know."""


def documented() -> Iterator[tuple[str, Any]]:
    """Path and default of every value, by the tool that writes the README's table."""
    spec = importlib.util.spec_from_file_location("chart_files", REPOSITORY / "tools" / "chart_files.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    for value in tool.described((CHART / "values.yaml").read_text()):
        yield ".".join(value.path), value.default


def nested(flat: dict[str, Any]) -> Body:
    """From paths to values."""
    made: Body = {}
    for path, value in flat.items():
        *parents, name = path.split(".")
        node = made
        for parent in parents:
            node = node.setdefault(parent, {})
        node[name] = value
    return made


def leaves(schema: Body, values: Any, path: str = "") -> Iterator[tuple[str, bool, bool]]:
    """Each path of the schema or of the values, and in which of them it is; maps that are free go no deeper."""
    properties = (
        schema.get("properties", {}) if schema.get("additionalProperties") is False and path != "config" else {}
    )
    keys = set(properties) | (set(values) if properties and isinstance(values, dict) else set())
    for name in keys:
        child = f"{path}.{name}" if path else name
        inside = isinstance(values, dict) and name in values
        yield child, name in properties, inside
        if name in properties and inside:
            yield from leaves(properties[name], values[name], child)


def test_every_value_is_documented_in_the_schema_and_in_the_file() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    schema = yaml.safe_load((CHART / "values.schema.json").read_text())
    found = {path: (of_schema, of_values) for path, of_schema, of_values in leaves(schema, values)}
    one_sided = sorted(
        path for path, sides in found.items() if sides != (True, True) and not path.startswith("probes.")
    )
    assert one_sided == ["enabled", "global", "resources.claims"]


def test_there_is_another_value_for_each_documented_one() -> None:
    assert sorted(path for path, _ in documented()) == sorted(OTHERS)
    assert [path for path, default in documented() if OTHERS[path] == default] == []


def needed_for(path: str) -> dict[str, Any]:
    needed = dict(NEEDED.get(path, {}))
    for section, more in WEB.items():
        if path.startswith(section) and path != "web.enabled":
            needed |= {name: value for name, value in more.items() if name != path or path in WEB_LISTS}
    if path.startswith("monitoring.") and not path.endswith(".enabled"):
        needed[f"{path.rpartition('.')[0]}.enabled"] = True
    return needed


@pytest.fixture(scope="module")
def plane(control_plane: ControlPlane) -> ControlPlane:
    """An API server with what pods may name."""
    runtime = {
        "apiVersion": "node.k8s.io/v1",
        "kind": "RuntimeClass",
        "metadata": {"name": "gvisor"},
        "handler": "runsc",
    }
    control_plane.kubectl("apply", "--server-side", "-f", "-", input=yaml.safe_dump(runtime))
    return control_plane


@pytest.mark.parametrize("path", sorted(OTHERS))
def test_a_value_changes_what_is_rendered_and_the_api_server_takes_it(
    helm: Helm, plane: ControlPlane, path: str
) -> None:
    needed = needed_for(path)
    before, after = helm.template(nested(needed)), helm.template(nested(needed | {path: OTHERS[path]}))
    changed = [one for one in after if one not in before]
    assert before != after
    check_monitoring(changed)
    others = [one for one in changed if not one["apiVersion"].startswith((MONITORING, GATEWAY))]
    for one in others:  # no namespace of these values is there
        if "namespace" in one["metadata"]:
            one["metadata"]["namespace"] = "default"
    if others:
        assert len(accept(plane, others).split()) == len(others)


def empty(value: Any) -> Iterator[Any]:
    """What people write to have nothing of it."""
    yield None
    if isinstance(value, dict):
        yield {}
    elif isinstance(value, list):
        yield []
    elif isinstance(value, str):
        yield ""


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, other in OTHERS.items() for value in empty(other)])
def test_an_empty_value_is_rendered_or_refused_by_its_name_and_never_a_template_error(
    helm: Helm, path: str, value: Any
) -> None:
    refused = ""
    objects: list[Body] = []
    try:
        objects = helm.template(nested(needed_for(path) | {path: value}))
    except HelmError as error:
        refused = str(error)
    by_its_name = rf"'/{path.replace('.', '/')}'|missing propert.*'{path.rpartition('.')[2]}'"
    assert not refused or re.search(by_its_name, refused), refused
    assert [one for one in objects if "<nil>" in yaml.safe_dump(one)] == []


SECTIONS = sorted({path.rpartition(".")[0] for path in OTHERS} - {""})


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_that_is_emptied_keeps_its_defaults_and_one_that_is_taken_away_is_refused(
    helm: Helm, section: str
) -> None:
    assert helm.template(nested({section: {}})) == helm.template()
    with pytest.raises(HelmError, match=rf"missing propert.*'{section.rpartition('.')[2]}'"):
        helm.template(nested({section: None}))
