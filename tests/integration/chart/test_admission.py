"""Each object that the chart can make is taken by a real API server, with no field that it does not know.

Pods are also put, as they would be made, into a namespace that enforces the Pod Security Standard `restricted`.
"""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tests.integration.chart.conftest import Body, Helm, only
from tests.integration.chart.monitoring_kinds import MONITORING

from seatpool.sim.controlplane import ControlPlane, KubectlError

RESTRICTED = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
EVERYTHING: dict[str, Any] = {
    "replicas": 3,
    "configKind": "Secret",
    "global": {"imagePullSecrets": ["shared", {"name": "registry"}], "nodeSelector": {"pool": "tools"},
               "tolerations": [{"key": "tools", "operator": "Exists"}]},
    "serviceAccount": {"labels": {"a": "b"}},
    "deploymentAnnotations": {"a": "b"},
    "dnsPolicy": "None",
    "dnsConfig": {"nameservers": ["fd00::a"], "options": [{"name": "ndots", "value": "1"}]},
    "hostAliases": [{"ip": "fd00::1", "hostnames": ["sqs.example"]}],
    "schedulerName": "other",
    "podDisruptionBudget": {"minAvailable": "50%"},
    "initContainers": [{"name": "wait", "image": "{{ .Values.image.repository }}", "securityContext": RESTRICTED}],
    "extraContainers": [{"name": "shipper", "image": "shipper", "securityContext": RESTRICTED,
                         "volumeMounts": [{"name": "history", "mountPath": "/audit", "readOnly": True}]}],
    "rbac": {"extraRules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]},
    "image": {"registry": "registry.example", "digest": f"sha256:{'a' * 64}"},
    "imagePullSecrets": [{"name": "registry"}],
    "commonLabels": {"team": "licenses"},
    "commonAnnotations": {"owner": "licenses@corp.example"},
    "aws": {"roleArn": "arn:aws:iam::111122223333:role/seatpool"},
    "history": {"volume": "claim", "storageClassName": "efs"},
    "priorityClassName": "system-cluster-critical",
    "nodeSelector": {"kubernetes.io/os": "linux"},
    "tolerations": [{"key": "licenses", "operator": "Exists", "effect": "NoSchedule"}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchExpressions": [{"key": "arch", "operator": "In", "values": ["arm64"]}]}]}}},
    "topologySpread": {"constraints": [{"topologyKey": "rack", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}]},
    "extraEnv": [{"name": "AWS_REGION", "value": "eu-central-1"}, {"name": "AWS_MAX_ATTEMPTS", "value": 3}],
    "extraEnvFrom": [{"secretRef": {"name": "proxy", "optional": True}}],
    "extraVolumes": [{"name": "secret", "secret": {"secretName": "webhook"}}],
    "extraVolumeMounts": [{"name": "secret", "mountPath": "/etc/webhook", "readOnly": True}],
    "extraObjects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-more"}}],
    "podLabels": {"a": "b"},
    "podAnnotations": {"a": "b"},
    "service": {"labels": {"a": "b"}, "annotations": {"prometheus.io/scrape": "true"}, "ipFamilyPolicy": "PreferDualStack",
                "ipFamilies": ["IPv4"]},
    "networkPolicy": {
        "enabled": True,
        "apiServerTo": [{"ipBlock": {"cidr": "10.0.0.0/16"}}],
        "awsTo": [{"ipBlock": {"cidr": "10.1.0.0/16"}}],
        "extraEgress": [{"to": [{"ipBlock": {"cidr": "10.2.0.0/16"}}], "ports": [{"port": 4318}]}],
    },
    "monitoring": {"dashboard": {"enabled": True}},
    "config": {"notify": {"webhook": {"url": "https://hook.example", "secret_file": "/etc/webhook/key"}}},
}  # fmt: skip

SWITCHES: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "everything": EVERYTHING,
    "some namespaces": {"watchNamespaces": ["default"], "config": {"installation": "x"}},
    "one replica": {"replicas": 1, "leaderElection": {"enabled": False}, "history": {"volume": "emptyDir"}},
    "a claim of one's own": {"history": {"volume": "claim", "existingClaim": "mine"}},
    "nothing that others can bring": {
        "crds": {"install": False},
        "serviceAccount": {"create": False, "name": "mine"},
        "rbac": {"create": False, "people": False},
        "service": {"enabled": False},
        "podDisruptionBudget": {"enabled": False},
    },
    "a network policy with defaults": {"networkPolicy": {"enabled": True}},
}


@pytest.fixture(scope="module")
def restricted(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace that takes no pod that could do harm."""
    name = f"restricted-{secrets.token_hex(3)}"
    control_plane.kubectl("create", "namespace", name)
    control_plane.kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=restricted")
    yield name
    control_plane.kubectl("delete", "namespace", name, "--wait=false")


def accept(plane: ControlPlane, objects: list[Body]) -> str:
    """Have the API server check them as if they were applied; the names of what it took."""
    return plane.kubectl(
        "apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-o", "name",
        "-f", "-", input=yaml.safe_dump_all(objects),
    )  # fmt: skip


def pods(objects: list[Body], namespace: str) -> list[Body]:
    """The operator's, as its Deployment would make it, and the one of `helm test`."""
    template = only(objects, "Deployment")["spec"]["template"]
    metadata = template["metadata"] | {"name": "operator", "namespace": namespace}
    return [{"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}, only(objects, "Pod")]


@pytest.mark.parametrize("values", SWITCHES.values(), ids=SWITCHES)
def test_the_api_server_takes_every_object_and_a_restricted_namespace_the_pods(
    helm: Helm, control_plane: ControlPlane, restricted: str, values: dict[str, Any]
) -> None:
    objects = helm.template(values, namespace=restricted)
    taken = accept(control_plane, [one for one in objects if MONITORING not in one["apiVersion"]])
    assert len(taken.split()) == len(objects)
    accept(control_plane, pods(objects, restricted))


def test_the_restricted_namespace_does_look(helm: Helm, control_plane: ControlPlane, restricted: str) -> None:
    objects = helm.template({"securityContext": {"allowPrivilegeEscalation": True}}, namespace=restricted)
    with pytest.raises(KubectlError, match=r"violates PodSecurity .*allowPrivilegeEscalation"):
        accept(control_plane, pods(objects, restricted))


def test_the_api_server_does_look_at_fields(helm: Helm, control_plane: ControlPlane, restricted: str) -> None:
    objects = helm.template({"strategy": {"tpye": "Recreate"}}, namespace=restricted)
    with pytest.raises(KubectlError, match="tpye"):
        accept(control_plane, [only(objects, "Deployment")])
