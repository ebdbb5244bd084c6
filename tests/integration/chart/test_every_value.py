"""Each documented value has an effect: a value that nothing reads looks like a setting and is a trap."""

import importlib.util
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.integration.chart.conftest import CHART, REPOSITORY, Body, Helm

PEER = [{"ipBlock": {"cidr": "10.0.0.0/8"}}]
MONITOR = {"namespace": "monitoring", "labels": {"release": "prometheus"}, "annotations": {"a": "b"}, "interval": "15s"}

OTHERS: dict[str, Any] = {
    "fullnameOverride": "other",
    "nameOverride": "other",
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
    "port": 9090,
    "leaderElection.enabled": False,
    "leaderElection.leaseDuration": "20s",
    "leaderElection.renewDeadline": "9s",
    "leaderElection.retryPeriod": "1s",
    "aws.roleArn": "arn:aws:iam::111122223333:role/seatpool",
    "serviceAccount.create": False,
    "serviceAccount.name": "other",
    "serviceAccount.annotations": {"a": "b"},
    "rbac.create": False,
    "rbac.people": False,
    "rbac.aggregate": True,
    "rbac.decisionPolicy": "none",
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
    "podLabels": {"a": "b"},
    "podAnnotations": {"a": "b"},
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"a": "b"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "topologySpread.enabled": False,
    "topologySpread.constraints": [{"topologyKey": "rack", "maxSkew": 2, "whenUnsatisfiable": "DoNotSchedule"}],
    "terminationGracePeriodSeconds": 60,
    "revisionHistoryLimit": 1,
    "strategy": {"type": "Recreate"},
    "podDisruptionBudget.enabled": False,
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
    "monitoring.prometheusRule.runbookUrl": "https://runbook.example",
}
"""Another value for each than its default."""

NEEDED: dict[str, dict[str, Any]] = {
    "watchNamespaces": {"config.installation": "tests"},
    "leaderElection.enabled": {"replicas": 1},
    "crds.keep": {"crds.install": True},
    "history.mountPath": {"history.volume": "emptyDir"},
    "history.size": {"history.volume": "claim"},
    "history.existingClaim": {"history.volume": "claim"},
    "history.accessModes": {"history.volume": "claim"},
    "history.storageClassName": {"history.volume": "claim"},
    **{path: {"networkPolicy.enabled": True} for path in OTHERS if re.match(r"networkPolicy\.(?!enabled)", path)},
}
"""What has to be so for a value to matter."""


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


@pytest.mark.parametrize("path", sorted(OTHERS))
def test_a_value_changes_what_is_rendered(helm: Helm, path: str) -> None:
    needed = dict(NEEDED.get(path, {}))
    if path.startswith("monitoring.") and not path.endswith(".enabled"):
        needed[f"{path.rpartition('.')[0]}.enabled"] = True
    assert helm.template(nested(needed)) != helm.template(nested(needed | {path: OTHERS[path]}))
