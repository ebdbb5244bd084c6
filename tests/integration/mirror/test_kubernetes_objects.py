"""Pods, notebooks of JupyterHub, DevWorkspaces and virtual machines of KubeVirt become Workbenches by rules, watched by Kopf."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs
from tests.conftest import REPOSITORY
from tests.integration.mirror.conftest import Body, Stage
from tests.integration.mirror.custom_kinds import make_custom_kinds
from tests.integration.mirror.test_mirror_inventory import with_inventory
from tests.waiting import eventually

from seatpool.api.workbench import SourceKind, Workbench, WorkbenchSource
from seatpool.control.watch.kopf_handlers import make_registry, run_kopf
from seatpool.kube.errors import NotFound
from seatpool.mirror.mirror import Mirror
from seatpool.mirror.names import object_name
from seatpool.sim.controlplane import ControlPlane, KubectlError

USERNAME = "hub.jupyter.org/username"


@pytest.fixture(scope="session")
def custom_kinds(control_plane: ControlPlane) -> None:
    """The kinds of two other projects."""
    make_custom_kinds(control_plane)


def rule(stage: Stage, **changes: Any) -> Body:
    """Notebooks of JupyterHub, as its spawner makes them."""
    return {
        "name": "notebooks",
        "version": "v1",
        "kind": "pods",
        "namespaces": [stage.namespace],
        "selector": {"component": "singleuser-server"},
        "owner": f".metadata.annotations['{USERNAME}']",
        "type": "vew-matlab",
        "namespace": stage.namespace,
    } | changes


def pod(name: str, *, owner: str = "ann@corp.example", escaped: str = "ann---0a1b2c3d") -> Body:
    metadata = {
        "name": name,
        "labels": {"app": "jupyterhub", "component": "singleuser-server", USERNAME: escaped},
        "annotations": {USERNAME: owner},
    }
    containers = [{"name": "notebook", "image": "notebook"}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers}}


def object_of(stage: Stage, name: str, *, of: str = "notebooks") -> str:
    return object_name(WorkbenchSource(kind=SourceKind.KUBERNETES, reference=f"{of}/{stage.namespace}/{name}"))


def apply(stage: Stage, *objects: Body) -> None:
    listed = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    stage.plane.kubectl("apply", "-n", stage.namespace, "-f", "-", input=json.dumps(listed))


def set_status(stage: Stage, what: str, **status: Any) -> None:
    patch = json.dumps({"status": status})
    stage.plane.kubectl("patch", what, "-n", stage.namespace, "--subresource=status", "--type=merge", "-p", patch)


def remove(stage: Stage, what: str) -> None:
    stage.plane.kubectl("delete", what, "-n", stage.namespace, "--grace-period=0", "--force", "--ignore-not-found")


def run_pod(stage: Stage, name: str, **how: Any) -> None:
    apply(stage, pod(name, **how))
    set_status(stage, f"pod/{name}", phase="Running")


@asynccontextmanager
async def watched(mirror: Mirror, stage: Stage) -> AsyncIterator[None]:
    """Kopf brings the objects, as in the operator."""
    stop, ready = asyncio.Event(), asyncio.Event()
    registry = make_registry(
        (), lambda *_: None, stage.kube, rules=mirror.config.kubernetes, on_object=mirror.observe_object
    )
    running = asyncio.create_task(
        run_kopf(registry, namespaces=[stage.namespace], scanning=False, stop=stop, ready=ready)
    )
    try:
        await asyncio.wait_for(ready.wait(), 60)
        yield
    finally:
        stop.set()
        await asyncio.wait({running}, timeout=60)


@asynccontextmanager
async def mirrored(stage: Stage, *rules: Body, interval: str = "1h", **changes: Any) -> AsyncIterator[Mirror]:
    """Only the watch tells news, unless inventories come often."""
    async with with_inventory(
        stage, accounts=[], queue=None, kubernetes=list(rules), resync_interval=interval, **changes
    ) as mirror:
        await mirror.ready.wait()
        async with watched(mirror, stage):
            yield mirror


async def test_a_notebook_is_a_workbench_of_its_real_owner_from_start_to_end(stage: Stage) -> None:
    name = object_of(stage, "jupyter-ann")
    async with mirrored(stage, rule(stage)):
        apply(stage, pod("jupyter-ann"), pod("other") | {"metadata": {"name": "other"}})
        set_status(stage, "pod/jupyter-ann", phase="Pending")
        await stage.until_state(name, "pending")
        set_status(stage, "pod/jupyter-ann", phase="Running")
        await stage.until_state(name, "running")
        found = await stage.get(name)
        assert found is not None
        assert found["spec"]["owner"] == "ann@corp.example"
        assert found["spec"]["type"] == "vew-matlab"
        assert found["spec"]["source"] == {
            "kind": "Kubernetes",
            "reference": f"notebooks/{stage.namespace}/jupyter-ann",
        }
        assert not {"account", "region", "instanceId"} & found["spec"].keys()
        remove(stage, "pod/jupyter-ann")
        await stage.until_state(name, "terminated")
        run_pod(stage, "jupyter-ann", owner="bob@corp.example")  # the same name again
        await stage.until_owner(name, "bob@corp.example")
        assert await stage.state(name) == "running"
        assert stage.metric("objects") == 1, "a Pod without the labels is no workbench"


async def test_a_devworkspace_and_a_virtual_machine_stop_and_start(stage: Stage, custom_kinds: None) -> None:
    of_devfile = rule(
        stage, name="devworkspaces", group="workspace.devfile.io", version="v1alpha2", kind="devworkspaces", selector={},
        owner=".metadata.labels['controller.devfile.io/creator']", type=".metadata.annotations['example.com/tool']",
    )  # fmt: skip
    of_kubevirt = rule(
        stage, name="machines", group="kubevirt.io", version="v1", kind="virtualmachines", selector={},
        owner=".metadata.labels['example.com/owner']", type=".spec.template.metadata.labels['example.com/tool']",
        state=".status.printableStatus",
    )  # fmt: skip
    workspace = {
        "apiVersion": "workspace.devfile.io/v1alpha2",
        "kind": "DevWorkspace",
        "metadata": {
            "name": "cad",
            "labels": {"controller.devfile.io/creator": "7a1f2d9e"},
            "annotations": {"example.com/tool": "vew-cad"},
        },
        "spec": {"started": True, "routingClass": "che"},
    }
    machine = {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "cae", "labels": {"example.com/owner": "bob"}},
        "spec": {"runStrategy": "Always", "template": {"metadata": {"labels": {"example.com/tool": "vew-cae"}}}},
    }
    cad, cae = object_of(stage, "cad", of="devworkspaces"), object_of(stage, "cae", of="machines")
    async with mirrored(stage, of_devfile, of_kubevirt, type_aliases={"vew-cae": "cae"}):
        apply(stage, workspace, machine)
        set_status(stage, "devworkspace/cad", phase="Starting")
        set_status(stage, "virtualmachine/cae", printableStatus="Provisioning")
        await stage.until_state(cad, "pending")
        await stage.until_state(cae, "pending")
        set_status(stage, "devworkspace/cad", phase="Running")
        set_status(stage, "virtualmachine/cae", printableStatus="Running")
        await stage.until_state(cad, "running")
        await stage.until_state(cae, "running")
        found = await stage.get(cae)
        assert found is not None
        assert found["spec"]["type"] == "cae"
        assert await stage.owner(cad) == "7a1f2d9e"
        set_status(stage, "virtualmachine/cae", printableStatus="ErrorUnschedulable")  # a word that no rule has
        set_status(stage, "devworkspace/cad", phase="Stopped")
        await stage.until_state(cad, "stopped")
        assert await stage.state(cae) == "running"
        set_status(stage, "virtualmachine/cae", printableStatus="Stopped")
        await stage.until_state(cae, "stopped")


async def test_what_happened_while_nobody_watched_is_found(stage: Stage) -> None:
    run_pod(stage, "ends")
    run_pod(stage, "vanishes")
    run_pod(stage, "stays")
    ends, vanishes, stays = (object_of(stage, name) for name in ("ends", "vanishes", "stays"))
    rules = [rule(stage)]
    async with with_inventory(stage, accounts=[], queue=None, kubernetes=rules) as mirror:
        await mirror.ready.wait()
        set_status(stage, "pod/ends", phase="Succeeded")
        remove(stage, "pod/vanishes")
        await stage.until_state(ends, "stopped")
        await stage.until_state(vanishes, None)
        assert await stage.state(stays) == "running"
        remove(stage, "pod/stays")
        remove(stage, "pod/ends")
        await stage.until_state(stays, None)  # an empty list is believed, because each is asked for by name
        assert mirror.health.inventories[0].fresh


async def test_a_kind_that_the_cluster_does_not_have_is_told_and_keeps_its_users(stage: Stage) -> None:
    run_pod(stage, "jupyter-ann")
    group = f"{secrets.token_hex(4)}.example.com"
    missing = rule(stage, name="nothing", group=group, kind="benches")
    async with mirrored(stage, rule(stage), missing, interval="300ms") as mirror:
        await eventually(lambda: not mirror.health.inventories[1].fresh)
        health = mirror.health.inventories[1]
        assert (f"{health.account}/{health.region}", health.reason) == ("kubernetes/nothing", "NotFound")
        assert f"the cluster has no benches.{group} of version v1" in health.message
        assert mirror.health.inventories[0].fresh
        assert mirror.unknown_regions() == ("kubernetes/nothing",)
        assert await stage.state(object_of(stage, "jupyter-ann")) == "running"


async def test_deleting_the_rule_releases_nobody_and_listing_it_again_takes_them_back(stage: Stage) -> None:
    run_pod(stage, "jupyter-ann")
    name = object_of(stage, "jupyter-ann")
    async with mirrored(stage, rule(stage)):
        assert await stage.state(name) == "running"
    remove(stage, "pod/jupyter-ann")
    async with with_inventory(stage, queue=None) as mirror:
        await mirror.ready.wait()
        await eventually(lambda: stage.metric("unlisted_objects") == 1)
        assert await stage.state(name) == "running"
    async with mirrored(stage, rule(stage), interval="300ms"):
        await stage.until_state(name, None)


async def test_an_object_that_leaves_the_selector_is_no_workbench_any_more(stage: Stage) -> None:
    run_pod(stage, "jupyter-ann")
    run_pod(stage, "jupyter-bob", owner="bob")
    name = object_of(stage, "jupyter-ann")
    async with mirrored(stage, rule(stage), interval="300ms"):
        assert await stage.state(name) == "running"
        stage.plane.kubectl("label", "pod/jupyter-ann", "-n", stage.namespace, "component-", "--overwrite")
        await stage.until_state(name, None)
        assert await stage.state(object_of(stage, "jupyter-bob")) == "running"


async def test_a_workbench_of_somebody_else_with_that_name_is_left_alone(stage: Stage) -> None:
    name = object_of(stage, "jupyter-ann")
    spec = {
        "source": {"kind": "External", "reference": "rack 7"}, "owner": "eve", "type": "x", "state": "stopped",
        "stateChangedAt": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    await stage.kube.create(Workbench, stage.namespace, {"metadata": {"name": name}, "spec": spec})
    with capture_logs() as lines:
        async with mirrored(stage, rule(stage)):
            run_pod(stage, "jupyter-ann")
            await eventually(lambda: any(line["event"] == "workbench not written" for line in lines))
            assert await stage.owner(name) == "eve"


async def test_objects_without_an_owner_are_told_once(stage: Stage) -> None:
    run_pod(stage, "jupyter-ann")
    with capture_logs() as lines:
        async with mirrored(stage, rule(stage, owner=".metadata.labels.nobody"), interval="300ms") as mirror:
            assert mirror.health.inventories[0].fresh
            await asyncio.sleep(1)
    told = [line for line in lines if line["event"] == "no object of a rule is a workbench"]
    assert [line["objects"] for line in told] == [1]
    with pytest.raises(NotFound):
        await stage.kube.get(Workbench, stage.namespace, object_of(stage, "jupyter-ann"))


POLICY = REPOSITORY / "examples" / "sources" / "owner-of-notebooks.yaml"
HUB = "system:serviceaccount:jupyterhub:hub"


async def test_the_policy_of_the_examples_lets_only_the_hub_say_whose_a_notebook_is(stage: Stage) -> None:
    text = POLICY.read_text().replace("metadata.name: jupyterhub", f"metadata.name: {stage.namespace}")
    stage.plane.kubectl("apply", "-f", "-", input=text)
    grant = ["create", "clusterrolebinding", f"pods-{stage.namespace}", "--clusterrole=cluster-admin"]
    stage.plane.kubectl(*grant, "--user=eve", f"--user={HUB}")

    def create(user: str, body: Body) -> None:
        stage.plane.kubectl("create", "-n", stage.namespace, "--as", user, "-f", "-", input=json.dumps(body))

    def change(user: str, *what: str) -> None:
        stage.plane.kubectl("annotate", "-n", stage.namespace, "--as", user, "--overwrite", *what)

    def is_refused() -> bool:
        try:
            create("eve", pod(f"forged-{secrets.token_hex(4)}"))
        except KubectlError as error:
            return "only JupyterHub makes a Pod a notebook" in str(error)
        return False

    await eventually(is_refused)  # a policy is in force a moment after it was created
    create(HUB, pod("jupyter-ann"))
    create("eve", pod("plain") | {"metadata": {"name": "plain"}})
    change("eve", "pod/jupyter-ann", "seatpool.io/seat=ready")
    for what in (["pod/jupyter-ann", f"{USERNAME}=eve"], ["pod/plain", f"{USERNAME}=eve"]):
        with pytest.raises(KubectlError, match="only JupyterHub"):
            change("eve", *what)
    with pytest.raises(KubectlError, match="only JupyterHub"):
        stage.plane.kubectl("label", "-n", stage.namespace, "--as", "eve", "pod/plain", "component=singleuser-server")
    change(HUB, "pod/jupyter-ann", f"{USERNAME}=bob")
