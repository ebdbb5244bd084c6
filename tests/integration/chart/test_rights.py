"""The operator as the chart installs it: its settings, its ServiceAccount and its roles, on the real API server.

What it asks for is read from the API server's own audit log, so that "enough" and "not too much" are facts and not
reviews of a list.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.chart.conftest import Cluster
from tests.integration.control.conftest import ACCOUNT, REGION, Stage
from tests.integration.mirror.custom_kinds import make_custom_kinds
from tests.waiting import eventually

from seatpool.api.seatledger import SeatLedger
from seatpool.api.workbench import Workbench
from seatpool.kube.client import KubeClient
from seatpool.servers.ssm.document import document_json
from seatpool.sim.aws import AwsProcess
from seatpool.sim.demo.operator_process import OperatorProcess
from seatpool.sim.site import Site

Right = tuple[str, str, str]
"""API group, resource (with its subresource), verb."""

MAY_BE_REFUSED: set[Right] = {("apiextensions.k8s.io", "customresourcedefinitions", "get")}
"""Whether the CRDs fit is looked at where that is allowed."""

KEPT_FOR_TROUBLE: set[Right] = {("seatpool.io", kind, "get") for kind in ("licensepools", "seatledgers", "workbenches")}
"""Asked for only when somebody else wrote the object in between."""

NOTEBOOKS = {
    "name": "notebooks", "version": "v1", "kind": "pods", "selector": {"component": "singleuser-server"},
    "owner": ".metadata.annotations['hub.jupyter.org/username']", "type": "vew-matlab",
}  # fmt: skip
"""A rule for Pods that are workbenches."""
DEVWORKSPACES = {
    "name": "devworkspaces", "group": "workspace.devfile.io", "version": "v1alpha2", "kind": "devworkspaces",
    "owner": ".metadata.labels['example.com/owner']", "type": "vew-matlab",
}  # fmt: skip
MACHINES = {
    "name": "machines", "group": "kubevirt.io", "version": "v1", "kind": "virtualmachines",
    "owner": ".metadata.labels['example.com/owner']", "type": "vew-matlab", "state": ".status.printableStatus",
}  # fmt: skip

FOR_EVERYBODY: set[Right] = {("authorization.k8s.io", "selfsubjectaccessreviews", "create")}
"""Kubernetes lets each user ask what he may do."""


@dataclass
class Installed:
    """The chart in a namespace of its own, a license server, and the operator's process."""

    cluster: Cluster
    stage: Stage
    release: str

    @property
    def user(self) -> str:
        return f"system:serviceaccount:{self.release}:seatpool"

    def settings(self) -> dict[str, Any]:
        """Those of the ConfigMap, and what a process beside the cluster needs: a way to the API server, and a free port."""
        data = self.cluster.get("configmap", "seatpool", "-n", self.release)["data"]
        settings: dict[str, Any] = yaml.safe_load(data["settings.yaml"])
        kubeconfig = self.cluster.plane.kubeconfig_for_service_account(self.release, "seatpool")
        return settings | {"kubeconfig": str(kubeconfig), "http": {"host": "127.0.0.1", "port": 0}}

    def granted(self) -> set[Right]:
        """By all roles of the release."""
        roles = self.cluster.get("roles,clusterroles", "-A", "-l", "app.kubernetes.io/instance=seatpool")["items"]
        bound = [one for one in roles if not one["metadata"]["name"].endswith(("-viewer", "-license-admin"))]
        return {
            (group, resource, verb)
            for role in bound
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            for verb in rule["verbs"]
        }

    def asked(self, *, allowed: bool) -> set[Right]:
        """What its ServiceAccount asked the API server for, and got, or did not get."""
        found = set()
        for line in self.cluster.audit_log.read_text().splitlines():
            entry = json.loads(line)
            if entry["user"]["username"] != self.user or "objectRef" not in entry:
                continue
            if (entry.get("responseStatus", {}).get("code") == 403) is allowed:
                continue
            it = entry["objectRef"]
            resource = "/".join(filter(None, (it.get("resource"), it.get("subresource"))))
            found.add((it.get("apiGroup", ""), resource, entry["verb"]))
        return found


@asynccontextmanager
async def installed(
    cluster: Cluster, aws: AwsProcess, tmp_path: Path, *, namespaced: bool, with_notebooks: bool = False
) -> AsyncIterator[Installed]:
    """The main job's surroundings. The release and what it serves are in two namespaces."""
    aws.control.reset()
    site = Site.create(aws, document=document_json(), queue=f"events-{secrets.token_hex(4)}")
    release, served = f"release-{secrets.token_hex(3)}", f"served-{secrets.token_hex(3)}"
    for name in (release, served):
        cluster.plane.kubectl("create", "namespace", name)
    mirror = {
        "queue": site.queue_url,
        "region": REGION,
        "endpoint_url": site.endpoint,
        "accounts": [{"account": ACCOUNT, "regions": [REGION], "namespace": served}],
        "long_poll": "1s",
        "describe_lag": "0s",
        "terminated_retention": "0s",
    }
    if with_notebooks:
        make_custom_kinds(cluster.plane)
        rules = (NOTEBOOKS, DEVWORKSPACES, MACHINES)
        mirror["kubernetes"] = [rule | {"namespaces": [served], "namespace": served} for rule in rules]
    config: dict[str, Any] = {"mirror": mirror, "servers": {"endpoint_url": site.endpoint}}
    config["watch"] = {"resync_interval": "2s"}
    values = {"config": config}
    if namespaced:
        values = {"config": config | {"installation": "tests"}, "watchNamespaces": [served]}
    cluster.install(release, values=values)
    cluster.plane.kubectl("wait", "--for=condition=Established", "crd", "--all")
    kube = await KubeClient.connect(kubeconfig=str(cluster.plane.kubeconfig))
    node = site.add_license_server(f"licenses-{secrets.token_hex(3)}")
    stage = Stage(plane=cluster.plane, kube=kube, site=site, node=node, namespace=served, tmp_path=tmp_path)
    try:
        yield Installed(cluster, stage, release)
    finally:
        await kube.close()


async def main_job(stage: Stage) -> None:
    """Somebody comes, somebody waits, both leave for good, and a pool is deleted that clears its list."""
    stage.apply(stage.server(), stage.pool(seats=1, onDelete="Clear"))
    await stage.until_ready(seconds=30)
    fleet = stage.site.fleet()
    ann = fleet.start("ann")
    await stage.until_list(["ann"])
    bob = fleet.start("bob")

    async def bob_waits() -> bool:
        found = await stage.get(Workbench, bob)
        seats = (found or {}).get("status", {}).get("seats", [])
        return [seat["phase"] for seat in seats] == ["Waiting"]

    await eventually(bob_waits, what="bob waits")
    fleet.terminate(ann)
    await stage.until_list(["bob"])

    async def forgotten() -> bool:
        return await stage.get(Workbench, ann) is None

    await eventually(forgotten, what="the object of the terminated instance is deleted")
    stage.delete("licensepool", "matlab")
    await stage.until_list([])


async def a_large_pool_that_becomes_small(stage: Stage) -> None:
    """It needs two ledgers first, and then one."""

    async def ledgers() -> int:
        return len((await stage.kube.list_all(SeatLedger, namespace=stage.namespace))[0])

    async def small_again() -> bool:
        return await ledgers() < large

    stage.apply(stage.pool("cad", seats=501))
    await stage.until_ready("cad")
    stage.site.fleet().start("cid", "vew-cad")
    await stage.until_list(["cid"], product="cad")
    large = await ledgers()
    stage.apply(stage.pool("cad", seats=1))
    await eventually(small_again, what="the second ledger is deleted")


@pytest.mark.parametrize("namespaced", [False, True], ids=["cluster-wide", "namespaced"])
async def test_the_roles_of_the_chart_are_enough_for_the_main_job_and_no_more(
    cluster: Cluster, aws_process: AwsProcess, tmp_path: Path, namespaced: bool
) -> None:
    async with installed(cluster, aws_process, tmp_path, namespaced=namespaced) as here:
        operator = OperatorProcess(tmp_path, here.settings())
        try:
            await asyncio.to_thread(operator.start)
            await main_job(here.stage)
            await a_large_pool_that_becomes_small(here.stage)
        finally:
            assert operator.stop() == 0
        assert here.asked(allowed=False) == (MAY_BE_REFUSED if namespaced else set())
        assert here.granted() - here.asked(allowed=True) <= KEPT_FOR_TROUBLE
        assert here.asked(allowed=True) - here.granted() == FOR_EVERYBODY


WORKSPACE = {
    "apiVersion": "workspace.devfile.io/v1alpha2",
    "kind": "DevWorkspace",
    "metadata": {"name": "cad", "labels": {"example.com/owner": "cem"}},
    "spec": {"started": True},
}
MACHINE = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachine",
    "metadata": {"name": "cae", "labels": {"example.com/owner": "dan"}},
    "spec": {"runStrategy": "Always"},
}


def notebook(name: str, owner: str) -> dict[str, Any]:
    metadata = {
        "name": name,
        "labels": {"component": "singleuser-server"},
        "annotations": {"hub.jupyter.org/username": owner},
    }
    spec = {"containers": [{"name": "notebook", "image": "notebook"}], "automountServiceAccountToken": False}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("namespaced", [False, True], ids=["cluster-wide", "namespaced"])
async def test_notebooks_get_and_lose_seats_by_a_rule_under_the_rights_that_the_chart_makes_of_it(
    cluster: Cluster, aws_process: AwsProcess, tmp_path: Path, namespaced: bool
) -> None:
    async with installed(cluster, aws_process, tmp_path, namespaced=namespaced, with_notebooks=True) as here:
        stage, running = here.stage, json.dumps({"status": {"phase": "Running"}})
        patch = ("patch", "-n", stage.namespace, "--subresource=status", "--type=merge", "-p", running)
        operator = OperatorProcess(tmp_path, here.settings())
        try:
            await asyncio.to_thread(operator.start)
            stage.apply(stage.server(), stage.pool())
            await stage.until_ready(seconds=60)
            stage.apply(notebook("jupyter-ann", "ann@corp.example"), notebook("jupyter-bob", "bob"))
            for name in ("jupyter-ann", "jupyter-bob"):
                stage.plane.kubectl(*patch, f"pod/{name}")
            await stage.until_list(["ann", "bob"])
            stage.plane.kubectl("delete", "pod/jupyter-ann", "-n", stage.namespace, "--grace-period=0", "--force")
            await stage.until_list(["bob"])
            for kind, body in (("devworkspace", WORKSPACE), ("virtualmachine", MACHINE)):
                stage.plane.kubectl("apply", "-n", stage.namespace, "-f", "-", input=json.dumps(body))
                what = f"{kind}/{body['metadata']['name']}"
                status = json.dumps({"status": {"phase": "Running", "printableStatus": "Running"}})
                at = ("-n", stage.namespace, "--subresource=status", "--type=merge", "-p", status)
                stage.plane.kubectl("patch", *at, what)
                owner = body["metadata"]["labels"]["example.com/owner"]
                await stage.until_list(["bob", owner])
                stage.plane.kubectl("delete", what, "-n", stage.namespace)
                await stage.until_list(["bob"])
        finally:
            assert operator.stop() == 0
        assert here.asked(allowed=False) == (MAY_BE_REFUSED if namespaced else set())
        pods = {right for right in here.granted() if right[1] == "pods"}
        assert pods == {("", "pods", verb) for verb in ("get", "list", "watch")}
        assert here.asked(allowed=True) - here.granted() == FOR_EVERYBODY
