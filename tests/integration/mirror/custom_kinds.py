"""Kinds of two other projects, by their names and with a status of their own, without their schemas."""

import json

from seatpool.sim.controlplane import ControlPlane

CUSTOM = {
    "devworkspaces": ("workspace.devfile.io", "v1alpha2", "DevWorkspace"),
    "virtualmachines": ("kubevirt.io", "v1", "VirtualMachine"),
}


def make_custom_kinds(plane: ControlPlane) -> None:
    """Makes both kinds in a cluster."""
    for plural, (group, version, kind) in CUSTOM.items():
        schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        served = {"name": version, "served": True, "storage": True, "subresources": {"status": {}}}
        crd = {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": f"{plural}.{group}"},
            "spec": {
                "group": group,
                "scope": "Namespaced",
                "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
                "versions": [served | {"schema": {"openAPIV3Schema": schema}}],
            },
        }
        plane.kubectl("apply", "-f", "-", input=json.dumps(crd))
        plane.kubectl("wait", "--for=condition=Established", f"crd/{plural}.{group}")
