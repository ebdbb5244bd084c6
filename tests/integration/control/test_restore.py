"""docs/backup.md is followed from one API server to another, with a real operator on each, and then docs/uninstall.md.

The vendor's rules still hold afterwards, and no user came off a list by the move.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.control.conftest import Body, Stage, eventually
from tests.integration.docs.pages import Block, blocks, environment, make_clone

from seatpool.api.licensepool import LicensePool
from seatpool.api.seatledger import SeatLedger
from seatpool.kube.client import KubeClient
from seatpool.sim.controlplane import ControlPlane

MINUTE = 60.0
PAGE = "docs/backup.md"
MY_VALUES = "image: {registry: 111122223333.dkr.ecr.eu-central-1.amazonaws.com}\n"


@pytest.fixture
def old_plane() -> Iterator[ControlPlane]:
    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def new_plane() -> Iterator[ControlPlane]:
    with ControlPlane() as plane:
        yield plane


async def run(commands: str, clone: Path, environ: dict[str, str], *, well: tuple[int, ...] = (0,)) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        ["bash", "-euo", "pipefail", "-c", commands],
        cwd=clone,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in well, f"{commands}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@asynccontextmanager
async def at(stage: Stage, plane: ControlPlane) -> AsyncIterator[Stage]:
    """The same site, seen from another cluster."""
    kube = await KubeClient.connect(kubeconfig=str(plane.kubeconfig))
    try:
        yield replace(stage, plane=plane, kube=kube, namespace="team-a")
    finally:
        await kube.close()


async def ledgers(stage: Stage) -> list[Body]:
    found, _ = await stage.kube.list_all(SeatLedger, namespace=stage.namespace)
    return [one["spec"] for one in found]


async def queue(stage: Stage) -> dict[str, str]:
    status = await stage.pool_status()
    return {one["user"]: one["reason"] for one in status.get("queue", [])}


async def begin(old: Stage) -> None:
    """ann and dora have the two seats, carl left and may not come back today, bob waits."""
    old.apply(old.server() | {"metadata": {"name": "licenses", "namespace": "team-a"}})
    old.apply(
        old.pool(seats=2, readmitAfter="24h", maxReassignments={"count": 5, "window": "365d"}),
        old.workbench(1, "ann"),
        old.workbench(2, "carl"),
    )
    await old.until_list(["ann", "carl"], seconds=MINUTE)
    old.apply(old.workbench(2, "carl", state="stopped"))
    await old.until_list(["ann"], seconds=MINUTE)
    old.apply(old.workbench(3, "dora"))
    await old.until_list(["ann", "dora"], seconds=MINUTE)
    old.apply(old.workbench(4, "bob"))

    async def bob_waits() -> bool:
        return "bob" in await queue(old)

    await eventually(bob_waits, seconds=MINUTE)


def documented(name: str) -> list[Block]:
    """The blocks of the chapter on moving, with the name of the test's license server."""
    found = [replace(one, text=one.text.replace("license-server", name)) for one in blocks(PAGE)]
    start = next(number for number, one in enumerate(found) if "pause" in one.text)
    return found[start:]


async def test_a_pool_that_moves_to_another_cluster_as_the_page_says_keeps_its_seats_and_the_vendors_rules(
    stage: Stage, old_plane: ControlPlane, new_plane: ControlPlane, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    clone.mkdir()
    make_clone(clone)
    (clone / "my-values.yaml").write_text(MY_VALUES)
    before, install, objects, running, restore = documented("licenses")
    old_shell, new_shell = environment(clone, old_plane), environment(clone, new_plane)
    old_plane.kubectl("create", "namespace", "team-a")
    old_plane.kubectl("create", "namespace", "seatpool")
    await run(
        "helm upgrade --install seatpool charts/seatpool --namespace seatpool --values build/infra/values.yaml "
        "--values my-values.yaml && kubectl wait --for=condition=Established crd --all",
        clone,
        old_shell,
    )
    owner = json.loads(old_plane.kubectl("get", "namespace", "kube-system", "-o", "json"))["metadata"]["uid"]

    async with at(stage, old_plane) as old:
        async with old.operator(namespaces=["team-a"], installation=owner):
            await begin(old)
            assert before.text.splitlines()[0].startswith("seatpool pause")
            await run(before.text.splitlines()[0], clone, old_shell)
        await run("\n".join(before.text.splitlines()[1:]), clone, old_shell)
        kept = await ledgers(old)
    list(stage.host.journal())

    await run(install.text, clone, new_shell)
    await run(objects.text, clone, new_shell)
    moved = json.loads(new_plane.kubectl("get", "configmap", "seatpool", "-n", "seatpool", "-o", "json"))
    assert owner in json.dumps(moved["data"])
    async with at(stage, new_plane) as new:
        assert await ledgers(new) == kept
        async with new.operator(namespaces=["team-a"], installation=owner):
            await new.until_condition(
                LicensePool, "matlab", "Ready", status="True", reason="ServerSuspended", seconds=MINUTE
            )
            assert new.host.users("matlab") == ("ann", "dora")
            await run(running.text, clone, new_shell)
            await new.until_condition(LicensePool, "matlab", "InSync", status="True", seconds=MINUTE)
            assert new.host.users("matlab") == ("ann", "dora")
            assert list(new.host.journal()) == [], "a list was written though nothing had changed"
            new.apply(new.workbench(2, "carl"), new.workbench(1, "ann", state="stopped"))
            await new.until_list(["bob", "dora"], seconds=MINUTE)
            new.apply(new.workbench(3, "dora", state="stopped"))
            await new.until_list(["bob"], seconds=MINUTE)

            async def carl_may_not_return() -> bool:
                return (await queue(new)).get("carl") == "ReadmissionBlocked"

            await eventually(carl_may_not_return, seconds=MINUTE)
            assert (await new.pool_status())["reassignmentsUsed"] == 2
        async with new.operator(namespaces=["team-a"], installation="another"):
            await new.until_condition(
                LicensePool, "matlab", "Ready", status="False", reason="ForeignOwner", seconds=MINUTE
            )
            new.apply(new.workbench(5, "eve"))
            await asyncio.sleep(2)
            assert new.host.users("matlab") == ("bob",)

        new_plane.kubectl("delete", "licensepool,seatledger", "--all", "--namespace", "team-a")
        assert await ledgers(new) == []
        await run(restore.text, clone, new_shell)
        assert await ledgers(new) == kept
        (clear,) = (one for one in blocks("docs/uninstall.md") if one.word == "operator")
        async with new.operator(namespaces=["team-a"], installation=owner):
            await run("seatpool resume server/licenses --namespace team-a", clone, new_shell)
            await new.until_list(["ann", "dora"], seconds=MINUTE)
            await run(clear.text, clone, new_shell)
            await new.until_list([], seconds=MINUTE)
