"""The examples for GitOps: they are applied, the operator works, and they are applied again without a difference."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.control.conftest import Stage
from tests.waiting import eventually

from seatpool.api.licensepool import LicensePool
from seatpool.api.licenseserver import LicenseServer
from seatpool.settings.settings import load_settings
from seatpool.sim import binaries
from seatpool.sim.controlplane import KubectlError

Body = dict[str, Any]
EXAMPLES = Path(__file__).resolve().parents[3] / "examples" / "gitops"
BASE = EXAMPLES / "licenses" / "base"
DRY_RUN = EXAMPLES / "licenses" / "overlays" / "dry-run"
POOLS = ("matlab", "cad")
SERVER = "license-server"
MANAGER = "--field-manager=argocd-controller"


def manifests(stage: Stage, folder: Path) -> str:
    """What kustomize makes of a folder, for this test's namespace and its license server's name."""
    objects = list(yaml.safe_load_all(stage.plane.kubectl("kustomize", folder)))
    for one in objects:
        one["metadata"]["namespace"] = stage.namespace
        if one["kind"] == "LicenseServer":
            one["spec"] |= {"target": {"tag": stage.node.tag, "value": stage.node.value}}
            one["spec"]["xlc"] = {"stateDir": stage.host.state_dir}
    return yaml.safe_dump_all(objects)


def apply(stage: Stage, text: str, *flags: str) -> None:
    """On the server and under a name of its own, as Argo CD and Flux do; they do it by force."""
    stage.plane.kubectl("apply", "--server-side", MANAGER, *flags, "-f", "-", input=text)


def difference(stage: Stage, text: str) -> str:
    """What `kubectl diff` shows; it ends with 1 where there is something."""
    programs = binaries.find()
    assert programs is not None
    done = subprocess.run(
        [programs / "kubectl", "--kubeconfig", stage.plane.kubeconfig, "diff", "--server-side", MANAGER, "-f", "-"],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


async def versions(stage: Stage) -> list[tuple[int, str]]:
    """Generation of the spec, and who manages it, of all."""
    found = [await stage.get(LicensePool, name) for name in POOLS] + [await stage.get(LicenseServer, SERVER)]
    return [(one["metadata"]["generation"], one["metadata"]["uid"]) for one in found if one is not None]


async def test_applied_again_after_the_operator_worked_there_is_no_difference_and_no_conflict(stage: Stage) -> None:
    text = manifests(stage, BASE)
    apply(stage, text)
    async with stage.operator():
        for name in POOLS:
            await stage.until_ready(name)
        stage.apply(stage.workbench(1, "ann"), stage.workbench(2, "bob", type="vew-cad"))
        await stage.until_list(["ann"])
        await stage.until_list(["bob"], product="cad")
        await stage.until_ready()
        before = await versions(stage)
        assert difference(stage, text) == ""
        apply(stage, text)
        assert await versions(stage) == before
        await stage.until_list(["ann"])
    assert len(before) == 3


async def test_a_person_who_edits_what_git_says_is_the_only_conflict_and_git_overrules_by_force(stage: Stage) -> None:
    text = manifests(stage, BASE)
    apply(stage, text)
    stage.plane.kubectl(
        "patch", "licensepool", "matlab", "-n", stage.namespace, "--type=merge", "-p", '{"spec":{"seats":9}}'
    )
    with pytest.raises(KubectlError, match=r"1 conflict: conflict with \"kubectl-patch\".*: \.spec\.seats"):
        apply(stage, text)
    apply(stage, text, "--force-conflicts")
    assert difference(stage, text) == ""
    found = await stage.get(LicensePool, "matlab")
    assert found is not None
    assert found["spec"]["seats"] == 4


async def test_what_an_admin_decides_by_an_annotation_is_no_difference(stage: Stage) -> None:
    text = manifests(stage, BASE)
    apply(stage, text)
    stage.plane.kubectl("annotate", "licenseserver", SERVER, "-n", stage.namespace, "seatpool.io/verify=1")
    assert difference(stage, text) == ""


async def test_the_finalizer_of_a_pool_that_clears_its_list_is_no_difference(stage: Stage) -> None:
    text = manifests(stage, BASE).replace("linger: 15m", "onDelete: Clear")
    apply(stage, text)
    async with stage.operator():

        async def has_finalizer() -> bool:
            found = await stage.get(LicensePool, "cad")
            return bool(found and found["metadata"].get("finalizers"))

        await eventually(has_finalizer, what="the finalizer is set")
        assert difference(stage, text) == ""


async def test_a_dry_run_from_git_writes_nothing_and_says_what_it_would(stage: Stage) -> None:
    apply(stage, manifests(stage, DRY_RUN))
    stage.apply(stage.workbench(1, "ann"))
    async with stage.operator():
        message = await stage.until_condition(LicensePool, "matlab", "InSync", status="False", reason="DryRun")
        assert "1 would be added (ann)" in message
        assert stage.host.users("matlab") == ()


async def test_an_object_that_nobody_has_looked_at_does_not_pass_for_ready(stage: Stage) -> None:
    apply(stage, manifests(stage, BASE))
    for resource, name in ((LicensePool, "matlab"), (LicenseServer, SERVER)):
        found = await stage.get(resource, name)
        assert found is not None
        assert found["status"]["observedGeneration"] == -1


@pytest.mark.parametrize("file", ["argocd/operator.yaml", "flux/operator.yaml"])
def test_the_values_of_the_examples_are_values_of_the_chart(file: str, tmp_path: Path) -> None:
    spec = yaml.safe_load((EXAMPLES / file).read_text())["spec"]
    values = spec["values"] if "values" in spec else spec["source"]["helm"]["valuesObject"]
    settings = tmp_path / "settings.yaml"
    settings.write_text(yaml.safe_dump(values["config"]))
    assert load_settings(file=settings).mirror.accounts[0].namespace == "seatpool"


def test_paths_in_the_examples_are_paths_of_the_repository() -> None:
    repository = EXAMPLES.parents[1]
    named = []
    for file in sorted(EXAMPLES.glob("*/*.yaml")):
        for one in yaml.safe_load_all(file.read_text()):
            spec = one.get("spec", {})
            named += [
                spec.get("path"),
                spec.get("source", {}).get("path"),
                spec.get("chart", {}).get("spec", {}).get("chart"),
            ]
    found = [path for path in named if path]
    assert len(found) == 4
    assert [path for path in found if not (repository / path).is_dir()] == []
